"""Plates: ranges that indices run over, and the brackets that select positions on them.

Inside symem every index is a plain integer `Symbol` that runs from 0 to size - 1; an `Axis` pairs it
with its size. `Iverson(condition)` is the bracket [condition] of Graham, Knuth & Patashnik; its
logarithm, `LogIverson`, is how a hard constraint stands in a log-density.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Expr, Function, Integer, Product, S, Sum, Symbol
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue

from symem.language.leaves import MatrixSum

_BINDERS = (Sum, Product, MatrixSum)


@dataclass(frozen=True)
class Axis:
    """An index and the number of values it takes, counted from 0."""

    index: Symbol
    size: Expr

    @property
    def limits(self) -> tuple[Symbol, Expr, Expr]:
        """The limits of a `Sum` over the whole axis."""
        return (self.index, Integer(0), self.size - 1)

    def renamed(self, index: Symbol) -> Axis:
        return Axis(index, self.size)


def index_symbol(name: str) -> Symbol:
    """The internal index of that name."""
    return Symbol(name, integer=True, nonnegative=True)


class Iverson(Function):  # type: ignore[misc]
    """[condition]: 1 where the condition holds, 0 elsewhere."""

    nargs = 1
    is_real = True
    is_nonnegative = True
    is_integer = True

    @classmethod
    def eval(cls, condition: Any) -> Expr | None:
        if isinstance(condition, BooleanTrue):
            return S.One
        if isinstance(condition, BooleanFalse):
            return S.Zero
        return None

    def _eval_power(self, exponent: Expr) -> Expr | None:
        return self if exponent.is_positive else None

    def _eval_derivative(self, _symbol: Expr) -> Expr:
        return S.Zero


class LogIverson(Function):  # type: ignore[misc]
    """log [condition]: 0 where the condition holds, minus infinity elsewhere."""

    nargs = 1
    is_extended_real = True

    @classmethod
    def eval(cls, condition: Any) -> Expr | None:
        if isinstance(condition, BooleanTrue):
            return S.Zero
        if isinstance(condition, BooleanFalse):
            return S.NegativeInfinity
        return None

    def _eval_derivative(self, _symbol: Expr) -> Expr:
        return S.Zero


def bracket(*conditions: Any) -> Expr:
    """The product of the brackets of all conditions, as one bracket."""
    return Iverson(And(*conditions))


def total(value: Expr, axes: tuple[Axis, ...]) -> Expr:
    """The sum of a value over axes; over none, the value itself."""
    return Sum(value, *(axis.limits for axis in axes)) if axes else value


def outermost_sums(expr: Expr) -> set[Expr]:
    """The sums in an expression that stand in no other."""
    return (
        {expr} if isinstance(expr, Sum) else {found for part in expr.args for found in outermost_sums(part)}
    )


def reindex(expr: Expr, rules: Mapping[Any, Any]) -> Expr:
    """Replace indices and entries in an expression; sums whose own index would be captured are renamed first."""
    incoming = {symbol for value in rules.values() for symbol in getattr(value, "free_symbols", ())}
    return rebind(expr, incoming).xreplace(dict(rules))


def rebind(expr: Expr, taken: set[Any]) -> Expr:
    """The same expression, its bound indices avoiding the symbols that are taken."""
    if not isinstance(expr, Basic) or not expr.args or not expr.has(*_BINDERS):
        return expr
    if not isinstance(expr, _BINDERS):
        return expr.func(*(rebind(argument, taken) for argument in expr.args))
    rules: dict[Any, Symbol] = {}
    for index, *_ends in expr.limits:
        if index in taken:
            rules[index] = fresh_index(index, taken | expr.function.free_symbols | set(rules.values()))
    body = rebind(expr.function, taken).xreplace(rules)
    return expr.func(body, *((rules.get(index, index), *ends) for index, *ends in expr.limits))


def fresh_index(index: Symbol, taken: set[Any]) -> Symbol:
    """An index named after another that no one uses: i_2, i_3, …"""
    stem = str(index).rstrip("0123456789").removesuffix("_") if "_" in str(index) else str(index)
    count = 2
    while index_symbol(f"{stem}_{count}") in taken:
        count += 1
    return index_symbol(f"{stem}_{count}")


class Expectation(Function):  # type: ignore[misc]
    """<f>: a posterior mean that is left unevaluated because nothing that is computed depends on it."""

    nargs = 1
    is_real = True


def deviation(function: Expr) -> Expr:
    """(f - ⟨f⟩)², the function whose mean is the variance of f."""
    return (function - Expectation(function)) ** 2


class LinearSolution(Expr):  # type: ignore[misc]
    """Component l of the b that solves Σ_m G[j, m] b[m] = h[j] for j = 0 … size - 1.

    Args: (l, j, m, G, h, size); G is an expression in the bound indices j and m, h in j.
    """

    is_real = True
    is_commutative = True

    @property
    def free_symbols(self) -> set[Any]:
        component, j, m, matrix, vector, size = self.args
        inner = (matrix.free_symbols | vector.free_symbols) - {j, m}
        return set(inner | component.free_symbols | size.free_symbols)

    @property
    def bound_symbols(self) -> list[Any]:
        return [self.args[1], self.args[2]]
