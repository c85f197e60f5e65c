"""Data as they were given, checked and cut into chunks of rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.checks import (
    _as_array,
    _check_names,
    _check_simplex,
    _checked_sizes,
    _chunk_length,
    _find_patterns,
    _finish,
    _refuse_no_covariances,
    _require_sizes,
    _sizes_of,
)
from symem.runtime.description import Cut, Data, Model, Rows
from symem.runtime.loop import DataError
from symem.runtime.monomials import _blocks, _put_features
from symem.runtime.reference import _point
from symem.runtime.sequences import _as_rectangles

#: Features of so many numbers are kept; of more rows they are made anew in every pass, as memory would grow with them.
_KEPT = 524_288


def _as_parameters(model: Model, theta: Any) -> Any:
    """A dict or a named tuple as parameters, every entry checked against its support; numbers as those of NumPy, which
    divide by 0.
    """
    table = model.parameters
    given = theta._asdict() if hasattr(theta, "_asdict") else theta
    if not isinstance(given, Mapping):
        raise DataError(
            f"Parameters are a dict or a named tuple of {', '.join(table)}: {type(theta).__name__} was given."
        )
    _check_names(given, table, "a parameter")
    arrays = {name: _as_array(name, given[name], spec, of_data=False) for name, spec in table.items()}
    _refuse_no_covariances(table, arrays)
    for name, spec in table.items():
        if spec.kind == "simplex" and arrays[name].ndim:
            _check_simplex(name, arrays[name], spec.simplex_axes)
    for names in model.simplexes:
        _check_simplex(" + ".join(names), np.array([arrays[name] for name in names]), 1)
    return model.steps.Parameters(**{name: array[()] for name, array in arrays.items()})


def _as_record(record: Any, theta: Any) -> Any:
    """Parameters that were given as a dict, as arrays in the record of parameters."""
    return theta if isinstance(theta, record) else record(**{name: np.asarray(theta[name]) for name in theta})


def _prepare(model: Model, given: Mapping[str, Any], theta: Any, *, every_row: bool = False) -> Cut:
    """Check the data, read the sizes off them, and cut them into chunks.

    `every_row`: also rows that count 0 times are asked about.
    """
    return _cut(model, _uncut(model, given, theta, every_row=every_row))


def _uncut(model: Model, given: Mapping[str, Any], theta: Any, *, every_row: bool = False) -> Data:
    """The data checked, with their sizes and points near them, not cut yet."""
    data = _checked(model, given, theta, every_row=every_row)
    for each in model.references:
        axis = model.data[each.data].shape.index(model.plates.rows)
        data[each.point] = _point(each.function(data[each.data]), axis)
    return _taken_out(model, data)


def _checked(
    model: Model,
    given: Mapping[str, Any],
    theta: Any,
    *,
    every_row: bool = False,
    known: Mapping[str, Any] | None = None,
) -> Data:
    """The data as arrays of floats, labels and masks, with their sizes; of `known` data, the values were looked at.

    Where posteriors are asked for, each row may come without its weight: it says nothing of them.
    """
    given = _as_rectangles(model.plates.ragged, model.data, given)
    asked = [name for name in (*model.plates.sizes, *model.plates.shown_sizes) if name not in model.data]
    sizes = _checked_sizes({name: given[name] for name in asked if name in given})
    given = {name: value for name, value in given.items() if name not in sizes}
    once = [name for name in model.weights if every_row and name not in given]
    _check_names({**dict.fromkeys(once), **given}, model.data, "an array", asked)
    arrays = {
        name: _as_array(name, given[name], spec, looked_at=known is not None)
        for name, spec in model.data.items()
        if name not in once
    }
    stated = {} if theta is None else {name: np.asarray(each) for name, each in theta._asdict().items()}
    _sizes_of({**stated, **arrays}, {**model.parameters, **model.data}, sizes)
    if known is None:
        _refuse_no_covariances(model.data, arrays)
    _require_sizes(sizes, model.plates.sizes)
    for name in once:
        shape = model.data[name].shape
        _require_sizes(sizes, tuple(size for size in shape if isinstance(size, str)))
        arrays[name] = np.ones([sizes.get(str(size), size) for size in shape])
    if not every_row:
        _stand_in(model, arrays)
    _finish(arrays, model.data, sizes)
    for name in model.patterns:
        _find_patterns(name, arrays, sizes, known)
    if model.parts.check is not None and known is None:
        model.parts.check(arrays, sizes)
    data = Data({**sizes, **arrays})
    scale = model.plates.rows if model.plates.scale is None else model.plates.scale
    data.scale = sizes[scale] if isinstance(scale, str) else int(scale or 1)
    counts = [data[name] for name in model.weights]
    data.count = float(np.sum(np.prod(counts, axis=0))) if counts else data.scale
    data.per_row = _places_of_rows(model, data, np.prod(counts, axis=0) if counts else None)
    return data


def _places_of_rows(model: Model, data: Mapping[str, Any], counts: Any) -> float:
    """How many places of a chain a row has: of sequences of several lengths on average, each as often as it counts."""
    lengths = {each.largest: each.lengths for each in model.plates.ragged}
    found = 1.0
    for place in model.plates.places:
        own = data.get(lengths.get(place, place), place)
        found *= float(np.average(own, weights=counts)) if np.ndim(own) else own
    return found


def _stand_in(model: Model, arrays: dict[str, Any]) -> None:
    """Rows that count 0 times hold what the first other row holds: 0 times what it gives is 0, as it would not be of a
    row so far away that it gives no number.
    """
    for name in model.weights:
        absent = arrays[name] == 0
        if not np.any(absent) or np.all(absent):
            continue
        for each, slot in _row_slots(model, arrays).items():
            if each not in model.weights:
                rows = np.moveaxis(np.array(arrays[each]), slot, 0)
                rows[absent] = rows[np.argmin(absent)]
                arrays[each] = np.moveaxis(rows, 0, slot)


def _taken_out(model: Model, data: Data) -> Data:
    """The data; no array with rows is left among what rows share."""
    slots = _row_slots(model, data)
    if slots:
        data.slots, data.given = slots, {name: data.pop(name) for name in slots}
    return data


def _cut(model: Model, whole: Data, counts: Any = None) -> Cut:
    """The data in chunks of rows, which count so often."""
    whole = _taken_out(model, whole)
    data = Cut(whole)
    data.given, data.slots, data.scale = whole.given, whole.slots, whole.scale
    data.count, data.per_row = whole.count, whole.per_row
    data.counts = counts
    count = next((data.given[name].shape[slot] for name, slot in data.slots.items()), 1)
    views = _views(model, data, data.given)
    _lay_out(model, data, _chunk(model, data, views, slice(0, 1)), count)
    parts = _parts(count, data.length)
    room = _room_for(data) if data.layout and data.layout[-1].stop * count > _KEPT else None
    data.chunks = chunks = tuple(
        _with_features(model, data, _chunk(model, data, views, part), room) for part in parts
    )
    for rows in chunks:
        rows.shares_room = room is not None and len(chunks) > 1
    data.constant = sum(rows.constant for rows in chunks)
    if model.parts.sums is not None:
        data.update(_added_up([model.parts.sums(rows) for rows in chunks]))
    return data


def _lay_out(model: Model, data: Cut, one: Rows, count: int) -> None:
    """How long the chunks of so many rows are, where the features of each lie, and room for their labels: as in one row."""
    natural = model.natural
    data.layout = () if natural is None else _blocks(natural, one)
    width = _numbers_per_row(model, data) + (data.layout[-1].stop if data.layout else 1)
    data.length = count if model.plates.rows is None else _chunk_length(count, width)
    if natural is not None:
        data.places = {block.names[0]: block for block in data.layout if len(block.names) == 1}
        data.labels = np.empty((*(data.get(size, size) for size in natural.labels), _longest(data.length)))


def _room_for(data: Cut, length: int | None = None) -> Any:
    """Room for the features of so many rows, or of any chunk, with those that are 1 in it; None where there are no features."""
    if not data.layout:
        return None
    room = np.empty((data.layout[-1].stop, length or _longest(data.length)))
    for block in data.layout:
        if not block.names:
            room[block.start : block.stop] = 1.0
    return room


def _longest(length: int) -> int:
    """The most rows of a chunk that is about so long."""
    return length + length // 8


def _parts(count: int, length: int) -> Iterator[slice]:
    """So many rows, cut into equal parts of about that length: at most an eighth over it, so that none is left over."""
    parts = max(1, count // length)
    parts += count > parts * _longest(length)
    return (slice(count * each // parts, count * (each + 1) // parts) for each in range(parts))


def _added_up(sums: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: sum(part[name] for part in sums) for name in sums[0]}


class _View(NamedTuple):
    """An array of rows, what stands before the rows among its dimensions, and whether it is laid out late."""

    name: str
    array: Any
    before: tuple[Any, ...]
    late: bool


def _views(model: Model, data: Data, arrays: Mapping[str, Any]) -> list[_View]:
    """Arrays as they are cut, the entries of vectors and matrices before their rows."""
    found = []
    for name, array in arrays.items():
        entries = model.data[name].entries if name in model.data else 0
        before = (slice(None),) * (data.slots[name] + entries)
        last = range(array.ndim - entries, array.ndim)
        found.append(_View(name, array.transpose(*last, *range(last.start)), before, entries > 0))
    return found


def _chunk(model: Model, data: Cut, views: list[_View], part: slice, room: Any = None) -> Rows:
    """Some of the rows: their arrays, with what all rows share and what is computed once. What is a feature as it is, is
    written into this room for features.
    """
    rows, befores = Rows(data), {}
    rows.first, rows.length, rows.references = part.start, part.stop - part.start, model.references
    if data.counts is not None:
        rows.counts = data.counts if model.plates.rows is None else data.counts[part]
    rows.count = rows.length if rows.counts is None else float(np.sum(rows.counts))
    for name, array, before, late in views:
        (rows.late if late else rows)[name] = array[(*before, part)]
        befores[name] = before
    for each in model.references:
        cut = rows.late.get(each.data)
        about = each.function(rows[each.data] if cut is None else cut)
        point = np.asarray(data[each.point])[(*befores[each.data], None)]
        place = None if room is None else data.places.get(each.about)
        if place is None:
            rows[each.about] = np.subtract(about, point, order="C")
        else:
            out = room[place.start : place.stop, : rows.length].reshape(about.shape)
            rows[each.about] = np.subtract(about, point, out=out)
            rows.placed |= {place.names}
    if model.parts.prepare is not None:
        made = model.parts.prepare(rows)
        rows.update(made)
        rows.constant = sum(abs(float(each)) for each in made.values() if np.ndim(each) == 0)
    return rows


def _row_slots(model: Model, arrays: Mapping[str, Any]) -> dict[str, int]:
    """The dimension of each array along which its rows lie; masks and patterns are cut as their arrays are."""
    slots: dict[str, int] = {}
    for name, spec in model.data.items():
        if model.plates.rows is not None and model.plates.rows in spec.shape:
            slots[name] = spec.shape.index(model.plates.rows)
            if spec.missing:
                slots |= {f"observed_{name}": slots[name], f"pattern_{name}": 0}
    return {name: slot for name, slot in slots.items() if name in arrays}


def _numbers_per_row(model: Model, sizes: Mapping[str, Any]) -> int:
    """How many numbers a row takes in tables and data."""
    return sum(math.prod(int(sizes.get(size, size)) for size in shape) for shape in model.plates.tables)


def _with_features(model: Model, data: Cut, rows: Rows, room: Any, peaks: Any = None) -> Rows:
    """The chunk with room for its labels, and with its features, in this room or in its own; their peaks may be known."""
    if model.natural is None:
        return rows
    rows.blocks, rows.buffer, rows.placed = data.layout, data.labels[..., : rows.length], rows.placed | {()}
    room = _room_for(data, rows.length) if room is None else room
    rows.features = room[:, : rows.length]
    _put_features(rows)
    if model.natural.exact_form:
        rows.peaks = _peaks(rows.features) if peaks is None else peaks
    return rows


def _peaks(features: Any) -> Any:
    """The largest size of each feature."""
    return np.maximum(features.max(axis=1), -features.min(axis=1))
