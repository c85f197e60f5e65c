"""The panels of a picture by matplotlib: densities over data, scatters, posteriors of labels, latents with their spread."""

from __future__ import annotations

from typing import Any

import numpy as np

from symem.pictures.shown import LABELS, Shown, means, plain
from symem.report.figures.plot_axes import INKS

#: Points at which a density is drawn, and how far beyond the data, as a share of their range.
_POINTS, _MARGIN = 400, 0.1

#: Around a component lie the lines that hold these shares of it, ellipses if it is Normal; on a grid so wide.
_SHARES = (0.5, 0.95)
_ACROSS = 120

#: Rows that are drawn as bars; names in a legend; whole numbers that are drawn as a bar each, and that are told apart.
_MOST_BARS, _MOST_NAMES, _MOST_WHOLE, _MOST_COUNTS = 40, 10, 100, 4_000


def whole_ticks(ax: Any) -> None:
    """No ticks between the whole numbers across."""
    ax.xaxis.get_major_locator().set_params(integer=True)


def _ink(number: int) -> str:
    return INKS[int(number) % len(INKS)]


def _legend(ax: Any, handles: list[Any], names: list[str], *, full: bool = False) -> None:
    """No more names than can be told apart; outside if there are many, and above what is `full`."""
    if len(names) < 2:
        return
    shown = names[:_MOST_NAMES]
    rest = [f"and {len(names) - len(shown)} more"] if len(names) > len(shown) else []
    handles = [*handles[: len(shown)], *([ax.plot([], [], " ")[0]] if rest else [])]
    place: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1, 0.5)} if len(names) > 4 else {}
    if full and not place:
        place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": len(names)}
    ax.legend(handles, [*shown, *rest], fontsize="small", frameon=False, markerscale=1.5, **place)


# data ----------------------------------------------------------------------------------------------------


def draw_data(ax: Any, shown: Shown) -> None:
    """A histogram under the density, a scatter of pairs, or numbers over the one number that they hang on."""
    assert shown.number is not None
    values = shown.of_rows[shown.number]
    if values.ndim == 2:
        _scatter(ax, shown, values)
    elif (over := _over(shown)) is not None:
        _regression(ax, shown, *over)
    else:
        _histogram(ax, shown, values)


def has_data(shown: Shown) -> bool:
    """Whether there is an array to draw: a number a row, a pair, or a vector, of which two entries are drawn."""
    if shown.number is None:
        return False
    values = shown.of_rows[shown.number]
    wide = values.shape[1] if values.ndim == 2 else 2
    seen = np.isfinite(values).any()
    return bool(seen) and (wide == 2 or (wide > 2 and shown.model.data[shown.number].entries == 1))


def _grid(shown: Shown, seen: Any) -> Any:
    """Places from a little below the data to a little above; of counts the whole numbers among them."""
    assert shown.number is not None
    low, high = float(seen.min()), float(seen.max())
    if shown.model.data[shown.number].kind == "count" and high - low <= _MOST_COUNTS:
        return np.arange(low, high + 1)
    wide = _MARGIN * (high - low or abs(high) or 1.0)
    return np.linspace(low - wide, high + wide, _POINTS)


def _histogram(ax: Any, shown: Shown, values: Any) -> None:
    assert shown.number is not None
    finite = np.isfinite(values)
    seen, grid = values[finite], _grid(shown, values[finite])
    weights = None if shown.weights is None else shown.weights[finite]
    counts = shown.model.data[shown.number].kind == "count" and float(grid[1:].max(initial=0)) % 1 == 0
    few = counts and len(grid) <= _MOST_WHOLE
    if counts:
        edges = np.append(grid - 0.5, grid[-1] + 0.5)
    else:
        edges = np.histogram_bin_edges(seen, "auto" if len(seen) > 1 and weights is None else 20)
    ax.hist(seen, bins=edges, density=True, weights=weights, color="0.85", rwidth=0.9 if few else None)
    if shown.alone:
        _curves(ax, shown, grid, whole=few)
    if counts:
        whole_ticks(ax)
    gone = len(values) - len(seen)
    words = "probability" if counts else "density" if shown.alone else "density of the data"
    ax.set(xlabel=shown.number, ylabel=words)
    if gone:
        ax.set_title(f"{gone} of {len(values)} are missing", fontsize="small", loc="right")


