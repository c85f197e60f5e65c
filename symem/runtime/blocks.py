"""Data that come in blocks of rows, anew in every pass: only one block is held at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.chunks import (
    _added_up,
    _checked,
    _chunk,
    _lay_out,
    _parts,
    _room_for,
    _row_slots,
    _views,
    _with_features,
)
from symem.runtime.collapse import _counted_arrays, _standing_for, _Stock, _Table
from symem.runtime.description import Cut, Data, Model, Rows, Unheld
from symem.runtime.loop import DataError
from symem.runtime.reference import _FEW_FOR_A_POINT, _point
from symem.runtime.sequences import _as_wide
from symem.runtime.wording import _counted_place, _Words

#: What gives the blocks, each a dict of arrays by declared name, whenever it is called.
Source = Callable[[], Iterable[Mapping[str, Any]]]

#: So many rows that stand for all are held at most.
_MOST_HELD = 1_048_576


class _Seen(NamedTuple):
    """What a first look at some blocks shows.

    The rows of each block by its number, all of them as often as they count, and their places; sizes, and the largest of those that
    values show; what all rows share; the patterns that occur; every `stride`-th row of the arrays that are measured
    from a point, and the first row of every array.
    """

    rows: dict[int, int]
    weight: float
    places: float
    sizes: dict[str, int]
    shown: dict[str, int]
    shared: dict[str, Any]
    patterns: dict[str, Any]
    stride: int
    some: dict[str, Any]
    one: dict[str, Any]


def _settle(data: Unheld, model: Model, seen: _Seen) -> None:
    """What follows from a look at all rows: sizes, patterns, points near the data."""
    rows = sum(seen.rows.values())
    data.update({**seen.shared, **seen.shown, str(model.plates.rows): rows})
    for name, patterns in seen.patterns.items():
        data.update({f"patterns_{name}": patterns, f"n_patterns_{name}": len(patterns)})
    data.slots = _row_slots(model, seen.one)
    for each in model.references:
        data[each.point] = _point(each.function(seen.some[each.data]), data.slots[each.data])
    data.count, data.per_row = seen.weight, seen.places / seen.weight
    data.scale = rows if isinstance(model.plates.scale, str | None) else int(model.plates.scale)


class _Blocks(Unheld):
    """What all rows share, and their chunks, made when they are reached; a first pass looks at the blocks."""

    def __init__(self, model: Model, source: Source, shared: Mapping[str, Any], theta: Any) -> None:
        super().__init__()
        if not callable(source):
            raise DataError(
                f"The source of the data is a function that gives its blocks anew in every pass, not {type(source).__name__}."
            )
        self._model, self._source, self._shared, self._theta = model, source, dict(shared), theta
        self._rows, self._looked_at = _plate_of_rows(model), False
        seen, table = self._look()
        _settle(self, model, seen)
        self._shared.update(seen.shown)
        self._looked_at, self._is_whole = True, False
        _lay_out(
            model, self, _chunk(model, self, _views(model, self, seen.one), slice(0, 1)), self[self._rows]
        )
        self._room, self._peaks = _room_for(self), dict[int, Any]()
        self.chunks = _Anew(self._each)
        #: Rows that stand for all, where these are few; else the chunks as they are reached.
        self.few: Cut = self if table is None else _standing_for(model, self, table)

    def _blocks(self) -> Iterator[tuple[int, Data]]:
        """The blocks as arrays, each with the number of its first row; those of the first pass are checked."""
        first, known = 0, self if self._looked_at else None
        for number, given in enumerate(self._source()):
            block = _checked_block(self._model, number, given, self._shared, self._theta, known)
            yield first, block
            first += block[self._rows]
        if known is not None and first != known[self._rows]:
            raise DataError(
                f"The source gave {first} rows after {known[self._rows]}: it must give all anew in every pass."
            )

    def _look(self) -> tuple[_Seen, _Table | None]:
        seen: _Seen | None = None
        stock: _Stock | None = _Stock(self._model, _MOST_HELD)
        for number, (_, block) in enumerate(self._blocks()):
            part = _seen_in(self._model, block, number)
            stock = _with_rows_of(stock, _counted_arrays(self._model, block), number)
            seen = part if seen is None else _seen_together(self._model, seen, part)
        if seen is None:
            raise DataError("The source gives no block: it must give them anew whenever it is called.")
        return seen, None if stock is None else stock.table()

    def _each(self) -> Iterator[Rows]:
        """The chunks of all blocks; what is taken of them once is taken in the first pass."""
        model, constant, sums = self._model, 0.0, list[Mapping[str, Any]]()
        for first, block in self._blocks():
            views = _views(model, self, {name: block[name] for name in self.slots})
            for part in _parts(block[self._rows], self.length):
                rows = _chunk(model, self, views, part, self._room)
                rows.first += first
                _with_features(model, self, rows, self._room, self._peaks.get(rows.first))
                self._peaks[rows.first] = rows.peaks
                constant += rows.constant
                if model.parts.sums is not None and not self._is_whole:
                    sums = [_added_up([*sums, model.parts.sums(rows)])]
                yield rows
        self.constant, self._is_whole = constant, True
        self.update(*sums)

    def taken(self, chosen: Any) -> dict[str, Any]:
        """These rows of every array, by their numbers in ascending order: a pass over the blocks."""
        found = []
        for first, block in self._blocks():
            low, high = np.searchsorted(chosen, [first, first + block[self._rows]])
            found.append(_rows_of(self.slots, block, chosen[low:high] - first))
        return _joined(self.slots, found)


def _with_rows_of(stock: _Stock | None, arrays: dict[str, Any], number: int) -> _Stock | None:
    """What stands for the rows so far and those of a block; None where these are too many that differ."""
    if stock is None:
        return None
    return stock if (number or stock.may_be_few(arrays)) and stock.take(arrays) else None


class _Anew:
    """What begins anew whenever it is gone through."""

    def __init__(self, made: Callable[[], Iterator[Rows]]) -> None:
        self._made = made

    def __iter__(self) -> Iterator[Rows]:
        return self._made()


def _plate_of_rows(model: Model) -> str:
    if model.plates.rows is None:
        raise DataError(
            "The data of this model have no rows that could come in blocks: give all data at once."
        )
    return model.plates.rows


def _as_mapping(model: Model, block: Any) -> Mapping[str, Any]:
    if not isinstance(block, Mapping):
        names = ", ".join(model.data)
        raise DataError(f"it is a {type(block).__name__}: give a dict of arrays, by the names {names}.")
    return block


def _checked_block(
    model: Model, number: int, given: Any, shared: Mapping[str, Any], theta: Any, known: Any
) -> Data:
    """A block as arrays, beside what all share.

    Raises:
        DataError: what is wrong with it; the message has its number.
    """
    try:
        return _checked(model, {**shared, **_as_mapping(model, given)}, theta, known=known)
    except DataError as error:
        raise DataError(_Words(f"{_counted_place('Block', number)}: ", str(error))) from None


def _seen_in(model: Model, block: Data, number: int) -> _Seen:
    """What a first look at a block shows."""
    slots, rows = _row_slots(model, block), block[str(model.plates.rows)]
    sizes = {each for spec in model.data.values() for each in spec.shape if isinstance(each, str)}
    measured = {each.data: slots[each.data] for each in model.references}
    stride = 1 << (rows // (2 * _FEW_FOR_A_POINT)).bit_length()
    return _Seen(
        rows={number: rows},
        weight=block.count,
        places=block.count * block.per_row,
        sizes={name: block[name] for name in sizes - {model.plates.rows}},
        shown={name: block[name] for name in model.plates.shown_sizes},
        shared={name: value for name, value in block.items() if name not in slots},
        patterns={name: block[f"patterns_{name}"] for name in model.patterns},
        stride=stride,
        some=_rows_of(measured, block, slice(None, None, stride)),
        one=_rows_of(slots, block, slice(0, 1)),
    )


def _seen_together(model: Model, a: _Seen, b: _Seen) -> _Seen:
    """What is seen in two parts of the blocks.

    Raises:
        DataError: they are not of the same sizes.
    """
    for name, size in a.sizes.items():
        if name not in a.shown and b.sizes[name] != size:
            raise DataError(
                f"{_counted_place('Block', min(b.rows))} says that {name} is {b.sizes[name]}, but the first says {size}."
            )
    slots, stride = _row_slots(model, a.some), max(a.stride, b.stride)
    held = _row_slots(model, a.one)
    some = _joined(
        slots, [_rows_of(slots, each.some, slice(None, None, stride // each.stride)) for each in (a, b)]
    )
    many = any(some[name].shape[slot] > 2 * _FEW_FOR_A_POINT for name, slot in slots.items())
    return a._replace(
        rows={**a.rows, **b.rows},
        weight=a.weight + b.weight,
        places=a.places + b.places,
        shown={name: max(size, b.shown[name]) for name, size in a.shown.items()},
        patterns={name: np.unique([*each, *b.patterns[name]], axis=0) for name, each in a.patterns.items()},
        stride=2 * stride if many else stride,
        some=_rows_of(slots, some, slice(None, None, 2)) if many else some,
        one={name: _as_wide([a.one[name], b.one[name]], slot)[0] for name, slot in held.items()},
    )


def _rows_of(slots: Mapping[str, int], arrays: Mapping[str, Any], which: Any) -> dict[str, Any]:
    """Copies of these rows of every array that has a slot."""
    return {name: np.array(arrays[name][(slice(None),) * slot + (which,)]) for name, slot in slots.items()}


def _joined(slots: Mapping[str, int], parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The rows of all parts in their order."""
    return {
        name: np.concatenate(_as_wide([part[name] for part in parts], slot), slot)
        for name, slot in slots.items()
    }
