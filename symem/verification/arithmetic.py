"""The value of a formula: a SymPy expression on NumPy arrays, every open index an axis of its own.

The newest index is the leading axis, so that a `Sum` is a sum over axis 0. This is the evaluator of the
formulas of a derivation; it shares the table of functions with the oracle and nothing with the emitter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from sympy import (
    Add,
    Basic,
    Expr,
    Indexed,
    Integer,
    Mul,
    Number,
    NumberSymbol,
    Piecewise,
    Product,
    Sum,
    Symbol,
)
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from symem.language.matrices import is_matrix
from symem.verification.algebra import as_matrix
from symem.verification.functions import FUNCTIONS, ZERO_WINS
from symem.verification.matrix_rules import AMONG_MATRICES, MATRIX_HEADS
from symem.verification.trees import UnknownSymbolError, entry

Array = np.ndarray[Any, np.dtype[Any]]
Bindings = Mapping[Symbol, Array]


@dataclass(frozen=True)
class Arithmetic:
    """Evaluates expressions.

    Args:
        arrays: name -> number or array.
        mean: E[f | data, θ⁽ᵗ⁾] of a function of latents at one position, for means that a derivation leaves
            unevaluated.
    """

    arrays: Mapping[str, Any]
    mean: Callable[[Expr, Mapping[Symbol, int]], float] | None = None

    def __call__(self, expression: Basic, bindings: Bindings | None = None) -> Any:
        """The value, with one leading axis per open index, newest first."""
        open_indices = bindings or {}
        rules = _MATRIX_RULES if is_matrix(expression) else _RULES
        for kind in type(expression).__mro__:
            if kind in rules:
                return rules[kind](self, expression, open_indices)
        raise UnknownSymbolError(f"No value for {expression} of type {type(expression).__name__}.")

    def number(self, expression: Basic) -> float:
        """The value of an expression without open indices."""
        return float(self(expression))

    def integer(self, expression: Basic) -> int:
        return round(self.number(expression))

    def opened(self, index: Symbol, size: int, bindings: Bindings) -> Bindings:
        """The bindings with one more index, over 0 … size - 1."""
        return {**bindings, index: np.arange(size).reshape((size,) + (1,) * _depth(bindings))}

    def table(self, value: Expr, indices: tuple[Symbol, ...], shape: tuple[int, ...]) -> Array:
        """An array of values over the indices, in their order; of matrices those axes are followed by their own."""
        bindings: Bindings = {}
        for index, size in zip(indices, shape, strict=True):
            bindings = self.opened(index, size, bindings)
        found = np.asarray(self(value, bindings), dtype=float)
        inner = found.shape[-2:] if is_matrix(value) else ()
        whole = np.broadcast_to(found, (*shape[::-1], *inner))
        axes = (*reversed(range(len(shape))), *range(len(shape), whole.ndim))
        return whole.transpose(axes).copy()

    def array(self, name: str, places: tuple[Any, ...]) -> Any:
        if name not in self.arrays:
            raise UnknownSymbolError(f"No value for {name}.")
        return entry(self.arrays[name], places)

    def letter(self, name: str, places: tuple[Any, ...]) -> Array:
        """One matrix of an array for each value of the open indices."""
        found = self.array(name, places)
        own = np.ndim(self.arrays[name]) - len(places)
        return as_matrix(found, np.ndim(found) - own)

    def apply(self, name: str, *arguments: Any) -> Any:
        return FUNCTIONS[name](*arguments)

    def bound(self, place: int) -> Array:
        """The value of an index that is set to one place."""
        return np.asarray(place)


def _depth(bindings: Bindings) -> int:
    """The number of axes opened so far; an index that another shadows has left its axis behind."""
    return max((each.ndim for each in bindings.values()), default=0)


Rule = Callable[[Arithmetic, Any, Bindings], Any]


def _sum(scope: Arithmetic, expression: Sum, bindings: Bindings) -> Any:
    """SymPy's last limit is the outermost."""
    inner = bindings
    for index, low, high in reversed(expression.limits):
        if low != 0:
            raise UnknownSymbolError(f"{expression} does not start at 0.")
        inner = scope.opened(index, scope.integer(high + 1), inner)
    value = np.asarray(scope(expression.function, inner))
    own = value.shape[-2:] if is_matrix(expression) else ()
    lead = value.shape[: value.ndim - len(own)]
    whole = np.broadcast_to(
        value, (*np.broadcast_shapes(lead, *(each.shape for each in inner.values())), *own)
    )
    reduced: Any = whole.prod if isinstance(expression, Product) else whole.sum
    return reduced(axis=tuple(range(len(expression.limits))))


