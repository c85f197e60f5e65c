"""What a SymPy node is worth: one row per head, in the words of an algebra.

An algebra says what a number, an entry of an array and a function of values are, and how a sum is formed: `Arithmetic`
has arrays for values, `Specialiser` trees over what stays unknown. A node that has a meaning here has it in both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, Generic, TypeVar

import numpy as np
from sympy import (
    Add,
    Basic,
    Eq,
    Expr,
    Indexed,
    Integer,
    Mul,
    Number,
    NumberSymbol,
    Piecewise,
    Pow,
    Product,
    Sum,
    Symbol,
    exp,
    log,
)
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from symem.errors import UnknownSymbolError
from symem.evaluation.scalar_functions import Head, head_of
from symem.language.bessel_logarithms import LOGARITHMS, by_logarithms
from symem.language.falling_root import FallingRoot
from symem.language.leaves import name_of
from symem.language.logarithm import stable
from symem.language.matrices import ENTRY, BlockInverse, Diagonal, MatrixEntry, T, Unit, Whole, is_matrix
from symem.language.plates import Expectation, Iverson, LinearSolution
from symem.language.quadrature_rule import Mode
from symem.language.traces import BlockLogDet, LogDet, Tr

Value = TypeVar("Value")
Bindings = Mapping[Any, Any]


class Algebra(ABC, Generic[Value]):
    """Where formulas have their values. Bindings give each open index its place: a number, or an array of them."""

    def __call__(self, expression: Basic, bindings: Bindings | None = None) -> Value:
        """The value of an expression.

        Raises:
            UnknownSymbolError: a symbol or a function in it has none.
        """
        rule = _rule(expression.__class__, is_matrix(expression))
        found: Value = rule(self, expression, self.unbound if bindings is None else bindings)
        return found

    @property
    def unbound(self) -> Bindings:
        """The bindings where no index is open."""
        return {}

    @abstractmethod
    def constant(self, value: Any) -> Value:
        """A number, a truth value, or the place of an index."""

    @abstractmethod
    def entry(self, name: str, places: tuple[Value, ...]) -> Value:
        """An entry of an array; the array itself if there are no places."""

    @abstractmethod
    def letter(self, name: str, places: tuple[Value, ...]) -> Value:
        """One matrix of an array of matrices."""

    @abstractmethod
    def apply(self, head: Head, *arguments: Value) -> Value:
        """A function of values."""

    @abstractmethod
    def repeated(self, expression: Sum | Product, bindings: Bindings) -> Value:
        """A sum or a product over positions."""

    def log_sum_exp(self, exponent: Expr, limits: Any, bindings: Bindings) -> Value:
        """log Σ exp(exponent) over the limits."""
        return self.apply("log", self(Sum(exp(exponent), *limits), bindings))

    @abstractmethod
    def integer(self, expression: Basic) -> int:
        """A size."""

    def mode(self, mode: Mode, _bindings: Bindings) -> Value:
        """The place at which a function is largest."""
        raise UnknownSymbolError(f"{mode} is looked for among numbers only.")

    def mean(self, expression: Expr, _bindings: Bindings) -> Value:
        """A posterior mean that a derivation leaves standing."""
        raise UnknownSymbolError(f"No posterior to take the mean of {expression} in.")


Rule = Callable[[Any, Any, Bindings], Any]


def _indexed(scope: Algebra[Any], expression: Indexed, bindings: Bindings) -> Any:
    return scope.entry(name_of(expression), _values(scope, expression.indices, bindings))


def _letter(scope: Algebra[Any], expression: MatrixEntry, bindings: Bindings) -> Any:
    return scope.letter(name_of(expression), _values(scope, expression.indices, bindings))


def _symbol(scope: Algebra[Any], symbol: Symbol, bindings: Bindings) -> Any:
    return scope.constant(bindings[symbol]) if symbol in bindings else scope.entry(symbol.name, ())


def _values(scope: Algebra[Any], parts: Any, bindings: Bindings) -> tuple[Any, ...]:
    return tuple(scope(part, bindings) for part in parts)


def _function(scope: Algebra[Any], expression: Basic, bindings: Bindings) -> Any:
    return scope.apply(head_of(expression), *_values(scope, expression.args, bindings))


def _logarithm(scope: Algebra[Any], expression: Expr, bindings: Bindings) -> Any:
    """The logarithm of a sum of exponentials in one piece, beside a large exponent the others underflow; of a Bessel
    function as such.
    """
    (inside,) = expression.args
    if inside.func in LOGARITHMS:
        return scope(LOGARITHMS[inside.func](*inside.args), bindings)
    if isinstance(inside, Sum) and isinstance(inside.function, exp):
        return scope.log_sum_exp(inside.function.args[0], inside.limits, bindings)
    if found := stable(inside):
        return scope.apply(found[0], *_values(scope, found[1], bindings))
    return _function(scope, expression, bindings)


def _product(scope: Algebra[Any], expression: Mul, bindings: Bindings) -> Any:
    return scope.apply("Mul", *_values(scope, _factors(expression), bindings))


@lru_cache(maxsize=4096)
def _factors(expression: Mul) -> tuple[Expr, ...]:
    """Bessel functions, of which the ratio is a number where they are none themselves, by their logarithms."""
    return tuple(by_logarithms(expression.args))


def _piecewise(scope: Algebra[Any], expression: Piecewise, bindings: Bindings) -> Any:
    pairs = (part for pair in expression.args for part in pair.args)
    return scope.apply("Piecewise", *_values(scope, pairs, bindings))


def _solution(scope: Algebra[Any], expression: LinearSolution, bindings: Bindings) -> Any:
    """Component l of the b that solves Σ_m G[j, m] b[m] = h[j]."""
    component, j, m, matrix, right, size = expression.args
    columns = [_column(scope, matrix, j, size, {**bindings, m: at}) for at in range(scope.integer(size))]
    solved = scope.apply("Solve", scope.apply("Beside", *columns), _column(scope, right, j, size, bindings))
    return scope.apply("Element", solved, scope(component, bindings), scope.constant(0))


def _root(scope: Algebra[Any], expression: FallingRoot, bindings: Bindings) -> Any:
    return scope.apply(head_of(expression), *_values(scope, expression.given, bindings))


def _along(scope: Algebra[Any], entry: Expr, index: Symbol, size: Expr, bindings: Bindings) -> list[Any]:
    """The values of an expression at every place of an index."""
    return [scope(entry, {**bindings, index: at}) for at in range(scope.integer(size))]


def _column(scope: Algebra[Any], entry: Expr, index: Symbol, size: Expr, bindings: Bindings) -> Any:
    return scope.apply("Column", *_along(scope, entry, index, size, bindings))


# -- matrices ----------------------------------------------------------------------------------------------


def _first(scope: Algebra[Any], expression: Expr, bindings: Bindings) -> Any:
    """A function of a matrix beside which its size stands."""
    return scope.apply(type(expression).__name__, scope(expression.args[0], bindings))


def _diagonal(scope: Algebra[Any], expression: Diagonal, bindings: Bindings) -> Any:
    entry, size = expression.args
    return scope.apply("Diagonal", *_along(scope, entry, ENTRY, size, bindings))


def _unit(scope: Algebra[Any], expression: Unit, bindings: Bindings) -> Any:
    place, size = expression.args
    return _column(scope, Iverson(Eq(ENTRY, place)), ENTRY, size, bindings)


def _block(scope: Algebra[Any], expression: Expr, bindings: Bindings) -> Any:
    matrix, mask, size = expression.args
    seen = _along(scope, mask, ENTRY, size, bindings)
    return scope.apply(type(expression).__name__, scope(matrix, bindings), *seen)


def _parted(scope: Algebra[Any], expression: Expr, bindings: Bindings) -> tuple[list[Any], list[Expr]]:
    """The values of the matrices in a sum or a product, and the numbers among them."""
    matrices = [scope(each, bindings) for each in expression.args if is_matrix(each)]
    return matrices, [each for each in expression.args if not is_matrix(each)]


def _matrix_sum(scope: Algebra[Any], expression: Add, bindings: Bindings) -> Any:
    """A number among matrices is that multiple of the identity."""
    matrices, numbers = _parted(scope, expression, bindings)
    whole = scope.apply("MatrixSum", *matrices)
    return scope.apply("AddIdentity", whole, scope(Add(*numbers), bindings)) if numbers else whole


def _matrix_product(scope: Algebra[Any], expression: Mul, bindings: Bindings) -> Any:
    matrices, numbers = _parted(scope, expression, bindings)
    whole = scope.apply("MatrixProduct", *matrices)
    return scope.apply("Scale", scope(Mul(*numbers), bindings), whole) if numbers else whole


def _matrix_piecewise(scope: Algebra[Any], expression: Piecewise, bindings: Bindings) -> Any:
    """A number among the cases stands in every entry: it is 0."""
    entries = scope.constant(np.ones((1, 1)))
    parts: list[Any] = []
    for value, condition in expression.args:
        found = scope(value, bindings)
        parts.append(found if is_matrix(value) else scope.apply("Scale", found, entries))
        parts.append(scope.apply("Scale", scope(condition, bindings), entries))
    return scope.apply("Piecewise", *parts)


def _matrix_power(scope: Algebra[Any], expression: Pow, bindings: Bindings) -> Any:
    base, exponent = scope(expression.base, bindings), int(expression.exp)
    base = scope.apply("Inverse", base) if exponent < 0 else base
    return scope.apply("MatrixProduct", *[base] * abs(exponent))


RULES: Mapping[type, Rule] = {
    Integer: lambda scope, number, _bindings: scope.constant(int(number)),
    Number: lambda scope, number, _bindings: scope.constant(float(number)),
    NumberSymbol: lambda scope, number, _bindings: scope.constant(float(number)),
    BooleanTrue: lambda scope, _true, _bindings: scope.constant(True),  # noqa: FBT003
    BooleanFalse: lambda scope, _false, _bindings: scope.constant(False),  # noqa: FBT003
    Symbol: _symbol,
    Indexed: _indexed,
    Sum: lambda scope, total, bindings: scope.repeated(total, bindings),
    Product: lambda scope, product, bindings: scope.repeated(product, bindings),
    log: _logarithm,
    Mul: _product,
    Piecewise: _piecewise,
    Expectation: lambda scope, mean, bindings: scope.mean(mean.args[0], bindings),
    LinearSolution: _solution,
    FallingRoot: _root,
    Mode: lambda scope, mode, bindings: scope.mode(mode, bindings),
    MatrixEntry: _letter,
    T: _first,
    Whole: _first,
    Tr: _first,
    LogDet: _first,
    Diagonal: _diagonal,
    Unit: _unit,
    BlockInverse: _block,
    BlockLogDet: _block,
    Basic: _function,
}

#: Heads that mean something else among matrices than among numbers.
MATRIX_RULES: Mapping[type, Rule] = {
    **RULES,
    Add: _matrix_sum,
    Mul: _matrix_product,
    Pow: _matrix_power,
    Piecewise: _matrix_piecewise,
}


@cache
def _rule(kind: type, among_matrices: bool) -> Rule:  # noqa: FBT001
    rules = MATRIX_RULES if among_matrices else RULES
    return next(rules[base] for base in kind.__mro__ if base in rules)
