"""What a matrix expression means: each head in the words of `algebra`, for numbers and for trees alike.

A scope is an `Arithmetic` or a `Specialiser`: called, it gives the value of a part; `apply` joins values by a
function of the table, `letter` reads one matrix of an array, and `bound` is an index set to a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sympy import Add, Basic, Mul, Pow

from symem.language.matrices import ENTRY, BlockInverse, Diagonal, MatrixEntry, T, Whole, is_matrix
from symem.language.traces import BlockLogDet, Element, LogDet, Tr

Rule = Callable[[Any, Any, Mapping[Any, Any]], Any]


def _letter(scope: Any, expression: MatrixEntry, bindings: Mapping[Any, Any]) -> Any:
    places = tuple(scope(each, bindings) for each in expression.indices)
    return scope.letter(str(expression.base.label), places)


def _matrices(scope: Any, expression: Basic, bindings: Mapping[Any, Any]) -> list[Any]:
    return [scope(each, bindings) for each in expression.args if is_matrix(each)]


def _add(scope: Any, expression: Add, bindings: Mapping[Any, Any]) -> Any:
    whole = scope.apply("MatrixSum", *_matrices(scope, expression, bindings))
    numbers = [each for each in expression.args if not is_matrix(each)]
    return scope.apply("AddIdentity", whole, scope(Add(*numbers), bindings)) if numbers else whole


def _mul(scope: Any, expression: Mul, bindings: Mapping[Any, Any]) -> Any:
    whole = scope.apply("MatrixProduct", *_matrices(scope, expression, bindings))
    numbers = [each for each in expression.args if not is_matrix(each)]
    return scope.apply("Scale", scope(Mul(*numbers), bindings), whole) if numbers else whole


def _pow(scope: Any, expression: Pow, bindings: Mapping[Any, Any]) -> Any:
    base, exponent = scope(expression.base, bindings), int(expression.exp)
    base = scope.apply("Inverse", base) if exponent < 0 else base
    return scope.apply("MatrixProduct", *[base] * abs(exponent))


def _diagonal(scope: Any, expression: Diagonal, bindings: Mapping[Any, Any]) -> Any:
    entry, size = expression.args
    return scope.apply("Diagonal", *_along(scope, entry, size, bindings))


def _along(scope: Any, entry: Basic, size: Basic, bindings: Mapping[Any, Any]) -> list[Any]:
    """The values of an expression in the index of entries."""
    return [scope(entry, {**bindings, ENTRY: scope.bound(place)}) for place in range(scope.integer(size))]


def _block(scope: Any, expression: Basic, bindings: Mapping[Any, Any]) -> Any:
    matrix, mask, size = expression.args
    seen = _along(scope, mask, size, bindings)
    return scope.apply(type(expression).__name__, scope(matrix, bindings), *seen)


def _first(scope: Any, expression: Basic, bindings: Mapping[Any, Any]) -> Any:
    return scope.apply(type(expression).__name__, scope(expression.args[0], bindings))


def _element(scope: Any, expression: Element, bindings: Mapping[Any, Any]) -> Any:
    return scope.apply("Element", *(scope(each, bindings) for each in expression.args))


#: Heads that are matrices, or numbers made of them, whatever they hold.
MATRIX_HEADS: Mapping[type, Rule] = {
    MatrixEntry: _letter,
    T: lambda scope, each, bindings: scope.apply("Transpose", scope(each.args[0], bindings)),
    Whole: lambda scope, each, bindings: scope(each.args[0], bindings),
    Diagonal: _diagonal,
    BlockInverse: _block,
    BlockLogDet: _block,
    Tr: _first,
    LogDet: _first,
    Element: _element,
}

#: Heads that numbers have too.
AMONG_MATRICES: Mapping[type, Rule] = {Add: _add, Mul: _mul, Pow: _pow}
