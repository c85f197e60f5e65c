"""Rows that are the same: a number for each that tells it from others, and the rows in an order in which they lie together."""

from __future__ import annotations

from typing import Any

import numpy as np

#: An odd number whose multiples are spread over all of 64 bits (Steele, Lea & Flood 2014).
_ODD = np.uint64(0x9E3779B97F4A7C15)

#: So many numbers are read at a time.
_READ = 65_536


def _codes(columns: list[Any]) -> Any:
    """A number of 64 bits for every row: of one column its own bits, of several those of a sum that hardly ever is the
    same for different rows. Without columns all rows are the same.
    """
    tables = [each.reshape(len(each), -1) for each in columns]
    width = sum(each.shape[1] for each in tables)
    if width == 1:
        return _bits(tables[0][:, 0])
    odd = np.random.default_rng(0).integers(2**63, 2**64, width, dtype=np.uint64) | np.uint64(1)
    found = np.zeros(len(tables[0]), dtype=np.uint64)
    step = max(1, _READ // width)
    for first in range(0, len(found), step):
        start = 0
        for table in tables:
            bits = _bits(table[first : first + step])
            bits ^= bits >> np.uint64(32)
            bits *= _ODD
            bits ^= bits >> np.uint64(29)
            bits *= odd[start : start + bits.shape[1]]
            found[first : first + step] += bits.sum(axis=1, dtype=np.uint64)
            start += bits.shape[1]
    return found


def _bits(values: Any) -> Any:
    """The bits of numbers, those of 0 for -0."""
    plain = values + 0.0 if values.dtype == float else np.array(values, dtype=np.int64)
    return np.ascontiguousarray(plain).view(np.uint64)


def _n_distinct(codes: Any) -> int:
    """How many of the numbers differ; they are put in order."""
    codes.sort()
    return 1 + int(np.count_nonzero(codes[1:] != codes[:-1]))


def _together(columns: list[Any], length: int) -> tuple[Any, Any] | None:
    """An order of the rows in which those that are the same follow one another, and where each kind starts; None where
    the numbers do not tell all rows apart.
    """
    if not columns:
        return np.arange(length), np.zeros(1, dtype=int)
    codes = _codes(columns)
    order = np.argsort(codes)
    codes = codes[order]
    new = np.concatenate([[True], codes[1:] != codes[:-1]])
    starts = np.flatnonzero(new)
    if sum(each[0].size for each in columns) > 1 and not _are_same(columns, order, new):
        return None
    return order, starts


def _distinct_rows(table: Any) -> tuple[Any, Any]:
    """The rows of a table that differ, in order, and which of them each row is."""
    found = _together([table], len(table))
    if found is None:
        return np.unique(table, axis=0, return_inverse=True)
    order, starts = found
    rows = table[order[starts]]
    place = np.lexsort(rows.T[::-1])
    which = np.empty(len(table), dtype=int)
    which[order] = np.repeat(np.argsort(place), np.diff(starts, append=len(table)))
    return rows[place], which


def _are_same(columns: list[Any], order: Any, new: Any) -> bool:
    """Whether each row in this order is the same as the one before, but where a new kind starts."""
    for each in columns:
        table = each.reshape(len(each), -1)
        step = max(1, _READ // table.shape[1])
        for first in range(1, len(order), step):
            now, before = (
                order[first : first + step],
                order[first - 1 : first - 1 + step][: len(order) - first],
            )
            same = (table[now] == table[before]).all(axis=1)
            if not np.all(same | new[first : first + step]):
                return False
    return True
