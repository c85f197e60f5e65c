"""The way of a fit: the objective over the iterations, the components as they move, and, where two numbers are free, the
path on the contours of the likelihood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symem.report.figures.chart import INKS, Chart, Dots, Line, Mark, Note
from symem.report.figures.data_charts import (
    component_lines,
    data_chart,
    density_lines,
    dots_by_label,
    grid_of,
    has_components,
)
from symem.report.figures.isolines import isoline
from symem.report.figures.shown import Names, Shown, plain
from symem.report.notation.digits import single

#: Iterates that have a dot each; lines of equal likelihood, and places at which it is asked for, across and up.
_MOST_DOTS, _LINES, _ACROSS = 50, 9, 45
#: The same across where the data are sequences that are not cut into rows: each place of the picture is a pass along them.
_ACROSS_SLOWLY = 21
#: How strongly the components of the first iterate are drawn, and those of the last.
_FAINT, _FULL = 0.25, 1.0


def ascent(history: Any, names: Names) -> Chart | None:
    """The objective at every iterate."""
    if len(history) < 2:
        return None
    at, values = np.arange(len(history)), np.asarray(history, dtype=float)
    dots = [Dots(at, values, INKS[0])] if len(values) <= _MOST_DOTS else []
    first, second, last = (single(float(values[k]), 6) for k in (0, 1, -1))
    return Chart(
        [Line(at, values, INKS[0]), *dots],
        names.iteration,
        names.objective,
        title="Likelihood by iteration",
        words=f"The objective rises from {first} at the start to {second} after one iteration and {last} after "
        f"{len(values) - 1}.",
        whole=True,
    )


# components that move ------------------------------------------------------------------------------------


def components(shown: Shown, thetas: Sequence[Any]) -> Chart | None:
    """The density of a number, or the lines that hold half of each component of pairs, at a few iterates; the later the
    stronger. `shown` is at the last one.
    """
    chart = data_chart(shown)
    if chart is None or not shown.alone or len(thetas) < 2:
        return None
    pairs = has_components(shown)
    if not pairs and shown.of_rows[str(shown.number)].ndim != 1:
        return None
    kept = some_of(len(thetas))
    marks = list(_still(shown, chart, pairs=pairs))
    for place, t in enumerate(kept):
        there = replace(shown, theta=thetas[t])
        opacity = _FAINT + (_FULL - _FAINT) * place / (len(kept) - 1)
        marks += _moved(there, opacity, last=t == kept[-1], pairs=pairs)
    told = ", ".join(map(str, kept))
    words = "What holds half of each component" if pairs else "The density of each component"
    return replace(
        chart,
        marks=marks,
        title="The components over the iterations",
        words=f"{words} at the iterates {told}, the later the stronger.",
        aside=f"iterates {told}",
    )


def some_of(count: int) -> list[int]:
    """The first iterates, then each twice as far as the one before, and the last.

    >>> some_of(13)
    [0, 1, 2, 4, 8, 12]
    """
    doubled = [0, *(2**k for k in range(5) if 2**k < count - 1)]
    return [*doubled, count - 1]


def _still(shown: Shown, chart: Chart, *, pairs: bool) -> Iterator[Mark]:
    """The data, which do not move."""
    if pairs:
        yield from dots_by_label(shown, plain(shown.few[str(shown.number)])[:, :2], 0.3)
    else:
        yield chart.marks[0]


def _moved(there: Shown, opacity: float, *, last: bool, pairs: bool) -> list[Mark]:
    if pairs:
        return list(component_lines(there, (0.5,), opacity, 2.0 if last else 1.3))
    values = there.of_rows[str(there.number)]
    lines = list(density_lines(there, grid_of(there, values[np.isfinite(values)]), opacity))
    return lines if last or len(lines) == 1 else lines[1:]


# contours of the likelihood ------------------------------------------------------------------------------

Entry = tuple[str, tuple[int, ...]]


def free_pair(model: Any, theta: Any) -> tuple[Entry, Entry] | None:
    """The two numbers that are free, if there are two: each an entry of a parameter; of shares that are two, the first."""
    found: list[Entry] = []
    for name, spec in model.parameters.items():
        shape = np.shape(getattr(theta, name))
        if spec.kind == "simplex":
            if shape[len(shape) - spec.simplex_axes :] != (2,):
                return None
            found += [(name, (*place, 0)) for place in np.ndindex(*shape[:-1])]
        elif spec.kind in _NUMBERS and not spec.entries:
            found += [(name, place) for place in np.ndindex(*shape)]
        else:
            return None
    return (found[0], found[1]) if len(found) == 2 else None


#: Kinds of parameters that are numbers of their own, and where these lie.
_NUMBERS = {
    "real": (-np.inf, np.inf), "positive": (0.0, np.inf), "nonnegative": (0.0, np.inf), "unit": (0.0, 1.0),
    "open unit": (0.0, 1.0), "simplex": (0.0, 1.0),
}  # fmt: skip


def likelihood_path(
    solver: Any, data: Mapping[str, Any], thetas: Sequence[Any], names: Names
) -> Chart | None:
    """The iterates on lines of equal log-likelihood of the data, where two numbers are free."""
    model = solver.model
    pair = free_pair(model, thetas[0])
    if pair is None or len(thetas) < 2:
        return None
    path = np.array([[_entry(theta, entry) for entry in pair] for theta in thetas])
    across = _ACROSS if model.plates.rows is not None else _ACROSS_SLOWLY
    x, y = (_places(path[:, k], model.parameters[pair[k][0]], across) for k in (0, 1))
    heights = _heights(lambda a, b: _log_likelihood(solver, data, _at(thetas[-1], pair, (a, b), model)), x, y)
    top, low = np.nanmax(heights), np.nanquantile(heights, 0.05)
    levels = [top - (top - low) * (k / _LINES) ** 2 for k in range(1, _LINES + 1)]
    lines: list[Mark] = [Line(*isoline(x, y, heights, each), width=0.9, opacity=0.4) for each in levels]
    kept = [t for t in some_of(len(thetas)) if t in {0, 1, len(thetas) - 1}]
    notes = [Note(float(path[t, 0]), float(path[t, 1]), f"${t}$") for t in kept]
    called = [names.entry(*entry) for entry in pair]
    return Chart(
        [*lines, Line(path[:, 0], path[:, 1], INKS[1], 1.6), Dots(path[:, 0], path[:, 1], INKS[1]), *notes],
        called[0],
        called[1],
        title="The path of EM",
        words=f"Lines of equal log-likelihood over {pair[0][0]} and {pair[1][0]}, and the {len(thetas)} iterates of EM on "
        "them, from the start to the top.",
        room=0.0,
    )


def _entry(theta: Any, entry: Entry) -> float:
    return float(np.asarray(getattr(theta, entry[0]), dtype=float)[entry[1]])


def _at(theta: Any, pair: tuple[Entry, Entry], values: tuple[float, float], model: Any) -> Any:
    """The parameters with these two numbers."""
    found = {name: np.array(value, dtype=float) for name, value in theta._asdict().items()}
    for (name, place), value in zip(pair, values, strict=True):
        found[name][place] = value
        if model.parameters[name].kind == "simplex":
            found[name][(*place[:-1], 1)] = 1 - value
    return type(theta)(**{name: value if value.ndim else float(value) for name, value in found.items()})


def _places(values: Any, spec: Any, across: int) -> Any:
    """Where the likelihood is asked for: around the path, within the support and a little off its ends."""
    low, high = float(values.min()), float(values.max())
    more = 0.5 * (high - low) or 0.1 * (abs(high) or 1.0)
    least, most = spec.ends or _NUMBERS[spec.kind]
    inset = 1e-3 * (high - low + more)
    return np.linspace(max(low - more, least + inset), min(high + more, most - inset), across)


def _heights(value: Callable[[float, float], float], x: Any, y: Any) -> Any:
    return np.array([[value(float(a), float(b)) for a in x] for b in y])


def _log_likelihood(solver: Any, data: Mapping[str, Any], theta: Any) -> float:
    """ℓ, NaN where the module refuses the place."""
    try:
        with np.errstate(all="ignore"):
            found = float(solver.log_likelihood(theta, **data))
    except ValueError:
        return float("nan")
    return found if np.isfinite(found) else float("nan")


def iterates(
    solver: Any, theta: Any, data: Mapping[str, Any], most: int = 60, settled: float = 1e-4
) -> list[Any]:
    """EM's steps from these parameters, until no number moves by more than that share of itself."""
    found = [theta, solver.em_step(theta, **data)]
    while len(found) <= most and _moved_by(*found[-2:]) > settled:
        found.append(solver.em_step(found[-1], **data))
    return found


def _moved_by(old: Any, new: Any) -> float:
    """The largest move of a number, as a share of it."""
    pairs = ((np.asarray(a, dtype=float), np.asarray(b, dtype=float)) for a, b in zip(old, new, strict=True))
    return max(float(np.max(np.abs(b - a) / (1 + np.abs(a)), initial=0.0)) for a, b in pairs)
