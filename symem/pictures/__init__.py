"""Pictures by matplotlib, an optional extra: of a fit, of parameters over data, of a model as plates, of a selection.

What a picture shows is said once, in `report.figures`, for pages as for these axes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symem.errors import DataError
from symem.pictures.drawn_charts import draw_chart
from symem.report.figures.chart import INKS, Chart
from symem.report.figures.data_charts import data_chart
from symem.report.figures.latent_charts import latents_chart, posterior_chart
from symem.report.figures.path_charts import ascent, components, iterates, likelihood_path
from symem.report.figures.sequence_charts import along_chart, data_along_chart, sequence_chart, states_chart
from symem.report.figures.shown import Names, Shown

#: What is drawn when it is asked for: a chart, or None where there is nothing of it.
Panels = Mapping[str, Callable[[], Chart | None]]
#: A drawing of shapes, which fills its axes.
Drawings = Mapping[str, Callable[[], str | None]]


def plot_fit(
    fit: Any, solver: Any, data: Mapping[str, Any] | None, what: str | None = None, ax: Any = None
) -> Any:
    """The objective over the iterations, and beside it what can be drawn of the data and the latents.

    Returns:
        the figure of matplotlib, or the axes of the one panel that is asked for.

    Raises:
        DataError: matplotlib is not installed; there is no such panel.
    """
    names = Names()
    if fit.objective != fit.log_likelihood:
        names.objective = "log-posterior"
    panels: Panels = {"objective": lambda: ascent(fit.history, names)}
    if data:
        panels = {**panels, **_of_data(Shown(solver, fit.parameters, data, fit.categories))}
    return _drawn(panels, {}, what, ax)


def plot_at(
    solver: Any,
    theta: Any,
    data: Mapping[str, Any],
    step: Callable[[], str | None],
    what: str | None = None,
    ax: Any = None,
) -> Any:
    """What parameters say of data, as `plot_fit`; asked for by name also the way of EM from them, of which `step` draws
    the first one.
    """

    def way(draw: Callable[[list[Any]], Chart | None]) -> Chart | None:
        return draw(iterates(solver, _as_parameters(solver, theta), data))

    found = Shown(solver, theta, data)
    asked: Panels = {
        "iterations": lambda: way(lambda path: components(Shown(solver, path[-1], data), path)),
        "likelihood": lambda: way(lambda path: likelihood_path(solver, data, path, Names())),
    }
    return _drawn(_of_data(found), {"step": step}, what, ax, asked)


def _as_parameters(solver: Any, theta: Any) -> Any:
    """The solver's own record of parameters."""
    found = theta if isinstance(theta, Mapping) else theta._asdict()
    return solver.model.steps.Parameters(
        **{name: np.asarray(value, dtype=float) for name, value in found.items()}
    )


def plot_plates(svg: str, ax: Any = None) -> Any:
    """The model as plates, as reports draw it; the axes of matplotlib."""
    plt = matplotlib()
    from symem.pictures.diagrams import draw, size_of  # noqa: PLC0415  matplotlib is imported when it is asked for

    ax = plt.figure(figsize=size_of(svg)).add_axes((0, 0, 1, 1)) if ax is None else ax
    return draw(svg, ax)


def plot_selection(selection: Any, ax: Any = None) -> Any:
    """The criterion over the sizes tried, the chosen one marked; fits that did not converge are hollow."""
    plt = matplotlib()
    ax = plt.subplots(layout="constrained")[1] if ax is None else ax
    fitted = [each for each in selection.table if each.fit is not None]
    names = [each.named for each in fitted]
    values = [float(getattr(each.fit, selection.criterion)) for each in fitted]
    ax.plot(names, values, color="0.6", zorder=1)
    for name, value, each in zip(names, values, fitted, strict=True):
        sound = each.fit is not None and each.fit.converged
        colour = INKS[1] if each is selection.chosen_or_none else INKS[0]
        ax.scatter([name], [value], facecolors=colour if sound else "none", edgecolors=colour, zorder=2)
    ax.set(ylabel=f"{selection.criterion.upper()} (less is better)")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def matplotlib() -> Any:
    """Its module of figures.

    Raises:
        DataError: it is not installed.
    """
    try:
        from matplotlib import pyplot as plt  # noqa: PLC0415  imported when it is asked for
    except ImportError:
        raise DataError("Plots need matplotlib: pip install 'symem[plot]'.") from None
    return plt


def _of_data(shown: Shown) -> Panels:
    """What can be drawn of data and latents."""
    return {
        "data": lambda: sequence_chart(shown) or data_along_chart(shown) or data_chart(shown),
        "posterior": lambda: along_chart(shown) or posterior_chart(shown),
        "latents": lambda: states_chart(shown) or latents_chart(shown),
    }


def _drawn(panels: Panels, drawings: Drawings, what: str | None, ax: Any, asked: Panels | None = None) -> Any:
    """One panel on its axes, or all beside one another; those that are `asked` for, and drawings, by their names only."""
    plt = matplotlib()
    if what is None and ax is None:
        return _beside_one_another(plt, panels)
    if what is None:
        what = next((name for name in ("data", "posterior", "latents") if _there(panels, name)), "objective")
    if what in drawings:
        svg = drawings[what]()
        if svg is None:
            raise DataError(f"what = {what!r}, but rows or numbers are too many, or of other kinds, to draw.")
        return plot_plates(svg, ax)
    every = {**panels, **(asked or {})}
    chart = every[what]() if what in every else None
    if chart is None:
        known = [*(name for name in panels if _there(panels, name)), *(asked or {}), *drawings]
        raise DataError(f"what = {what!r}, but of this there is {', '.join(map(repr, known))}.")
    ax = plt.subplots(layout="constrained")[1] if ax is None else ax
    return draw_chart(chart, ax)


def _there(panels: Panels, name: str) -> bool:
    return name in panels and panels[name]() is not None


def _beside_one_another(plt: Any, panels: Panels) -> Any:
    charts = [chart for chart in (each() for each in panels.values()) if chart is not None]
    if not charts:
        raise DataError(
            "There is nothing to draw of these data: no number, pair, label or latent of the rows."
        )
    figure, axes = plt.subplots(1, len(charts), figsize=(4.5 * len(charts), 3.5), layout="constrained")
    for chart, each in zip(charts, np.atleast_1d(axes), strict=True):
        draw_chart(chart, each)
    return figure
