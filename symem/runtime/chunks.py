"""Data as they were given, checked and cut into chunks of rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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
from symem.runtime.description import Data, Model, NaturalForm, Rows
from symem.runtime.loop import DataError
from symem.runtime.monomials import _blocks, _put_features
from symem.runtime.reference import _point


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
    arrays = {name: _as_array(name, given[name], spec) for name, spec in table.items()}
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


def _prepare(
    model: Model,
    given: Mapping[str, Any],
    theta: Any,
    points: Mapping[str, Any] | None = None,
    *,
    every_row: bool = False,
) -> Data:
    """Check the data, read the sizes off them, and cut them into chunks.

    Reference points may be those of other data; `every_row`: also rows that count 0 times are asked about.
    """
    asked = [name for name in (*model.plates.sizes, *model.plates.shown_sizes) if name not in model.data]
    sizes = _checked_sizes({name: given[name] for name in asked if name in given})
    given = {name: value for name, value in given.items() if name not in sizes}
    _check_names(given, model.data, "an array")
    arrays = {name: _as_array(name, given[name], spec) for name, spec in model.data.items()}
    stated = {} if theta is None else {name: np.asarray(each) for name, each in theta._asdict().items()}
    _sizes_of({**stated, **arrays}, {**model.parameters, **model.data}, sizes)
    _refuse_no_covariances(model.data, arrays)
    _require_sizes(sizes, model.plates.sizes)
    if not every_row:
        _stand_in(model, arrays)
    _finish(arrays, model.data, sizes)
    for name in model.patterns:
        _find_patterns(name, arrays, sizes)
    if model.parts.check is not None:
        model.parts.check(arrays, sizes)
    data = Data({**sizes, **arrays})
    for each in model.references:
        axis = model.data[each.data].shape.index(model.plates.rows)
        point = None if points is None else points.get(each.point)
        data[each.point] = _point(each.function(data[each.data]), axis) if point is None else point
    scale = model.plates.rows if model.plates.scale is None else model.plates.scale
    data.scale = sizes[scale] if isinstance(scale, str) else int(scale or 1)
    return _cut(model, data)


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


def _cut(model: Model, data: Data) -> Data:
    """The data with their chunks; no array with rows is left among what rows share."""
    slots = _row_slots(model, data)
    arrays = data.given = {name: data.pop(name) for name in slots}
    count = 1 if model.plates.rows is None else data[model.plates.rows]
    natural = model.natural
    blocks = () if natural is None else _blocks(natural, _chunk(model, data, arrays, slots, slice(0, 1)))
    width = _numbers_per_row(model, data) + (blocks[-1].stop if blocks else 1)
    length = count if model.plates.rows is None else _chunk_length(count, width)
    parts = (slice(first, min(first + length, count)) for first in range(0, count, length))
    data.chunks = tuple(_chunk(model, data, arrays, slots, part) for part in parts)
    if natural is not None:
        _give_features(natural, data, blocks)
    if model.parts.sums is not None:
        sums = [model.parts.sums(rows) for rows in data.chunks]
        data.update({name: sum(part[name] for part in sums) for name in sums[0]})
    return data


def _chunk(
    model: Model, data: Data, arrays: Mapping[str, Any], slots: Mapping[str, int], part: slice
) -> Rows:
    """Some of the rows: their arrays, with what all rows share and what is computed once."""
    rows = Rows(data)
    rows.first, rows.length = part.start, part.stop - part.start
    for name, array in arrays.items():
        rows[name] = _rows_last(model, name, array[(slice(None),) * slots[name] + (part,)])
    for each in model.references:
        slot = slots[each.data] + model.data[each.data].entries
        rows[each.about] = each.function(rows[each.data]) - np.expand_dims(data[each.point], slot)
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


def _rows_last(model: Model, name: str, array: Any) -> Any:
    """A chunk of vectors or matrices with its entries first."""
    entries = model.data[name].entries if name in model.data else 0
    if not entries:
        return array
    return np.ascontiguousarray(np.moveaxis(array, range(-entries, 0), range(entries)))


def _numbers_per_row(model: Model, sizes: Mapping[str, Any]) -> int:
    """How many numbers a row takes in tables and data."""
    return sum(math.prod(int(sizes.get(size, size)) for size in shape) for shape in model.plates.tables)


def _give_features(natural: NaturalForm, data: Data, blocks: tuple[Any, ...]) -> None:
    """Room for the labels of a chunk and for its features: its own, or where these have entries one for all chunks."""
    length, width = data.chunks[0].length, blocks[-1].stop
    labels = np.empty((*(data.get(size, size) for size in natural.labels), length))
    shared = np.empty((width, length)) if any(block.entries for block in blocks) else None
    for rows in data.chunks:
        rows.blocks, rows.shares_room, rows.buffer = blocks, shared is not None, labels[..., : rows.length]
        rows.features = np.empty((width, rows.length)) if shared is None else shared[:, : rows.length]
        _put_features(rows)
        if natural.exact_form:
            rows.peaks = np.maximum(rows.features.max(axis=1), -rows.features.min(axis=1))
