"""Entries of arrays, and matrices in numbers: stacks of them in arrays whose last two axes are rows and columns.

The axes before these broadcast like those of numbers, so that a stack of matrices stands where a stack of
numbers may.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def pick(array: Any, index: tuple[Any, ...]) -> Any:
    """array[index] for index arrays; positions outside the array give NaN, never a wrapped entry.

    Axes that the index leaves open, those of vectors and matrices, follow.
    """
    values = np.asarray(array)
    if not index:
        return values
    places = tuple(_whole(each) for each in index)
    outside = [(place < 0) | (place >= size) for place, size in zip(places, values.shape, strict=False)]
    if not any(map(np.any, outside)):
        return values[places]
    found = values[tuple(np.where(out, 0, place) for out, place in zip(outside, places, strict=True))]
    never = np.logical_or.reduce(np.broadcast_arrays(*outside))
    return np.where(never.reshape(never.shape + (1,) * (found.ndim - never.ndim)), np.nan, found)


def _whole(place: Any) -> Array:
    """An index as integers."""
    found = np.asarray(place)
    return found if found.dtype.kind in "iu" else np.asarray(np.rint(found), dtype=int)


def as_matrix(values: Any, plates: int) -> Array:
    """Entries of an array with `plates` axes before those of a vector or a matrix; a vector is a column."""
    found = np.asarray(values, dtype=float)
    return found[..., None] if found.ndim - plates == 1 else found


def scale(number: Any, matrix: Array) -> Array:
    """c M, nothing where c is 0: outside of its bracket M need not be known."""
    factor = np.asarray(number)[..., None, None]
    return np.where(factor == 0, 0.0, factor * matrix)


def add_identity(matrix: Array, number: Any) -> Array:
    return np.asarray(matrix + np.asarray(number)[..., None, None] * np.eye(matrix.shape[-1]))


def transpose(matrix: Array) -> Array:
    return np.swapaxes(matrix, -1, -2)


def solve(matrix: Array, right: Array) -> Array:
    """M⁻¹ R; NaN where a matrix is singular: one of a stack must not stop the others."""
    try:
        return np.asarray(np.linalg.solve(matrix, right))
    except np.linalg.LinAlgError:
        proper = np.linalg.slogdet(matrix)[0] != 0
        safe = np.where(proper[..., None, None], matrix, np.eye(matrix.shape[-1]))
        return np.where(proper[..., None, None], np.linalg.solve(safe, right), np.nan)


def inverse(matrix: Array) -> Array:
    return solve(matrix, np.broadcast_to(np.eye(matrix.shape[-1]), matrix.shape))


def log_determinant(matrix: Array) -> Array:
    """log det where it is positive, NaN elsewhere."""
    sign, value = np.linalg.slogdet(matrix)
    return np.where(sign > 0, value, np.nan)


def trace(matrix: Array) -> Array:
    return np.asarray(np.trace(matrix, axis1=-2, axis2=-1))


def element(matrix: Array, row: Any, column: Any) -> Array:
    """The entry at a place that may differ from matrix to matrix."""
    lead = np.broadcast_shapes(matrix.shape[:-2], np.shape(row), np.shape(column))
    whole = np.broadcast_to(matrix, (*lead, *matrix.shape[-2:]))
    rows, columns = (np.broadcast_to(np.asarray(np.rint(each), dtype=int), lead) for each in (row, column))
    along = np.take_along_axis(whole, rows[..., None, None], axis=-2)
    return np.asarray(np.take_along_axis(along, columns[..., None, None], axis=-1)[..., 0, 0])


def column(*entries: Any) -> Array:
    """A vector of numbers."""
    return np.stack(np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in entries)), -1)[..., None]


def beside(*columns: Array) -> Array:
    """A matrix of its columns."""
    lead = np.broadcast_shapes(*(each.shape[:-2] for each in columns))
    return np.concatenate([np.broadcast_to(each, (*lead, *each.shape[-2:])) for each in columns], axis=-1)


def diagonal(*entries: Any) -> Array:
    return np.asarray(column(*entries) * np.eye(len(entries)))


def _masked(matrix: Array, seen: tuple[Any, ...]) -> tuple[Array, Array]:
    """The block of the unseen beside an identity for the seen, and which are unseen."""
    hidden = column(*(np.where(np.asarray(each) == 0, 1.0, 0.0) for each in seen))
    both = hidden * transpose(hidden)
    return np.asarray(both * matrix + (1 - hidden) * np.eye(len(seen))), both


def block_inverse(matrix: Array, *seen: Any) -> Array:
    """The inverse of the block where `seen` is 0, in its place among zeros."""
    whole, both = _masked(matrix, seen)
    return inverse(whole) * both


def block_log_determinant(matrix: Array, *seen: Any) -> Array:
    return log_determinant(_masked(matrix, seen)[0])


#: What the trees of matrix expressions are made of.
MATRIX_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "MatrixSum": lambda *terms: reduce(np.add, terms),
    "MatrixProduct": lambda *factors: reduce(np.matmul, factors),
    "Scale": scale,
    "AddIdentity": add_identity,
    "T": transpose,
    "Whole": lambda matrix: matrix,
    "Inverse": inverse,
    "Solve": solve,
    "LogDet": log_determinant,
    "Tr": trace,
    "Element": element,
    "Column": column,
    "Beside": beside,
    "Diagonal": diagonal,
    "BlockInverse": block_inverse,
    "BlockLogDet": block_log_determinant,
}
