"""Pictures of fits by matplotlib, an optional extra: the rise of ℓ, densities over data, ellipses, posteriors of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from symem.errors import DataError

#: Points at which a density is drawn, and how far beyond the data, as a share of their range.
_POINTS, _MARGIN = 400, 0.1

#: Around a component lie the lines that hold these shares of it, ellipses if it is Normal; on a grid so wide.
_SHARES = (0.5, 0.95)
_ACROSS = 120

#: The kinds of data that are labels, and the ends of those that have some.
_LABELS = frozenset({"label", "binary"})
_SUPPORTS = {
    "positive": (0.0, np.inf), "nonnegative": (0.0, np.inf), "count": (0.0, np.inf), "unit": (0.0, 1.0),
}  # fmt: skip

#: Rows of a posterior that are drawn one by one.
_MOST_ROWS = 2000


class Rows(NamedTuple):
    """What is drawn of a fit: numbers (n) or (n, d) of one data array by name, and tables of labels (n, K).

    `others` is what all rows share; `alone` tells whether a row holds nothing else; a number lies between `low` and
    `high`, which it reaches if its range is `closed`, and is
    `whole` if it counts something.
    """

    name: str
    values: Any
    tables: Mapping[str, Any]
    others: Mapping[str, Any]
    alone: bool
    low: float
    high: float
    closed: bool
    whole: bool


def plot_fit(fit: Any, model: Any, data: Mapping[str, Any] | None) -> Any:
    """The objective over the iterations, and beside it what can be drawn of the data and of the labels.

    One array of numbers on the rows: its histogram under the density of the fit; of pairs: a scatter, with lines around
    each component that hold shares of it. A label: its probabilities row by row.

    Returns:
        the figure of matplotlib.

    Raises:
        DataError: matplotlib is not installed.
    """
    plt = _matplotlib()
    rows = _rows(fit, model, data)
    drawn: list[Callable[[Any], None]] = [lambda ax: _rise(ax, fit)]
    if rows is not None and rows.values.ndim == 1:
        drawn.append(lambda ax: _density(ax, fit, rows))
    if rows is not None and rows.values.ndim == 2 and rows.values.shape[1] == 2:
        drawn.append(lambda ax: _scatter(ax, fit, rows))
    if rows is not None and rows.tables:
        drawn.append(lambda ax: _posterior(ax, rows))
    figure, axes = plt.subplots(1, len(drawn), figsize=(4.5 * len(drawn), 3.5), layout="constrained")
    for draw, ax in zip(drawn, np.atleast_1d(axes), strict=True):
        draw(ax)
    return figure


def plot_selection(selection: Any, ax: Any = None) -> Any:
    """The criterion over the sizes tried, the chosen one marked; fits that did not converge are hollow."""
    plt = _matplotlib()
    ax = plt.subplots(layout="constrained")[1] if ax is None else ax
    fitted = [each for each in selection.table if each.fit is not None]
    names = [each.named for each in fitted]
    values = [float(getattr(each.fit, selection.criterion)) for each in fitted]
    ax.plot(names, values, color="0.6", zorder=1)
    for name, value, each in zip(names, values, fitted, strict=True):
        sound = each.fit is not None and each.fit.converged
        colour = "C3" if each is selection.chosen_or_none else "C0"
        ax.scatter([name], [value], facecolors=colour if sound else "none", edgecolors=colour, zorder=2)
    ax.set(ylabel=f"{selection.criterion.upper()} (less is better)")
    return ax


def _matplotlib() -> Any:
    try:
        from matplotlib import pyplot as plt  # noqa: PLC0415  imported when it is asked for
    except ImportError:
        raise DataError("Plots need matplotlib: pip install 'symem[plot]'.") from None
    return plt


def _rows(fit: Any, model: Any, data: Mapping[str, Any] | None) -> Rows | None:
    """The first array of numbers on the rows, and the tables of labels there; None without rows."""
    if model is None or data is None or model.plates.rows is None:
        return None
    of_rows = {name: spec for name, spec in model.data.items() if spec.shape[:1] == (model.plates.rows,)}
    numbers = [name for name, spec in of_rows.items() if spec.kind not in _LABELS and len(spec.shape) < 3]
    if not numbers:
        return None
    name = numbers[0]
    values = np.asarray(data[name], dtype=float)
    shown = fit.posterior_of(**data)._asdict()
    tables = {
        latent: table for latent, table in shown.items()
        if isinstance(table, np.ndarray) and table.ndim == 2 and len(table) == len(values)
    }  # fmt: skip
    others = {key: value for key, value in data.items() if key not in of_rows}
    low, high = _SUPPORTS.get(of_rows[name].kind, (-np.inf, np.inf))
    kind, alone = of_rows[name].kind, len(of_rows) == 1
    return Rows(name, values, tables, others, alone, low, high, kind != "positive", kind == "count")


def _rise(ax: Any, fit: Any) -> None:
    ax.plot(np.arange(len(fit.history)), fit.history, marker="." if len(fit.history) < 50 else "")
    ax.set(
        xlabel="iteration",
        ylabel="log-likelihood" if fit.objective == fit.log_likelihood else "log-posterior",
    )


def _density(ax: Any, fit: Any, rows: Rows) -> None:
    """The histogram of numbers under the density that the fit gives to a row of them; counts on whole numbers."""
    seen = rows.values[np.isfinite(rows.values)]
    low, high = float(seen.min()), float(seen.max())
    whole = rows.whole and high - low < _POINTS
    bins = np.arange(low - 0.5, high + 1.5) if whole else "auto"
    ax.hist(seen, bins=bins, density=True, color="0.85")
    wide = _MARGIN * (high - low)
    grid = (
        np.arange(low, high + 1)
        if whole and high - low < _POINTS
        else np.linspace(low - wide, high + wide, _POINTS)
    )
    density = _density_at(fit, rows, grid)
    if density is not None:
        ax.plot(grid, density, "C0.-" if whole else "C0")
    ax.set(xlabel=rows.name, ylabel="density")


def _density_at(fit: Any, rows: Rows, grid: Any) -> Any:
    """The density of a row at each place of a grid, none outside the support; None where rows hold more than it."""
    if not rows.alone:
        return None
    inside = (rows.low < grid) & (grid < rows.high) | (
        rows.closed & ((grid == rows.low) | (grid == rows.high))
    )
    found = np.full(len(grid), np.nan)
    found[inside] = np.exp(fit.score_samples(**{**rows.others, rows.name: grid[inside]}))
    return found


def _scatter(ax: Any, fit: Any, rows: Rows) -> None:
    """Pairs, coloured by the most probable label if there is one, and around each component what holds its shares."""
    seen = rows.values[np.all(np.isfinite(rows.values), axis=1)]
    table = next(iter(rows.tables.values()), None)
    labels = np.zeros(len(rows.values), dtype=int) if table is None else np.argmax(table, axis=1)
    ax.scatter(*rows.values.T, s=8, c=[f"C{label % 10}" for label in labels], alpha=0.6)
    low, high = seen.min(axis=0), seen.max(axis=0)
    wide = 2 * _MARGIN * (high - low)
    x, y = np.meshgrid(*(np.linspace(a, b, _ACROSS) for a, b in zip(low - wide, high + wide, strict=True)))
    for number, density in enumerate(_components(fit, rows, np.stack([x.ravel(), y.ravel()], axis=1))):
        levels = np.unique([_level(density, share) for share in _SHARES])
        ax.contour(x, y, density.reshape(x.shape), levels=levels, colors=f"C{number % 10}", linewidths=1)
    ax.set(xlabel=f"{rows.name}[0]", ylabel=f"{rows.name}[1]")


def _components(fit: Any, rows: Rows, points: Any) -> list[Any]:
    """p(point, label) at points for every label; p(point) where there is none, nothing where rows hold more."""
    if not rows.alone:
        return []
    given = {**rows.others, rows.name: points}
    density = np.exp(fit.score_samples(**given))
    if not rows.tables:
        return [density]
    return list(density * getattr(fit.posterior_of(**given), next(iter(rows.tables))).T)


def _level(density: Any, share: float) -> float:
    """The height above which that share of the whole lies."""
    falling = np.sort(density)[::-1]
    total = np.cumsum(falling)
    return float(falling[np.searchsorted(total, share * total[-1])])


def _posterior(ax: Any, rows: Rows) -> None:
    """The probabilities of the first label: over the number if there is one a row, else row by row, sorted."""
    name, table = next(iter(rows.tables.items()))
    if rows.values.ndim == 1:
        order = np.argsort(rows.values)[:: max(1, len(table) // _MOST_ROWS)]
        ax.plot(rows.values[order], table[order], ".-", markersize=3)
        ax.set(xlabel=rows.name)
    else:
        order = np.lexsort((table.max(axis=1), np.argmax(table, axis=1)))[:: max(1, len(table) // _MOST_ROWS)]
        ax.stackplot(np.arange(len(order)), table[order].T)
        ax.set(xlabel="row, sorted")
    ax.set(ylabel=f"P({name} | data)", ylim=(-0.02, 1.02))
    ax.legend([f"{name} = {label}" for label in range(table.shape[1])], fontsize="small")
