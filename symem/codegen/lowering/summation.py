"""Sums as nodes: contractions, with brackets under them collapsed, scattered or turned into masks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from sympy import Add, Expr, Ge, Le, Mul, S, Sum, Symbol, exp

from symem.codegen.ir.nodes import Apply, Axes, LogTotal, Node, Scatter, union, without
from symem.codegen.lowering.contraction import add, apply, multiply, negated, sum_of_product
from symem.codegen.lowering.layouts import Reader
from symem.codegen.lowering.selection import collapsed, is_finite, key_of, parted, read_by
from symem.language.bessel_logarithms import by_logarithms
from symem.language.plates import Iverson, reindex


class Summation:
    """Reads sums, their terms by `lower`."""

    def __init__(self, lower: Reader) -> None:
        self.lower = lower

    def of(self, expr: Sum) -> Node:
        conditions = [test for limit in reversed(expr.limits) for test in self._enter(*limit)]
        over = [limit[0] for limit in expr.limits]
        return add(
            self.lower.rank,
            [self._sum_of(term, list(over), conditions) for term in Add.make_args(expr.function)],
        )

    def logarithm(self, expr: Expr) -> Node | None:
        """log Σ exp over whole axes that the exponents have."""
        if not isinstance(expr, Sum) or not isinstance(expr.function, exp):
            return None
        conditions = [test for limit in reversed(expr.limits) for test in self._enter(*limit)]
        over = tuple(limit[0] for limit in expr.limits)
        value = self.lower(expr.function.args[0])
        if conditions or not set(over) <= set(value.axes):
            return None
        return LogTotal(without(value.axes, over), value, over)

    def _enter(self, index: Symbol, lower: Expr, upper: Expr) -> list[Expr]:
        """Register an index; the conditions by which a dependent range differs from a full one."""
        inner = {
            symbol: self.lower.sizes[symbol] - 1
            for symbol in upper.free_symbols
            if symbol in self.lower.sizes
        }
        self.lower.sizes[index] = (upper.subs(inner) if inner else upper) + 1
        tests = [Iverson(Le(index, upper))] if inner else []
        return [*tests, Iverson(Ge(index, lower))] if lower != 0 else tests

    def _sum_of(self, term: Expr, over: list[Symbol], conditions: list[Expr]) -> Node:
        product = by_logarithms(Mul.make_args(term))
        factors = [part for factor in (*product, *conditions) for part in parted(factor)]
        factors = collapsed(factors, over, self.lower.sizes)
        keys = [key for factor in factors if (key := key_of(factor, over))]
        rest = [factor for factor in factors if not key_of(factor, over)]
        if keys and len({v for v, _ in keys}) == len(keys):
            return self._by_key(rest, keys, over)
        coefficient, signed = _sign(factors)
        masks = [factor for factor in signed if isinstance(factor, Iverson)]
        nodes = self._filled([factor for factor in signed if factor not in masks], over, masks)
        node = sum_of_product(self.lower.rank, self._shielded(self._masked(nodes, masks)), tuple(over))
        return node if coefficient > 0 else negated(self.lower.rank, node)

    def _masked(self, nodes: list[Node], masks: list[Expr]) -> list[Node]:
        """Brackets as choices, so that they win over what is infinite or undefined where they do not hold."""
        for mask in masks:
            condition = self.lower(mask.args[0])
            inside = [node for node in nodes if node.axes and set(node.axes) <= set(condition.axes)]
            value = multiply(self.lower.rank, inside)
            chosen = apply(self.lower.rank, "where", condition, value, self.lower.number(S.Zero))
            nodes = [*(node for node in nodes if node not in inside), chosen]
        return nodes

    def _shielded(self, nodes: list[Node]) -> list[Node]:
        """What a probability of 0 weighs counts for 0, be it infinite or undefined."""
        held = [node for node in nodes if read_by(node) in self.lower.tables]
        risky = [node for node in nodes if node not in held and node.axes and not is_finite(node)]
        if not held or not risky:
            return nodes
        possible = [apply(self.lower.rank, ">", node, self.lower.number(S.Zero)) for node in held]
        condition = reduce(lambda a, b: apply(self.lower.rank, "&", a, b), possible)
        chosen = apply(
            self.lower.rank, "where", condition, multiply(self.lower.rank, risky), self.lower.number(S.Zero)
        )
        return [*(node for node in nodes if node not in risky), chosen]

    def _filled(self, factors: list[Expr], over: list[Symbol], masks: Iterable[Expr] = ()) -> list[Node]:
        """The factors as nodes, with the size of every summed axis that none of them has."""
        nodes = [part for factor in factors for part in self._split(factor)]
        held = {axis for node in (*nodes, *map(self.lower, masks)) for axis in node.axes}
        return [*nodes, *(self.lower.size(index) for index in over if index not in held)]

    def _split(self, factor: Expr) -> list[Node]:
        node = self.lower(factor)
        if isinstance(node, Apply) and node.operation == "*":
            return list(node.arguments)
        return [node]

    def _by_key(self, rest: list[Expr], keys: list[tuple[Symbol, Expr]], over: list[Symbol]) -> Node:
        """Σ by key; what the sum does not touch stands before it."""
        before = [each for each in rest if not each.free_symbols & set(over) and each.has(Sum)]
        inside = [reindex(each, dict(keys)) for each in rest if each not in before]
        scattered = self._scattered(inside, keys, tuple(over))
        return multiply(self.lower.rank, [*map(self.lower, before), scattered])

    def _scattered(self, rest: list[Expr], keys: list[tuple[Symbol, Expr]], over: Axes) -> Node:
        nodes = tuple((v, self.lower(key)) for v, key in keys)
        value = multiply(
            self.lower.rank, self._filled(rest, [a for a in over if not any(a in n.axes for _, n in nodes)])
        )
        free = without(union(self.lower.rank, [value, *(node for _, node in nodes)]), over)
        axes = tuple(sorted({*free, *(v for v, _ in nodes)}, key=self.lower.rank))
        return Scatter(axes, value, nodes, over, tuple(self.lower.size(axis) for axis in axes))


def _sign(factors: list[Expr]) -> tuple[int, list[Expr]]:
    number = Mul(*(factor for factor in factors if factor.is_Rational))
    rest = [factor for factor in factors if not factor.is_Rational]
    return (-1 if number < 0 else 1), ([abs(number), *rest] if abs(number) != 1 else rest)
