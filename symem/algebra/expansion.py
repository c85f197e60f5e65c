"""Expressions with sums as sums of products: what two of them have in common is then found term by term.

Sums are taken apart and nested ones merged; what is free of an index leaves its sum, and a free sum is a size;
brackets are those of equations alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Add, And, Eq, Expr, Mul, Ne, S, Sum, Symbol, expand

from symem.language.plates import Iverson


def monomials(expr: Expr) -> dict[Expr, Expr]:
    """Products that the expression is a sum of, with their numbers; sums are taken apart too."""
    found: dict[Expr, Expr] = {}
    for term in Add.make_args(spread(expr)):
        number, product = term.as_coeff_Mul()
        found[product] = found.get(product, S.Zero) + number
    return {product: number for product, number in found.items() if number != 0}


def spread(expr: Expr) -> Expr:
    """Expanded, with every sum split into sums of products, and constants and sizes taken out."""
    expr = expr.xreplace({each: _positive(each.args[0]) for each in expr.atoms(Iverson)})
    sums = sorted((each for each in expr.atoms(Sum) if not _inside(each, expr)), key=str)
    return expand(expr.xreplace({each: _spread_sum(each) for each in sums}))


def _positive(condition: Any) -> Expr:
    """The bracket of a condition in brackets of equations alone: [a != b] is 1 - [a = b]."""
    if isinstance(condition, And):
        return Mul(*map(_positive, sorted(condition.args, key=str)))
    return S.One - Iverson(Eq(*condition.args)) if isinstance(condition, Ne) else Iverson(condition)


def _inside(small: Sum, expr: Expr) -> bool:
    """Whether a sum stands within another one of the expression."""
    return any(each != small and each.function.has(small) for each in expr.atoms(Sum))


def _spread_sum(whole: Sum) -> Expr:
    limits = {index: (lower, upper) for index, lower, upper in whole.limits}
    return Add(*(_sum_of(term, limits) for term in Add.make_args(spread(whole.function))))


def _sum_of(term: Expr, limits: Mapping[Symbol, tuple[Expr, Expr]]) -> Expr:
    """The sum of one product: factors free of every index outside, free sums as sizes, nested sums merged."""
    inner = [factor for factor in Mul.make_args(term) if isinstance(factor, Sum)]
    if len(inner) == 1 and not any(limits.keys() & {limit[0] for limit in inner[0].limits}):
        rest = Mul(*(factor for factor in Mul.make_args(term) if factor is not inner[0]))
        nested = {index: (lower, upper) for index, lower, upper in inner[0].limits}
        return _sum_of(rest * inner[0].function, {**limits, **nested})
    held = [factor for factor in Mul.make_args(term) if factor.free_symbols & limits.keys()]
    outside = Mul(*(factor for factor in Mul.make_args(term) if factor not in held))
    product = Mul(*held)
    bound = {i: ends for i, ends in limits.items() if i in _needed(product, limits)}
    sizes = Mul(*(ends[1] - ends[0] + 1 for i, ends in limits.items() if i not in bound))
    order = sorted(bound, key=lambda index: index.name)
    return outside * sizes * (Sum(product, *((i, *bound[i]) for i in order)) if bound else product)


def _needed(product: Expr, limits: Mapping[Symbol, tuple[Expr, Expr]]) -> set[Symbol]:
    needed = product.free_symbols & limits.keys()
    ends = {s for i in needed for end in limits[i] for s in end.free_symbols} & limits.keys()
    return set(needed | ends)