def _curves(ax: Any, shown: Shown, grid: Any, *, whole: bool) -> None:
    """The density over its data, and that of each component; of whole numbers dots."""
    density, parts = shown.density(grid)
    (line,) = ax.plot(
        grid, density, "o" if whole else "-", color="0.15", markersize=4, linewidth=1.4, zorder=3
    )
    style: dict[str, Any] = (
        {"linewidth": 1.0, "marker": "o", "markersize": 3} if whole else {"linewidth": 1.8}
    )
    drawn = [ax.plot(grid, part, "--", color=_ink(k), **style)[0] for k, part in enumerate(parts)]
    if drawn and shown.table is not None:
        _legend(ax, [line, *drawn], ["all", *shown.table[2]])


def _scatter(ax: Any, shown: Shown, values: Any) -> None:
    """Pairs, coloured by the most probable label if there is one, and around each component what holds its shares."""
    assert shown.number is not None
    few = plain(shown.few[shown.number])[:, :2]
    _points(ax, shown, few)
    if values.shape[1] == 2 and shown.alone:
        seen = few[np.all(np.isfinite(few), axis=1)]
        _contours(ax, shown, seen.min(axis=0), seen.max(axis=0))
    gone = int(np.sum(~np.all(np.isfinite(values[:, :2]), axis=1)))
    if gone:
        ax.set_title(f"{gone} of {len(values)} pairs are not whole", fontsize="small", loc="right")
    ax.set(xlabel=f"{shown.number}[0]", ylabel=f"{shown.number}[1]")


def _points(ax: Any, shown: Shown, pairs: Any) -> None:
    names = ["" for _ in range(1)] if shown.table is None else shown.table[2]
    handles = []
    for number in range(len(names)):
        mine = pairs[shown.labels == number]
        size = 14 if len(pairs) < 500 else 5
        handles.append(
            ax.scatter(
                *mine.T, s=size, color=_ink(number), alpha=0.6, linewidths=0, rasterized=len(pairs) > 1000
            )
        )
    _legend(ax, handles, names)


def _contours(ax: Any, shown: Shown, low: Any, high: Any) -> None:
    wide = 2 * _MARGIN * (high - low)
    x, y = np.meshgrid(*(np.linspace(a, b, _ACROSS) for a, b in zip(low - wide, high + wide, strict=True)))
    density, parts = shown.density(np.stack([x.ravel(), y.ravel()], axis=1))
    for number, each in enumerate(np.nan_to_num(parts or [density])):
        levels = np.unique([level(each, share) for share in _SHARES])
        if levels[0] > 0:
            ax.contour(x, y, each.reshape(x.shape), levels=levels, colors=_ink(number), linewidths=1)


def level(density: Any, share: float) -> float:
    """The height above which that share of the whole lies."""
    falling = np.sort(density)[::-1]
    total = np.cumsum(falling)
    return float(falling[np.searchsorted(total, share * total[-1])])


def _over(shown: Shown) -> tuple[str, Any] | None:
    """The one number of a row that varies beside the datum, with its name; None if there is none, or several."""
    assert shown.number is not None
    seen = np.isfinite(plain(shown.few[shown.number]))
    others = [n for n in shown.of_rows if n != shown.number and shown.model.data[n].kind not in LABELS]
    varying = []
    for name in others:
        table = plain(shown.few[name]).reshape(len(seen), -1)
        places = [k for k in range(table.shape[1]) if np.ptp(table[seen, k]) > 0]
        varying += [(name if table.shape[1] == 1 else f"{name}[{k}]", table[:, k]) for k in places]
    return varying[0] if len(varying) == 1 else None


