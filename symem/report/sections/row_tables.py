"""A table of formulas over the places of a plate, long ones cut short."""

from __future__ import annotations

from collections.abc import Sequence

from symem.language.plates import Axis
from symem.report.document import Prose, Table, said
from symem.report.notation.digits import decimals, fixed, single
from symem.report.sections.columns import Column
from symem.report.sections.estimates import ELLIPSIS
from symem.report.writer import Voice

MOST_ROWS = 12
SHOWN = 8
MOST_COLUMNS = 9


def row_table(axis: Axis, columns: Sequence[Column], caption: Prose, voice: Voice) -> Table:
    """A row for each place, a column for each formula, and the sums of those that are summed."""
    length = len(columns[0].values) if columns else 0
    kept = list(range(length)) if length <= MOST_ROWS else list(range(SHOWN))
    header = (said("@", voice.name(axis.index)), *(said("@", column.head) for column in columns))
    first = 0 if axis in voice.free.from_one.natural else 1
    cells = [_cells(column, kept) for column in columns]
    lines: list[tuple[Prose, ...]] = [
        ((str(row + first),), *((column[place],) for column in cells)) for place, row in enumerate(kept)
    ]
    if length > len(kept):
        lines.append(tuple(ELLIPSIS for _ in header))
    totals = [column.total is not None for column in columns]
    if any(totals):
        sums: list[Prose] = [() if column.total is None else (single(column.total),) for column in columns]
        lines.append((said("@", r"\textstyle\sum"), *sums))
    return Table(header, tuple(lines), caption=caption, totals=int(any(totals)))


def _cells(column: Column, kept: Sequence[int]) -> list[str]:
    values = [float(column.values[row]) for row in kept]
    if column.apart:
        return [single(value) for value in values]
    places = 0 if column.whole else decimals(values)
    return [fixed(value, places) for value in values]
