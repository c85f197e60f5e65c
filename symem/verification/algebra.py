"""Matrices in numbers: stacks of them in arrays whose last two axes are rows and columns.

The axes before these broadcast like those of numbers, so that a stack of matrices stands where a stack of
numbers may. A number in a place of a matrix is that multiple of the identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def as_matrix(values: Any, plates: int) -> Array:
    """Entries of an array with `plates` axes before those of a vector or a matrix; a vector is a column."""
    found = np.asarray(values, dtype=float)
    return found[..., None] if found.ndim - plates == 1 else found


def scale(number: Any, matrix: Array) -> Array:
    return np.asarray(np.asarray(number)[..., None, None] * matrix)


def add_identity(matrix: Array, number: Any) -> Array:
    return np.asarray(matrix + np.asarray(number)[..., None, None] * np.eye(matrix.shape[-1]))


def transpose(matrix: Array) -> Array:
    return np.swapaxes(matrix, -1, -2)


def inverse(matrix: Array) -> Array:
    """NaN where a matrix is singular: one of a stack must not stop the others."""
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        flat = matrix.reshape(-1, *matrix.shape[-2:])
        return np.stack([_inverse_or_nan(each) for each in flat]).reshape(matrix.shape)


def _inverse_or_nan(matrix: Array) -> Array:
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return np.full(matrix.shape, np.nan)


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
    "MatrixPower": lambda matrix, exponent: np.linalg.matrix_power(matrix, int(exponent)),
    "Scale": scale,
    "AddIdentity": add_identity,
    "Transpose": transpose,
    "Inverse": inverse,
    "LogDet": log_determinant,
    "Tr": trace,
    "Element": element,
    "Column": column,
    "Beside": beside,
    "Diagonal": diagonal,
    "BlockInverse": block_inverse,
    "BlockLogDet": block_log_determinant,
}
