"""Counting from one: inside, indices and labels run from 0; in print, from 1, as the literature has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sympy import Expr, Indexed, Mul, Pow, Product, Sum, Symbol
from sympy.core.relational import Relational

from symem.language.leaves import name_of
from symem.language.matrices import Unit
from symem.language.plates import Axis, LinearSolution
from symem.language.traces import Element


@dataclass(frozen=True)
class FromOne:
    """Rewrites an expression so that indices, slots and labels count from 1.

    `indices` are the symbols that count plates, `labels` the names of arrays and scalars whose values count
    categories. `natural` holds the axes that keep counting from 0, because their values are numbers (the
    outcomes of a coin), and `natural_slots` the array slots where such an index stands.
    """

    indices: frozenset[Symbol] = frozenset()
    labels: frozenset[str] = frozenset()
    natural: frozenset[Axis] = frozenset()
    natural_slots: frozenset[tuple[str, int]] = frozenset()

    def within(self, axes: Iterable[Axis]) -> FromOne:
        """The same where these axes are in scope: an index may be a coin here and a plate there."""
        numbers = {axis.index for axis in axes if axis in self.natural}
        plates = {axis.index for axis in axes if axis not in self.natural}
        return replace(self, indices=(self.indices | plates) - numbers)

    def __call__(self, expr: Expr) -> Expr:
        if isinstance(expr, Sum | Product):
            return self._bound(expr)
        if isinstance(expr, Indexed):
            return self._indexed(expr)
        if isinstance(expr, LinearSolution):
            return self._component(expr)
        if isinstance(expr, Element | Unit):
            return self._placed(expr)
        if isinstance(expr, Symbol):
            return expr - 1 if expr in self.indices or expr.name in self.labels else expr
        if isinstance(expr, Relational):
            return self._relation(expr)
        if not expr.args:
            return expr
        return rebuilt(expr, [self(argument) for argument in expr.args])

    def _bound(self, expr: Expr) -> Expr:
        axes = [Axis(index, upper + 1) for index, _lower, upper in expr.limits]
        inner = self.within(axes)
        limits = [
            limit if axis in self.natural else (limit[0], inner(limit[1]) + 1, inner(limit[2]) + 1)
            for axis, limit in zip(axes, expr.limits, strict=True)
        ]
        return expr.func(inner(expr.function), *limits)

    def _placed(self, expr: Expr) -> Expr:
        """An entry of a matrix, or a unit vector."""
        first, *rest = map(self, expr.args)
        return Unit(first + 1, *rest) if isinstance(expr, Unit) else Element(first, *(p + 1 for p in rest))

    def _component(self, expr: LinearSolution) -> LinearSolution:
        place, row, column, matrix, vector, size = expr.args
        inner = self.within([Axis(row, size), Axis(column, size)])
        return LinearSolution(self(place) + 1, row, column, inner(matrix), inner(vector), self(size))

    def _indexed(self, expr: Expr) -> Expr:
        name = name_of(expr)
        slots = [
            self(slot) + (0 if (name, place) in self.natural_slots else 1)
            for place, slot in enumerate(expr.indices)
        ]
        shifted = expr.func(expr.base, *slots)
        return shifted - 1 if name in self.labels else shifted

    def _relation(self, expr: Expr) -> Expr:
        sides = [self(side) for side in expr.args]
        if any(side.is_Add and side.as_coeff_Add()[0] == -1 for side in sides):
            sides = [side + 1 for side in sides]
        return expr.func(*sides, evaluate=False)


def rebuilt(expr: Expr, arguments: list[Expr]) -> Expr:
    """The expression with other arguments; products and powers keep the shape that was chosen for print, but a minus before
    a sum goes into it: 1 - l, counted from 1, is 2 - l.
    """
    if tuple(arguments) == expr.args:
        return expr
    if isinstance(expr, Mul) and len(arguments) == 2 and arguments[0] == -1 and arguments[1].is_Add:
        return -arguments[1]
    return expr.func(*arguments, evaluate=False) if isinstance(expr, Mul | Pow) else expr.func(*arguments)
