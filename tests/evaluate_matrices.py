"""Vectors and matrices for the slow evaluator: object arrays of the context's numbers, one entry at a time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, reduce
from typing import Any

import numpy as np
from sympy import Add, Expr, Mul, Pow

from symem.language.matrices import ENTRY, BlockInverse, Diagonal, MatrixEntry, T, Whole, is_matrix
from symem.language.traces import BlockLogDet, Element, LogDet, Tr

Scope = Mapping[str, Any]


def _letter(run: Any, expr: MatrixEntry, scope: Scope) -> Any:
    """A matrix with two axes; a vector, which is kept with one, as a column."""
    key = _name(expr), tuple(int(run(place, scope)) for place in expr.indices)
    if key not in run.cache:
        found = np.asarray(run.values[key[0]], dtype=object)[key[1]]
        run.cache[key] = _each(run.number, found[:, None] if found.ndim == 1 else found)
    return run.cache[key]


@cache
def _name(expr: MatrixEntry) -> str:
    return str(expr.base.label)


def _each(function: Any, matrix: Any) -> Any:
    found = np.empty(matrix.shape, dtype=object)
    for place in np.ndindex(*matrix.shape):
        found[place] = function(matrix[place])
    return found


def _identity(run: Any, size: int) -> Any:
    return _each(lambda entry: run.context.mpf(int(entry)), np.eye(size))


def _add(run: Any, expr: Add, scope: Scope) -> Any:
    """A number among matrices is that multiple of the identity."""
    total = reduce(np.add, (run(part, scope) for part in expr.args if is_matrix(part)))
    for part in expr.args:
        if not is_matrix(part):
            total = total + _identity(run, len(total)) * run(part, scope)
    return total


def _mul(run: Any, expr: Mul, scope: Scope) -> Any:
    matrices = [run(part, scope) for part in expr.args if is_matrix(part)]
    numbers = [run(part, scope) for part in expr.args if not is_matrix(part)]
    return reduce(np.matmul, matrices) * run.context.fprod(numbers)


def _pow(run: Any, expr: Pow, scope: Scope) -> Any:
    base = run(expr.base, scope)
    base = _inverse(run, base) if expr.exp < 0 else base
    return reduce(np.matmul, [base] * abs(int(expr.exp)))


def _native(run: Any, matrix: Any) -> Any:
    return run.context.matrix(matrix.tolist())


def _inverse(run: Any, matrix: Any) -> Any:
    return np.array(run.context.inverse(_native(run, matrix)).tolist(), dtype=object)


def _log_det(run: Any, matrix: Any) -> Any:
    return run.context.log(run.context.det(_native(run, matrix)))


def _diagonal(run: Any, expr: Diagonal, scope: Scope) -> Any:
    matrix = _identity(run, int(run(expr.args[1], scope)))
    for place in range(len(matrix)):
        matrix[place, place] = run(expr.args[0], {**scope, str(ENTRY): place})
    return matrix


def _unseen(run: Any, expr: Expr, scope: Scope) -> tuple[Any, list[int]]:
    matrix = run(expr.args[0], scope)
    if not is_matrix(expr.args[0]):
        matrix = _identity(run, int(run(expr.args[2], scope))) * matrix
    places = range(len(matrix))
    return matrix, [place for place in places if run(expr.args[1], {**scope, str(ENTRY): place}) == 0]


def _block_inverse(run: Any, expr: BlockInverse, scope: Scope) -> Any:
    matrix, unseen = _unseen(run, expr, scope)
    found = 0 * matrix
    if unseen:
        found[np.ix_(unseen, unseen)] = _inverse(run, matrix[np.ix_(unseen, unseen)])
    return found


def _block_log_det(run: Any, expr: BlockLogDet, scope: Scope) -> Any:
    matrix, unseen = _unseen(run, expr, scope)
    return _log_det(run, matrix[np.ix_(unseen, unseen)]) if unseen else run.context.mpf(0)


def _element(run: Any, expr: Element, scope: Scope) -> Any:
    matrix, row, column = expr.args
    return run(matrix, scope)[int(run(row, scope)), int(run(column, scope))]


#: Matrices, and the numbers that are made of them.
MATRIX_RULES: dict[Any, Any] = {
    MatrixEntry: _letter,
    T: lambda run, expr, scope: run(expr.args[0], scope).T,
    Whole: lambda run, expr, scope: run(expr.args[0], scope),
    Diagonal: _diagonal,
    BlockInverse: _block_inverse,
    Tr: lambda run, expr, scope: sum(np.diag(run(expr.args[0], scope))),
    LogDet: lambda run, expr, scope: _log_det(run, run(expr.args[0], scope)),
    BlockLogDet: _block_log_det,
    Element: _element,
}

PRODUCTS_AND_SUMS: dict[Any, Any] = {Add: _add, Mul: _mul, Pow: _pow}
