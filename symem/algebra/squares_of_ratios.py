"""Squares of differences that were divided by what they are differences of: x/m² - 2/m + 1/x is (x - m)²/(m² x)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from sympy import Add, Expr, Mul, S

from symem.algebra.rewriting import bottom_up
from symem.language.matrices import is_matrix


def squares_of_ratios(expr: Expr) -> Expr:
    """Three terms, one of them twice the root of the product of the others, as one square, in every sum.

    >>> from sympy.abc import a, b, c
    >>> squares_of_ratios(c*a/b**2 - 2*c/b + c/a)
    c*(a - b)**2/(a*b**2)
    """
    return bottom_up(expr, lambda node: _gathered(node) if node.is_Add and not is_matrix(node) else node)


def _gathered(expr: Add) -> Expr:
    powers = {term: _powers(term) for term in expr.args}
    doubled = {frozenset((base, 2 * exponent) for base, exponent in powers[t].items()): t for t in expr.args}
    for one, other in combinations(expr.args, 2):
        bases = powers[one].keys() | powers[other].keys()
        sums = {base: powers[one].get(base, 0) + powers[other].get(base, 0) for base in bases}
        halves = {base: (powers[one].get(base, 0) - powers[other].get(base, 0)) / S(2) for base in bases}
        cross = doubled.get(frozenset(pair for pair in sums.items() if pair[1] != 0))
        if cross is not None and _is_ratio(halves.values()):
            a, b = (Mul(*(base ** max(sign * h, 0) for base, h in halves.items())) for sign in (1, -1))
            first, second, third = (term.as_coeff_Mul()[0] for term in (one, other, cross))
            if third**2 == 4 * first * second:
                square = other / b**2 * (third / (2 * second) * a + b) ** 2
                rest = (term for term in expr.args if term not in (one, other, cross))
                return squares_of_ratios(Add(*rest)) + square
    return expr


def _powers(term: Expr) -> dict[Expr, Expr]:
    """The exponents of the factors that are no numbers."""
    return {} if term.is_number else dict(term.as_coeff_Mul()[1].as_powers_dict())


def _is_ratio(exponents: Iterable[Expr]) -> bool:
    """Whether these are whole, and some above and some below 0."""
    found = list(exponents)
    whole = all(each.is_Integer for each in found)
    return whole and any(each > 0 for each in found) and any(each < 0 for each in found)