def _function(scope: Arithmetic, expression: Expr, bindings: Bindings) -> Any:
    name = type(expression).__name__
    if name in _SPECIAL:
        return _SPECIAL[name](scope, expression, bindings)
    if name not in FUNCTIONS:
        raise UnknownSymbolError(f"No numeric meaning for the function {name}.")
    return FUNCTIONS[name](*(scope(each, bindings) for each in expression.args))


def _piecewise(scope: Arithmetic, expression: Expr, bindings: Bindings) -> Any:
    return FUNCTIONS["Piecewise"](*(scope(part, bindings) for pair in expression.args for part in pair.args))


def _linear_solution(scope: Arithmetic, expression: Expr, bindings: Bindings) -> Any:
    """Component l of the solution b of sum_m G[j, m] b[m] = h[j]."""
    component, j, m, matrix, right, length = expression.args
    size = scope.integer(length)
    rows = scope.opened(j, size, bindings)
    whole = scope.opened(m, size, rows)
    open_shape = np.broadcast_shapes(*(each.shape for each in bindings.values()))
    left = np.broadcast_to(scope(matrix, whole), (size, size, *open_shape))
    vector = np.broadcast_to(scope(right, rows), (size, *open_shape))
    solved = np.linalg.solve(np.moveaxis(left, (0, 1), (-1, -2)), np.moveaxis(vector, 0, -1)[..., None])[
        ..., 0
    ]
    wanted = np.broadcast_to(np.asarray(scope(component, bindings), dtype=int), open_shape)
    return np.take_along_axis(solved, wanted[..., None], axis=-1)[..., 0]


def _expectation(scope: Arithmetic, expression: Expr, bindings: Bindings) -> Any:
    """A posterior mean that the derivation leaves standing: position by position, by brute force."""
    if scope.mean is None:
        raise UnknownSymbolError(f"No posterior to take the mean of {expression.args[0]} in.")
    shape = np.broadcast_shapes(*(each.shape for each in bindings.values()))
    places = {index: np.broadcast_to(each, shape) for index, each in bindings.items()}
    values = np.empty(shape)
    for place in np.ndindex(*shape):
        values[place] = scope.mean(
            expression.args[0], {index: int(each[place]) for index, each in places.items()}
        )
    return values


_SPECIAL: Mapping[str, Rule] = {"LinearSolution": _linear_solution, "Expectation": _expectation}


_RULES: Mapping[type, Rule] = {
    **MATRIX_HEADS,
    Integer: lambda _scope, number, _bindings: int(number),
    Number: lambda _scope, number, _bindings: float(number),
    NumberSymbol: lambda _scope, number, _bindings: float(number),
    BooleanTrue: lambda _scope, _true, _bindings: True,
    BooleanFalse: lambda _scope, _false, _bindings: False,
    Symbol: lambda scope, symbol, bindings: (
        bindings[symbol] if symbol in bindings else scope.array(symbol.name, ())
    ),
    Indexed: lambda scope, each, bindings: scope.array(
        str(each.base.label), tuple(scope(place, bindings) for place in each.indices)
    ),
    Add: lambda scope, each, bindings: reduce(np.add, (scope(part, bindings) for part in each.args)),
    Mul: lambda scope, each, bindings: FUNCTIONS[ZERO_WINS](*(scope(part, bindings) for part in each.args)),
    Sum: _sum,
    Product: _sum,
    Piecewise: _piecewise,
    Basic: _function,
}

_MATRIX_RULES: Mapping[type, Rule] = {**_RULES, **AMONG_MATRICES}
