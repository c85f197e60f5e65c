"""Pictures by matplotlib, an optional extra: of a fit, of parameters over data, of a model as plates, of a selection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from symem.errors import DataError
from symem.pictures.panels import draw_data, draw_latents, draw_posterior, has_data, whole_ticks
from symem.pictures.shown import Shown, means
from symem.report.figures.plot_axes import INKS

Panels = dict[str, Callable[[Any], None]]


class At(NamedTuple):
    """Parameters that say of data what a fit does."""

    solver: Any
    theta: Any

    def posterior_of(self, **data: Any) -> Any:
        return self.solver.posterior(self.theta, **data)

    def predict(self, **data: Any) -> Any:
        return self.solver.predict(self.theta, **data)

    def score_samples(self, **data: Any) -> Any:
        return self.solver.score_samples(self.theta, **data)


def plot_fit(
    fit: Any, solver: Any, data: Mapping[str, Any] | None, what: str | None = None, ax: Any = None
) -> Any:
    """The objective over the iterations, and beside it what can be drawn of the data and the latents.

    Returns:
        the figure of matplotlib, or the axes of the one panel that is asked for.

    Raises:
        DataError: matplotlib is not installed; there is no such panel.
    """
    panels: Panels = {"objective": lambda ax: _rise(ax, fit)}
    if data:
        panels |= _panels(Shown(At(solver, fit.parameters), solver.model, data, fit.categories))
    return _drawn(panels, what, ax)


def plot_at(solver: Any, theta: Any, data: Mapping[str, Any], what: str | None = None, ax: Any = None) -> Any:
    """What parameters say of data, as `plot_fit`."""
    return _drawn(_panels(Shown(At(solver, theta), solver.SOLVER.model, data, {})), what, ax)


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
    return _plain_frame(ax)


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


def _panels(shown: Shown) -> Panels:
    """What can be drawn of data and latents."""
    found: Panels = {}
    if has_data(shown):
        found["data"] = lambda ax: draw_data(ax, shown)
    if shown.table is not None:
        found["posterior"] = lambda ax: draw_posterior(ax, shown)
    if means(shown) is not None:
        found["latents"] = lambda ax: draw_latents(ax, shown)
    return found


def _drawn(panels: Panels, what: str | None, ax: Any) -> Any:
    plt = matplotlib()
    if not panels:
        raise DataError(
            "There is nothing to draw of these data: no number, pair, label or latent of the rows."
        )
    if what is not None and what not in panels:
        raise DataError(f"what = {what!r}, but of this there is {', '.join(map(repr, panels))}.")
    if what is None and ax is not None:
        what = next((name for name in ("data", "posterior", "latents") if name in panels), "objective")
    if what is not None:
        ax = plt.subplots(layout="constrained")[1] if ax is None else ax
        panels[what](ax)
        return _plain_frame(ax)
    figure, axes = plt.subplots(1, len(panels), figsize=(4.5 * len(panels), 3.5), layout="constrained")
    for draw, each in zip(panels.values(), np.atleast_1d(axes), strict=True):
        draw(each)
        _plain_frame(each)
    return figure


def _plain_frame(ax: Any) -> Any:
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _rise(ax: Any, fit: Any) -> None:
    ax.plot(
        np.arange(len(fit.history)), fit.history, marker="." if len(fit.history) < 50 else "", color=INKS[0]
    )
    whole_ticks(ax)
    ax.set(
        xlabel="iteration",
        ylabel="log-likelihood" if fit.objective == fit.log_likelihood else "log-posterior",
    )
