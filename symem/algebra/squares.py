"""Expanded squares of numbers as squares: c a² - 2 c a b + c b² is c (a - b)².

The parts may be forms of vectors too: (y - xᵀβ)².
"""

from __future__ import annotations

from itertools import combinations

from sympy import Add, Expr, Function, Indexed, Mul, Pow, Sum, Symbol

from symem.algebra.rewriting import bottom_up
from symem.language.matrices import is_matrix
from symem.language.traces import Tr


def squares(expr: Expr) -> Expr:
    """c a**2 - 2 c a b + c b**2 as c (a - b)**2, in every sum, for any number of parts.

    >>> from sympy.abc import a, b, c
    >>> squares(a**2/(2*c) - a*b/c + b**2/(2*c))
    (a - b)**2/(2*c)
    """
    return bottom_up(expr, lambda node: _gathered(node) if node.is_Add and not is_matrix(node) else node)


def _gathered(expr: Add) -> Expr:
    terms = set(expr.args)
    roots = [(term, *split) for term in expr.args if (split := _as_square(term))]
    for scale in dict.fromkeys(scale for _, scale, _ in roots):
        parts = [root for _, other, root in roots if other == scale]
        signed = _signed(parts, scale, terms)
        if len(signed) > 1:
            used = {scale * root**2 for _, root in signed}
            used |= {2 * scale * s * t * a * b for (s, a), (t, b) in combinations(signed, 2)}
            rest = [term for term in expr.args if term not in used]
            square = scale * Add(*(sign * root for sign, root in signed)) ** 2
            return squares(Add(*rest)) + square
    return expr


def _as_square(term: Expr) -> tuple[Expr, Expr] | None:
    """term = scale * root**2, the root made of numerator factors that are symbols or arrays."""
    plain = [
        factor.base
        for factor in Mul.make_args(term)
        if isinstance(factor, Pow)
        and factor.exp == 2
        and isinstance(factor.base, Symbol | Indexed | Function | Tr)
    ]
    root = Mul(*plain)
    return (term / root**2, root) if root != 1 else None


def _signed(parts: list[Expr], scale: Expr, terms: set[Expr]) -> list[tuple[int, Expr]]:
    """The largest run of parts, with signs, all of whose cross terms are there."""
    signed: list[tuple[int, Expr]] = []
    for part in parts:
        for sign in (1, -1) if signed else (1,):
            if all(2 * scale * s * sign * other * part in terms for s, other in signed):
                signed.append((sign, part))
                break
    return signed


def merged_sums(expr: Expr) -> Expr:
    """Sums over the same plates as one, in every sum of sums."""
    return bottom_up(expr, lambda node: _one_sum(node) if node.is_Add else node)


def _one_sum(expr: Add) -> Expr:
    bodies: dict[tuple[Expr, frozenset[Expr]], list[Expr]] = {}
    limits: dict[tuple[Expr, frozenset[Expr]], tuple[Expr, ...]] = {}
    others = []
    for term in expr.args:
        number, rest = term.as_coeff_Mul()
        sums = [factor for factor in Mul.make_args(rest) if isinstance(factor, Sum)]
        outer = Mul(*(factor for factor in Mul.make_args(rest) if factor not in sums))
        if len(sums) != 1 or not outer.is_commutative:
            others.append(term)
            continue
        key = outer, frozenset(sums[0].limits)
        bodies.setdefault(key, []).append(number * sums[0].function)
        limits.setdefault(key, sums[0].limits)
    return Add(*others, *(key[0] * Sum(Add(*parts), *limits[key]) for key, parts in bodies.items()))