def _regression(ax: Any, shown: Shown, name: str, across: Any) -> None:
    assert shown.number is not None
    _points(ax, shown, np.stack([across, plain(shown.few[shown.number])], axis=1))
    ax.set(xlabel=name, ylabel=shown.number)


# latents -------------------------------------------------------------------------------------------------


def draw_posterior(ax: Any, shown: Shown) -> None:
    """The probabilities of a label: over the number if it is all that a row holds, else row by row."""
    assert shown.table is not None
    name, table, names = shown.table
    number = shown.number
    if number is not None and shown.alone and shown.of_rows[number].ndim == 1:
        handles = _over_the_number(ax, shown, plain(shown.few[number]), table)
        ax.set(xlabel=number)
    elif len(table) <= _MOST_BARS:
        base = np.vstack([np.zeros(len(table)), np.cumsum(table.T, axis=0)])
        handles = [
            ax.bar(np.arange(len(table)), table[:, k], bottom=base[k], color=_ink(k), alpha=0.75)
            for k in range(table.shape[1])
        ]
        ax.set(xlabel="row")
        whole_ticks(ax)
    else:
        order = np.lexsort((-table.max(axis=1), np.argmax(table, axis=1)))
        handles = ax.stackplot(
            np.arange(len(order)), table[order].T, colors=[_ink(k) for k in range(table.shape[1])], alpha=0.75
        )
        ax.set(xlabel="rows, sorted by their label")
    ax.set(ylabel=f"P({name} | data)", ylim=(-0.02, 1.02))
    _legend(ax, list(handles), names, full=True)


def _over_the_number(ax: Any, shown: Shown, values: Any, table: Any) -> list[Any]:
    """A curve for each outcome, with a dot at every datum."""
    across, first = np.unique(values, return_index=True)
    kept = np.isfinite(across)
    grid = _grid(shown, across[kept])
    if shown.model.data[str(shown.number)].kind == "count":
        whole_ticks(ax)
    curves, inks = shown.shares(grid), [_ink(k) for k in range(table.shape[1])]
    for k, ink in enumerate(inks):
        ax.plot(across[kept], table[first[kept], k], ".", markersize=4, color=ink)
    return [ax.plot(grid, curves[:, k], color=ink, linewidth=1)[0] for k, ink in enumerate(inks)]


def draw_latents(ax: Any, shown: Shown) -> None:
    """Posterior means: by place with two standard deviations, or pairs as points."""
    found = means(shown)
    assert found is not None
    name, table, spread = found
    if table.shape[1] >= 2:
        pairs = table[:, :2]
        labels = shown.labels if len(shown.labels) == len(pairs) else np.zeros(len(pairs), dtype=int)
        ax.scatter(*pairs.T, s=14, c=[_ink(each) for each in labels], alpha=0.6, linewidths=0)
        ax.set(xlabel=f"E[{name}[0] | data]", ylabel=f"E[{name}[1] | data]")
        return
    whole_ticks(ax)
    across, mean = np.arange(len(table)), table[:, 0]
    if spread is not None and len(table) <= _MOST_BARS:
        ax.errorbar(
            across, mean, 2 * spread[:, 0], fmt="o", color=_ink(0), markersize=4, capsize=2, linewidth=1
        )
    elif spread is not None:
        ax.fill_between(
            across, mean - 2 * spread[:, 0], mean + 2 * spread[:, 0], color=_ink(0), alpha=0.2, linewidth=0
        )
        ax.plot(across, mean, ".", color=_ink(0), markersize=3)
    else:
        ax.plot(across, mean, "o", color=_ink(0), markersize=4)
    ax.set(
        xlabel=f"index of {name}, from 0",
        ylabel=f"E[{name} | data]" + (" ± 2 sd" if spread is not None else ""),
    )
