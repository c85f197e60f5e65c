"""Matrices at trial points: a table of their entries, and the value of what is made of them.

A vector has one place more than its plates and a matrix two: whatever moves single entries moves theirs too.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
from sympy import Add, Expr, Mul, Pow, Sum

from symem.language.matrices import ENTRY, BlockInverse, Diagonal, MatrixEntry, T, Whole, is_matrix
from symem.language.traces import BlockLogDet, Element, LogDet, Tr

Place = tuple[int, ...]
Matrix = np.ndarray[Any, np.dtype[np.float64]]
Scope = Mapping[Any, Any]


def places_within(letter: MatrixEntry, run: Any) -> list[Place]:
    """The places of the entries of one vector or matrix, row by row."""
    rows, cols = (int(run(size)) for size in letter.dimensions)
    if letter.dimensions[1] == 1:
        return [(row,) for row in range(rows)]
    return list(itertools.product(range(rows), range(cols)))


def _letter(run: Any, expr: MatrixEntry, scope: Scope) -> Matrix:
    place = tuple(int(run(index, scope)) for index in expr.indices)
    rows, cols = (int(run(size)) for size in expr.dimensions)
    name = str(expr.base.label)
    entries = [run.entry(name, (*place, *each)) for each in places_within(expr, run)]
    return np.array(entries, float).reshape(rows, cols)


def _add(run: Any, expr: Add, scope: Scope) -> Matrix:
    """A number among matrices is that multiple of the identity."""
    whole = sum(run(part, scope) for part in expr.args if is_matrix(part))
    number = sum(run(part, scope) for part in expr.args if not is_matrix(part))
    return np.asarray(whole + number * np.eye(len(whole)) if number else whole)


def _mul(run: Any, expr: Mul, scope: Scope) -> Matrix:
    word = reduce(np.matmul, (run(part, scope) for part in expr.args if is_matrix(part)))
    return np.asarray(run(Mul(*(part for part in expr.args if not is_matrix(part))), scope) * word)


def _sum(run: Any, expr: Sum, scope: Scope) -> Matrix:
    ranges = [range(int(run(low, scope)), int(run(high, scope)) + 1) for _, low, high in expr.limits]
    indices = [limit[0] for limit in expr.limits]
    places = (dict(zip(indices, place, strict=True)) for place in itertools.product(*ranges))
    return np.asarray(sum(run(expr.function, {**scope, **place}) for place in places))


def _pow(run: Any, expr: Pow, scope: Scope) -> Matrix:
    return np.asarray(np.linalg.matrix_power(run(expr.base, scope), int(expr.exp)))


def _along(run: Any, entry: Expr, size: Expr, scope: Scope) -> list[float]:
    return [float(run(entry, {**scope, ENTRY: place})) for place in range(int(run(size)))]


def _diagonal(run: Any, expr: Diagonal, scope: Scope) -> Matrix:
    entry, size = expr.args
    return np.diag(np.array(_along(run, entry, size, scope)))


def _unseen(run: Any, expr: Expr, scope: Scope) -> tuple[Matrix, Any]:
    matrix, mask, size = expr.args
    hidden = np.flatnonzero(np.array(_along(run, mask, size, scope)) == 0)
    return run(matrix, scope), np.ix_(hidden, hidden)


def _block_inverse(run: Any, expr: BlockInverse, scope: Scope) -> Matrix:
    matrix, block = _unseen(run, expr, scope)
    found = np.zeros_like(matrix)
    found[block] = np.linalg.inv(matrix[block])
    return found


def _block_log_det(run: Any, expr: BlockLogDet, scope: Scope) -> float:
    matrix, block = _unseen(run, expr, scope)
    return _log_det(matrix[block])


def _log_det(matrix: Matrix) -> float:
    """Of a positive definite matrix; any other raises LinAlgError, as log does of a negative number."""
    return 2 * float(np.sum(np.log(np.diag(np.linalg.cholesky(matrix)))))


def _element(run: Any, expr: Element, scope: Scope) -> float:
    matrix, row, column = expr.args
    return float(run(matrix, scope)[int(run(row, scope)), int(run(column, scope))])


#: Heads that are matrices, or numbers made of them.
HEADS: tuple[tuple[Any, Any], ...] = (
    (MatrixEntry, _letter),
    (T, lambda run, e, s: run(e.args[0], s).T),
    (Diagonal, _diagonal),
    (Whole, lambda run, e, s: run(e.args[0], s)),
    (BlockInverse, _block_inverse),
    (BlockLogDet, _block_log_det),
    (Tr, lambda run, e, s: float(np.trace(run(e.args[0], s)))),
    (LogDet, lambda run, e, s: _log_det(run(e.args[0], s))),
    (Element, _element),
)

#: Heads that numbers have too.
AMONG_MATRICES: tuple[tuple[Any, Any], ...] = ((Add, _add), (Mul, _mul), (Pow, _pow), (Sum, _sum))


def definite(size: int, chance: random.Random) -> Matrix:
    """A symmetric positive definite matrix, well-conditioned and far from diagonal."""
    root = np.array([[chance.gauss(0, 1) for _ in range(size + 3)] for _ in range(size)])
    return np.asarray(root @ root.T / (size + 1))
