"""Rows that stand for many: what is the same is computed once, and counts as often as it is there.

Each distinct row stands for all that are like it. Where some of the data enter through their mean and covariance alone,
rows that are the same in all other data are replaced by a few that have these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.checks import _find_patterns
from symem.runtime.chunks import _cut, _places_of_rows
from symem.runtime.description import Cut, Data, Model, Unheld
from symem.runtime.distinct import _codes, _n_distinct, _together
from symem.runtime.sigma_points import _sigma_points

#: Starts are drawn on at most so many rows.
_ENOUGH = 20_000

#: Of fewer rows none are sought that are the same: those all of whose data must be, and others.
_FEWEST, _FEWEST_GROUPED = 2048, 256

#: So many numbers are taken at a time, and at most so many rows.
_NUMBERS, _ROWS = 262_144, 131_072

#: It pays to have at most this share of the rows in their place.
_PAYS = 0.5


class _Table(NamedTuple):
    """Arrays with their rows first, by name, and how often each row counts."""

    arrays: dict[str, Any]
    counts: Any


def _sampled(model: Model, data: Data, few: Cut) -> Cut:
    """Some of the rows, chosen at random, on which starts are drawn; all where these are held and not many."""
    rows = model.plates.rows
    if rows is None or not (isinstance(data, Unheld) or data[rows] > _ENOUGH):
        return few if few.counts is None else _cut(model, data)
    count = min(data[rows], _ENOUGH)
    chosen = np.sort(np.random.default_rng(0).choice(data[rows], count, replace=False))
    some = Data(data)
    some.update(data.taken(chosen))
    some[rows] = some.scale = count
    return _cut(model, some)


def _copied(data: Data, counts: Any = None) -> Data:
    """The same data, as far as they are not cut; how often each row counts."""
    other = Data(data)
    other.counts = counts
    other.given, other.slots, other.scale = data.given, data.slots, data.scale
    other.count, other.per_row = data.count, data.per_row
    return other


def _collapsed(model: Model, data: Data) -> Cut:
    """The data by fewer rows, where that pays, with their chunks."""
    arrays = _counted_arrays(model, data if model.plates.rows is None else data.given)
    found = _fewer(model, arrays, data.counts) if arrays else None
    return _standing_for(model, data, found) if found is not None else _cut(model, data, data.counts)


def _weighing(model: Model, data: Data, counts: Any) -> Data:
    """The data with rows that count so often."""
    found = _copied(data, counts)
    found.count = float(np.sum(counts))
    found.per_row = _places_of_rows(model, {**data, **data.given}, counts)
    if model.plates.rows is not None:
        found[model.plates.rows] = found.count
    return found


def _standing_for(model: Model, data: Data, table: _Table) -> Cut:
    """The data with the rows of a table in the place of theirs, which are as many as these count, with their chunks."""
    few, slots = _copied(data), _counted_slots(model)
    arrays = {name: np.moveaxis(array, 0, slots[name]) for name, array in table.arrays.items()}
    sizes: dict[str, int] = {}
    for name in model.patterns:
        _find_patterns(name, arrays, sizes)
        few[f"patterns_{name}"] = arrays.pop(f"patterns_{name}")
    few.update({**sizes, **arrays})
    return _cut(model, few, table.counts)


def _counted_slots(model: Model) -> dict[str, int]:
    """The arrays of which rows may count more than once, and the dimension of each along which these lie."""
    size, found = model.plates.rows or model.plates.counted, dict[str, int]()
    for name, spec in model.data.items():
        if size is not None and size in spec.shape:
            found[name] = spec.shape.index(size)
            found |= {f"observed_{name}": found[name]} if spec.missing else {}
    return found


def _counted_arrays(model: Model, held: Mapping[str, Any]) -> dict[str, Any]:
    """These arrays with their rows first; the numbers of patterns, which masks tell, are left out."""
    return {name: np.moveaxis(held[name], slot, 0) for name, slot in _counted_slots(model).items()}


def _fewer(model: Model, arrays: dict[str, Any], counts: Any = None) -> _Table | None:
    """A table that stands for the rows of the arrays, which count once or so often; None where it would not be much
    shorter.
    """
    stock = _Stock(model)
    if not stock.may_be_few(arrays):
        return None
    length = len(next(iter(arrays.values())))
    width = sum(each[0].size for each in arrays.values())
    step = min(_ROWS, max(4096, _NUMBERS // width))
    for first in range(0, length, step):
        part = {name: each[first : first + step] for name, each in arrays.items()}
        if not stock.take(part, None if counts is None else counts[first : first + step]):
            return None
    return stock.table()


class _Stock:
    """The rows taken so far, by fewer that stand for them."""

    def __init__(self, model: Model, most: float = np.inf) -> None:
        finite = (name for name in model.condensed if not model.data[name].kind.startswith("extended"))
        self._condensed, self._weights, self._most = tuple(finite), model.weights, most
        self._parts: list[_Table] = []
        self._short = self._seen = 0

    def may_be_few(self, arrays: dict[str, Any]) -> bool:
        """Whether it is worth while to look for rows that are the same, by a look at some of them."""
        keys, length = self._keys(arrays), len(next(iter(arrays.values())))
        if not keys:
            return True
        if length < (_FEWEST_GROUPED if self._condensed else _FEWEST):
            return False
        step = 1 if self._condensed else min(16, length // _FEWEST_GROUPED)
        codes = _codes([each[::step] for each in keys])
        return _n_distinct(codes) <= _PAYS * len(codes)

    def take(self, arrays: dict[str, Any], counts: Any = None) -> bool:
        """Take some rows, which count once or so often; False where there are too many that differ, so that no more need
        be taken.
        """
        length = len(next(iter(arrays.values())))
        self._seen += length
        self._parts.append(_Table(arrays, np.ones(length) if counts is None else counts))
        if sum(len(part.counts) for part in self._parts) - self._short >= min(_ROWS, self._short + length):
            return self._merged() and self._short <= min(self._most, max(_ROWS, _PAYS * self._seen))
        return True

    def table(self) -> _Table | None:
        """What stands for all of them; None where it is not much shorter."""
        if not self._merged() or self._short > _PAYS * self._seen:
            return None
        return self._parts[0]

    def _merged(self) -> bool:
        """All parts as one table; False where its rows could not be told apart."""
        names = self._parts[0].arrays
        whole = _Table(
            {name: np.concatenate([part.arrays[name] for part in self._parts]) for name in names},
            np.concatenate([part.counts for part in self._parts]),
        )
        found = self._shortened(whole)
        self._parts = [] if found is None else [found]
        self._short = 0 if found is None else len(found.counts)
        return found is not None

    def _keys(self, arrays: dict[str, Any]) -> list[Any]:
        """What must be the same in rows for which one stands."""
        return [each for name, each in arrays.items() if name not in (*self._condensed, *self._weights)]

    def _shortened(self, table: _Table) -> _Table | None:
        arrays, counts = table
        found = _together(self._keys(arrays), len(counts))
        if found is None:
            return None
        order, starts = found
        counts = counts[order]
        if self._condensed:
            return self._by_points(arrays, counts, order, starts)
        total = np.add.reduceat(counts, starts)
        rows = {name: each[order[starts]] for name, each in arrays.items() if name not in self._weights}
        for name in self._weights:
            rows[name] = np.add.reduceat(arrays[name][order] * counts, starts) / total
        return _Table(rows, total)

    def _by_points(self, arrays: dict[str, Any], counts: Any, order: Any, starts: Any) -> _Table:
        """In each group the numbers that enter through mean and covariance by points that have these."""
        tables = {name: arrays[name].reshape(len(order), -1) for name in self._condensed}
        rows = np.concatenate(list(tables.values()), axis=1)[order]
        group, points, counts = _sigma_points(rows, counts, starts)
        first = order[starts][group]
        found = {name: each[first] for name, each in arrays.items() if name not in self._condensed}
        start = 0
        for name, table in tables.items():
            stop = start + table.shape[1]
            found[name] = points[:, start:stop].reshape(-1, *arrays[name].shape[1:])
            start = stop
        return _Table(found, counts)
