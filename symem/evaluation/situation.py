"""Concrete data for a model: masks, sizes and extents read off the arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy import Symbol

from symem.errors import DataError
from symem.evaluation.specialise import Specialiser
from symem.language.ragged_plates import ragged_plates
from symem.runtime.description import Array
from symem.runtime.sequences import Ragged, _as_rectangles

Arrays = dict[str, Any]


def situation(model: Any, data: Mapping[str, Any], shapes: Mapping[str, Any]) -> Arrays:
    """Everything that the formulas of a model need besides parameters and latents.

    Args:
        model: what was declared.
        data: data and known arrays by declared name; NaN marks a missing entry.
        shapes: parameters by name (for sizes that only they show), or sizes by name.

    Raises:
    ------
    DataError
        An array is missing, or two arrays disagree about a size.
    """
    arrays: Arrays = {}
    for variable in (*model.data, *model.known):
        if variable.name not in data:
            raise DataError(f"No values for {variable.name}.")
        arrays.update(_observed(variable, np.asarray(data[variable.name])))
    sizes = sizes_shown(model, {**data, **shapes})
    return {**arrays, **sizes, **extents_shown(model, {**sizes, **arrays})}


def as_arrays(model: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """Data whose sequences of several lengths are given as a list, or as rows that say whose they are, as arrays."""
    plates = ragged_plates(model.variables, model.extents)
    ragged = [Ragged(each.lengths, str(each.largest), str(each.sequences), each.index) for each in plates]
    table = {
        each.name: Array(", ".join(map(str, (*each.sizes, *each.shape))), missing=each.missing)
        for each in (*model.data, *model.known)
    }
    return _as_rectangles(ragged, table, data) if ragged else dict(data)


def _observed(variable: Any, values: Any) -> Arrays:
    """The datum counted from 0 if it is a label, and where it was seen if it may be missing."""
    values = values - label_origin(variable)
    if not variable.missing:
        return {variable.name: values}
    seen = ~np.isnan(np.asarray(values, dtype=float)) & (values >= 0 if variable.support.discrete else True)
    return {variable.name: np.where(seen, values, 0), f"observed_{variable.name}": seen.astype(float)}


def label_origin(variable: Any) -> int:
    """What the user counts a label from."""
    return int(variable.support.first)


def sizes_shown(model: Any, arrays: Mapping[str, Any]) -> dict[str, int]:
    """The sizes among the arrays, and those that their axes show."""
    sizes = {each.name: int(arrays[each.name]) for each in model.sizes if each.name in arrays}
    for variable in (*model.data, *model.known, *model.parameters):
        slots = (*variable.sizes, *variable.shape)
        shape = np.shape(arrays.get(variable.name, np.zeros((0,) * len(slots))))
        if variable.name in arrays and len(shape) == len(slots):
            for size, length in zip(slots, shape, strict=True):
                if isinstance(size, Symbol) and sizes.setdefault(size.name, length) != length:
                    raise DataError(
                        f"{variable.name} has {length} entries where {size} is {sizes[size.name]}."
                    )
    return sizes


def extents_shown(model: Any, arrays: Mapping[str, Any]) -> dict[str, int]:
    """The largest value of each size that data show."""
    return {each.symbol.name: extent_of(each, arrays) for each in model.extents}


def extent_of(extent: Any, arrays: Mapping[str, Any]) -> int:
    """The largest value of an extent over its axes."""
    scope = Specialiser(arrays)
    positions = scope.positions([axis.limits for axis in reversed(extent.axes)], {}) if extent.axes else [{}]
    return max(scope.integer(extent.value, here) for here in positions)
