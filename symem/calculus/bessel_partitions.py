"""log K_p(√(ab)) + p (log b - log a)/2, which is convex in p, a and b together: but for log 2, it is the logarithm of
∫ u^(p - 1) exp(-(au + b/u)/2) du, the log-partition of a generalised inverse Gaussian law (Barndorff-Nielsen 1978).
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Mul, Pow, S, log

from symem.calculus.curvature import Sign
from symem.calculus.differentiate import Unknown
from symem.calculus.separate import Term
from symem.language.bessel_logarithms import LogBesselK


def without_bessel_partitions(terms: Sequence[Term], unknowns: Sequence[Unknown], sign: Sign) -> list[Term]:
    """The terms without multiples of it that are concave, the unknowns being climbed as they are."""
    for term in terms:
        used = _partition(term, terms, unknowns, sign)
        if used:
            left = [each for each in terms if not any(each is one for one in used)]
            return without_bessel_partitions(left, unknowns, sign)
    return list(terms)


def _partition(
    term: Term, terms: Sequence[Term], unknowns: Sequence[Unknown], sign: Sign
) -> list[Term] | None:
    """A term c log K_p(√(ab)), c not positive, with those that make it a multiple of a log-partition; None if they are not there."""
    held = [each for each in Mul.make_args(term.factor) if isinstance(each, LogBesselK)]
    if len(held) != 1 or sign(-term.factor / held[0]) not in (0, 1):
        return None
    order, x = held[0].args
    factors = Mul.make_args(x**2) if isinstance(x, Pow) else [each**2 for each in Mul.make_args(x)]
    moving = [each for each in factors if any(u.entries(each) for u in unknowns)]
    plain = all(any(u.matches(each) for u in unknowns) for each in moving)
    if not plain or len(moving) > 2 or not _is_affine(order, unknowns):
        return None
    weight = term.factor / held[0] * order / 2
    for ways in ((-1, 1), (1, -1)):
        wanted = [way * weight * log(each) for way, each in zip(ways, moving, strict=False)]
        found = [_same(each, term, terms) for each in wanted]
        if all(each is not None for each in found):
            return [term, *(each for each in found if each is not None)]
    return None


def _is_affine(order: Expr, unknowns: Sequence[Unknown]) -> bool:
    """Whether an order is a number, or an entry of an unknown and a number."""
    entries = [each for unknown in unknowns for each in unknown.entries(order)]
    return not entries or (len(entries) == 1 and order.diff(entries[0]).is_number is True)


def _same(factor: Expr, like: Term, terms: Sequence[Term]) -> Term | None:
    """A term of that factor over the axes of another."""
    return next(
        (each for each in terms if each.axes == like.axes and (each.factor - factor).expand() == S.Zero), None
    )
