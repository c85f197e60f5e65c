"""What is believed of the latents: the probabilities of a label by value or by row, posterior means with their spread."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symem.report.figures.chart import Band, Bars, Chart, Dots, Line, Mark, ink
from symem.report.figures.data_charts import dots_by_label, grid_of, is_count, legend
from symem.report.figures.shown import Shown, means, plain

#: Rows that are drawn as bars.
MOST_BARS = 40


def posterior_chart(shown: Shown) -> Chart | None:
    """The probabilities of a label: over the number if it is all that a row holds, else row by row."""
    if shown.table is None:
        return None
    number = shown.number
    if number is not None and shown.alone and shown.of_rows[number].ndim == 1:
        values = plain(shown.few[number])
        marks, across, whole = (
            list(_over_the_number(shown, values)),
            shown.names.number(number),
            is_count(shown),
        )
    else:
        few = len(shown.table[1]) <= MOST_BARS
        return rows_chart(shown) if few else _stacked(shown, "rows, sorted by their label")
    return _probabilities(shown, marks, across, whole=whole)


def rows_chart(shown: Shown) -> Chart | None:
    """The probabilities of a label row by row, a bar for each, if they are few."""
    if shown.table is None or len(shown.table[1]) > MOST_BARS:
        return None
    _, table, _ = shown.table
    first = shown.names.first_row
    at = np.arange(first, first + len(table))
    base = np.vstack([np.zeros(len(table)), np.cumsum(table.T, axis=0)])
    marks = [Bars(at - 0.42, at + 0.42, table[:, k], base[k], ink(k), 0.75) for k in range(table.shape[1])]
    return _probabilities(shown, marks, shown.names.row, whole=True)


def _stacked(shown: Shown, across: str) -> Chart:
    """One above the other, the rows in the order of their labels."""
    assert shown.table is not None
    _, table, _ = shown.table
    order = np.lexsort((-table.max(axis=1), np.argmax(table, axis=1)))
    ends = np.hstack([np.zeros((len(table), 1)), np.cumsum(table[order], axis=1)])
    at = np.arange(len(order))
    marks = [Band(at, ends[:, k], ends[:, k + 1], ink(k), 0.75) for k in range(table.shape[1])]
    return _probabilities(shown, marks, across, whole=False)


def _probabilities(shown: Shown, marks: list[Any], across: str, *, whole: bool) -> Chart:
    assert shown.table is not None
    name, table, names = shown.table
    return Chart(
        marks,
        across,
        shown.names.probability(name),
        title="Posterior",
        words=f"For each of {len(table)} rows the posterior probabilities of {name}.",
        legend=legend(names),
        whole=whole,
        low=-0.02,
        high=1.02,
    )


def _over_the_number(shown: Shown, values: Any) -> Iterator[Mark]:
    """A curve for each outcome, with a dot at every datum."""
    assert shown.table is not None
    _, table, _ = shown.table
    across, first = np.unique(values, return_index=True)
    kept = np.isfinite(across)
    grid = grid_of(shown, across[kept])
    curves = shown.shares(grid)
    for k in range(table.shape[1]):
        yield Dots(across[kept], table[first[kept], k], ink(k), 1.8)
        yield Line(grid, curves[:, k], ink(k), 1.3)


def latents_chart(shown: Shown) -> Chart | None:
    """Posterior means: by place with two standard deviations, or pairs as points."""
    found = means(shown)
    if found is None:
        return None
    name, table, spread = found
    if table.shape[1] >= 2:
        pairs = table[:, :2]
        same = len(shown.labels) == len(pairs)
        marks = (
            list(dots_by_label(shown, pairs))
            if same
            else [Dots(pairs[:, 0], pairs[:, 1], ink(0), opacity=0.6)]
        )
        across, up = (shown.names.mean(shown.names.entry(name, (k,))) for k in (0, 1))
        return Chart(
            marks, across, up, title="Posterior means", words=f"{len(pairs)} posterior means of {name}."
        )
    first = shown.names.first_row
    at, mean = np.arange(first, first + len(table)), table[:, 0]
    dots = Dots(at, mean, ink(0), 2.6 if len(table) <= MOST_BARS else 1.6)
    return Chart(
        [*_spread(at, mean, spread), dots],
        shown.names.index_of(name),
        shown.names.mean(name) + (" ± 2 sd" if spread is not None else ""),
        title="Posterior means",
        words=f"{len(table)} posterior means of {name}"
        + (", each with two standard deviations to both sides." if spread is not None else "."),
        whole=True,
    )


def _spread(at: Any, mean: Any, spread: Any) -> Iterator[Mark]:
    """Two standard deviations to both sides: strokes, or of many places a band."""
    if spread is None:
        return
    low, high = mean - 2 * spread[:, 0], mean + 2 * spread[:, 0]
    if len(at) > MOST_BARS:
        yield Band(at, low, high, ink(0))
        return
    gap = np.full(len(at), np.nan)
    strokes = (np.column_stack([at, at, gap]).ravel(), np.column_stack([low, high, gap]).ravel())
    yield Line(*strokes, ink(0), 1.5)
