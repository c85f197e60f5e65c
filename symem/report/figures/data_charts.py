"""Data under what a model says of them: a histogram under its density, pairs in lines around their components, a number
over the one that it hangs on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symem.report.figures.chart import BLACK, Bars, Chart, Dots, Line, Mark, ink
from symem.report.figures.isolines import isoline
from symem.report.figures.shown import LABELS, Shown, plain

#: Points at which a density is drawn, and how far beyond the data, as a share of their range.
_POINTS, _MARGIN = 240, 0.1

#: Around a component lie the lines that hold these shares of it, ellipses if it is Normal; on a grid so wide.
SHARES = (0.5, 0.95)
_ACROSS = 90

#: Names in a legend; whole numbers that are drawn as a bar each, and that are told apart; pairs that are dots.
MOST_NAMES, _MOST_WHOLE, _MOST_COUNTS, _MOST_DOTS = 10, 100, 4_000, 500


def has_data(shown: Shown) -> bool:
    """Whether there is an array to draw: a number a row, a pair, or a vector, of which two entries are drawn."""
    if shown.number is None:
        return False
    values = shown.of_rows[shown.number]
    wide = values.shape[1] if values.ndim == 2 else 2
    seen = np.isfinite(values).any()
    return bool(seen) and (wide == 2 or (wide > 2 and shown.model.data[shown.number].entries == 1))


def data_chart(shown: Shown) -> Chart | None:
    """The data of the rows; None if there is nothing to draw."""
    if not has_data(shown):
        return None
    assert shown.number is not None
    if shown.of_rows[shown.number].ndim == 2:
        return _scatter(shown)
    over = _over(shown)
    return _histogram(shown) if over is None else _regression(shown, *over)


def legend(names: list[str]) -> tuple[tuple[str, str], ...]:
    """The components' names with their inks, no more than can be told apart; none of a single one."""
    if len(names) < 2:
        return ()
    rest = len(names) - MOST_NAMES
    entries = [(name, ink(k)) for k, name in enumerate(names[:MOST_NAMES])]
    return (*entries, (f"and {rest} more", "none")) if rest > 0 else tuple(entries)


# one number a row ----------------------------------------------------------------------------------------


def grid_of(shown: Shown, seen: Any) -> Any:
    """Places from a little below the data to a little above; of counts the whole numbers among them."""
    low, high = float(seen.min()), float(seen.max())
    if is_count(shown) and high - low <= _MOST_COUNTS:
        return np.arange(low, high + 1)
    wide = _MARGIN * (high - low or abs(high) or 1.0)
    return np.linspace(low - wide, high + wide, _POINTS)


def is_count(shown: Shown) -> bool:
    return bool(shown.model.data[str(shown.number)].kind == "count")


def _histogram(shown: Shown) -> Chart:
    assert shown.number is not None
    values = shown.of_rows[shown.number]
    finite = np.isfinite(values)
    seen, grid = values[finite], grid_of(shown, values[finite])
    weights = None if shown.weights is None else shown.weights[finite]
    counts = is_count(shown) and len(grid) <= _MOST_COUNTS
    if counts:
        edges = np.append(grid - 0.5, grid[-1] + 0.5)
    else:
        edges = np.histogram_bin_edges(seen, "auto" if len(seen) > 1 and weights is None else 20)
    height, _ = np.histogram(seen, bins=edges, density=True, weights=weights)
    gap = 0.05 if counts and len(grid) <= _MOST_WHOLE else 0.0
    bars = Bars(edges[:-1] + gap, edges[1:] - gap, height, np.zeros(len(height)))
    curves = list(density_lines(shown, grid)) if shown.alone else []
    names = [] if shown.table is None else shown.table[2]
    up = "probability" if counts else "density" if shown.alone else "density of the data"
    gone = len(values) - len(seen)
    return Chart(
        [bars, *curves],
        shown.names.number(shown.number),
        up,
        title="Density over the data",
        words=f"A histogram of {len(seen)} values of {shown.number}"
        + (" with the density over it" if curves else "")
        + (f" and its {len(names)} components." if len(curves) > 1 else "."),
        legend=(("all", BLACK), *legend(names)) if len(curves) > 1 else (),
        whole=counts,
        low=0.0,
        aside=f"{gone} of {len(values)} are missing" if gone else "",
    )


