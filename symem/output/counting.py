"""Counting from one: inside, indices and labels run from 0; in print, from 1, as the literature has it."""

from __future__ import annotations

from sympy import Expr, Indexed, Mul, Pow, Product, Sum, Symbol
from sympy.core.relational import Relational

from symem.language.plates import LinearSolution


class FromOne:
    """Rewrites an expression so that indices, slots and labels count from 1.

    `indices` are the symbols that count plates, `labels` the names of arrays and scalars whose values count
    categories; `natural` names the indices that keep counting from 0, because their values are numbers
    (the outcomes of a coin), and `natural_slots` the array slots where such an index stands.
    """

    def __init__(
        self,
        indices: frozenset[Symbol] = frozenset(),
        labels: frozenset[str] = frozenset(),
        natural: frozenset[Symbol] = frozenset(),
        natural_slots: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        self.indices = indices
        self.labels = labels
        self.natural = natural
        self.natural_slots = natural_slots

    def knowing(self, index: Symbol, *, like: Symbol) -> FromOne:
        """The same, with one more index that counts as `like` does."""
        natural = self.natural | ({index} if like in self.natural else set())
        return FromOne(self.indices | ({index} - natural), self.labels, natural, self.natural_slots)

    def __call__(self, expr: Expr) -> Expr:
        if isinstance(expr, Sum | Product):
            return self._bound(expr)
        if isinstance(expr, Indexed):
            return self._indexed(expr)
        if isinstance(expr, LinearSolution):
            return self._component(expr)
        if isinstance(expr, Symbol):
            return expr - 1 if expr in self.indices or expr.name in self.labels else expr
        if isinstance(expr, Relational):
            return self._relation(expr)
        if not expr.args:
            return expr
        return rebuilt(expr, [self(argument) for argument in expr.args])

    def _bound(self, expr: Expr) -> Expr:
        inner = FromOne(
            self.indices.union(limit[0] for limit in expr.limits) - self.natural,
            self.labels,
            self.natural,
            self.natural_slots,
        )
        limits = [
            (index, lower, upper) if index in self.natural else (index, inner(lower) + 1, inner(upper) + 1)
            for index, lower, upper in expr.limits
        ]
        return expr.func(inner(expr.function), *limits)

    def _component(self, expr: LinearSolution) -> LinearSolution:
        place, row, column, matrix, vector, size = expr.args
        inner = FromOne(self.indices | {row, column}, self.labels, self.natural, self.natural_slots)
        return LinearSolution(self(place) + 1, row, column, inner(matrix), inner(vector), self(size))

    def _indexed(self, expr: Expr) -> Expr:
        name = str(expr.base.label)
        slots = [
            self(slot) + (0 if (name, place) in self.natural_slots else 1)
            for place, slot in enumerate(expr.indices)
        ]
        shifted = Indexed(expr.base, *slots)
        return shifted - 1 if name in self.labels else shifted

    def _relation(self, expr: Expr) -> Expr:
        sides = [self(side) for side in expr.args]
        if any(side.is_Add and side.as_coeff_Add()[0] == -1 for side in sides):
            sides = [side + 1 for side in sides]
        return expr.func(*sides, evaluate=False)


def rebuilt(expr: Expr, arguments: list[Expr]) -> Expr:
    """The expression with other arguments; products and powers keep the shape that was chosen for print."""
    if tuple(arguments) == expr.args:
        return expr
    return expr.func(*arguments, evaluate=False) if isinstance(expr, Mul | Pow) else expr.func(*arguments)


def slots_of(expr: Expr) -> tuple[Expr, ...]:
    """The slots of an array element; none for a scalar."""
    return tuple(expr.indices) if isinstance(expr, Indexed) else ()


def name_of(expr: Expr) -> str:
    """The name of a scalar or of an array element's array."""
    return str(expr.base.label if isinstance(expr, Indexed) else expr)