def density_lines(shown: Shown, grid: Any, opacity: float = 1.0) -> Iterator[Mark]:
    """The density, and that of each component dashed; of whole numbers dots."""
    density, parts = shown.density(grid)
    if is_count(shown) and len(grid) <= _MOST_WHOLE:
        yield Dots(grid, density, radius=3.2, opacity=opacity)
    else:
        yield Line(grid, density, width=1.6, opacity=opacity)
    if len(parts) > 1:
        yield from (Line(grid, part, ink(k), dashed=True, opacity=opacity) for k, part in enumerate(parts))


# two numbers a row ---------------------------------------------------------------------------------------


def _scatter(shown: Shown) -> Chart:
    """Pairs in the ink of their most probable label, and around each component what holds its shares."""
    assert shown.number is not None
    values, few = shown.of_rows[shown.number], plain(shown.few[shown.number])[:, :2]
    lines = list(component_lines(shown)) if has_components(shown) else []
    gone = int(np.sum(~np.all(np.isfinite(values[:, :2]), axis=1)))
    names = [] if shown.table is None else shown.table[2]
    return Chart(
        [*dots_by_label(shown, few), *lines],
        shown.names.entry(shown.number, (0,)),
        shown.names.entry(shown.number, (1,)),
        title="Scatter of the data",
        words=f"{len(few)} pairs of {shown.number}"
        + (", each in the ink of its most probable label" if names else "")
        + (
            f", and around each component the lines that hold {SHARES[0]:.0%} and {SHARES[1]:.0%} of it."
            if lines
            else "."
        ),
        legend=legend(names),
        aside=f"{gone} of {len(values)} pairs are not whole" if gone else "",
    )


def has_components(shown: Shown) -> bool:
    """Whether rows are pairs, and the density of a pair is known."""
    values = shown.of_rows[str(shown.number)]
    return bool(values.ndim == 2 and values.shape[1] == 2 and shown.alone)


def dots_by_label(shown: Shown, pairs: Any, opacity: float = 0.6) -> Iterator[Dots]:
    """The points of each label."""
    count = 1 if shown.table is None else shown.table[1].shape[1]
    radius = 2.6 if len(pairs) < _MOST_DOTS else 1.6
    for number in range(count):
        mine = pairs[shown.labels == number]
        yield Dots(mine[:, 0], mine[:, 1], ink(number), radius, opacity)


def component_lines(
    shown: Shown, shares: tuple[float, ...] = SHARES, opacity: float = 1.0, wide: float = 1.3
) -> Iterator[Line]:
    """Around each component the lines that hold these shares of it."""
    pairs = plain(shown.few[str(shown.number)])
    seen = pairs[np.all(np.isfinite(pairs), axis=1)]
    low, high = seen.min(axis=0), seen.max(axis=0)
    more = 2 * _MARGIN * (high - low)
    x, y = (np.linspace(a, b, _ACROSS) for a, b in zip(low - more, high + more, strict=True))
    density, parts = shown.density(np.stack([each.ravel() for each in np.meshgrid(x, y)], axis=1))
    for number, each in enumerate(np.nan_to_num(parts or [density])):
        heights = each.reshape(len(y), len(x))
        for height in {level(each, share) for share in shares} - {0.0}:
            yield Line(*isoline(x, y, heights, height), ink(number), width=wide, opacity=opacity)


def level(density: Any, share: float) -> float:
    """The height above which that share of the whole lies."""
    falling = np.sort(density)[::-1]
    total = np.cumsum(falling)
    return float(falling[min(np.searchsorted(total, share * total[-1]), len(falling) - 1)])


def _over(shown: Shown) -> tuple[str, Any] | None:
    """The one number of a row that varies beside the datum, with its name; None if there is none, or several."""
    assert shown.number is not None
    seen = np.isfinite(plain(shown.few[shown.number]))
    others = [n for n in shown.of_rows if n != shown.number and shown.model.data[n].kind not in LABELS]
    varying = []
    for name in others:
        table = plain(shown.few[name]).reshape(len(seen), -1)
        places = [k for k in range(table.shape[1]) if np.ptp(table[seen, k]) > 0]
        one = table.shape[1] == 1
        varying += [
            (shown.names.number(name) if one else shown.names.entry(name, (k,)), table[:, k]) for k in places
        ]
    return varying[0] if len(varying) == 1 else None


def _regression(shown: Shown, name: str, across: Any) -> Chart:
    assert shown.number is not None
    pairs = np.stack([across, plain(shown.few[shown.number])], axis=1)
    names = [] if shown.table is None else shown.table[2]
    return Chart(
        list(dots_by_label(shown, pairs)),
        name,
        shown.names.number(shown.number),
        title="The data",
        words=f"{len(pairs)} values of {shown.number} over {name}"
        + (", each in the ink of its most probable label." if names else "."),
        legend=legend(names),
    )
