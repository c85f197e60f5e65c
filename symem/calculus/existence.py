"""What must not vanish for a root to exist, read off the root: the conditions that a certificate states."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from sympy import Add, Expr, Mul, Pow, S, atan2, expand, factor_terms, fraction, log, oo, together

from symem.language.support import Support
from symem.language.supports import Positive
from symem.language.traces import words

#: Operations up to which a value is written as one ratio.
LONG = 200


def of_ratio(value: Expr, support: Support) -> Iterable[Expr]:
    """The denominators, and what a positive number is a multiple of."""
    above, below = fraction(together(value)) if value.count_ops() < LONG else (value, S.One)
    factors = [*Mul.make_args(below), *(Mul.make_args(above) if support.bounds == (0, oo) else ())]
    whole = (each for factor in factors for each in Mul.make_args(_with_conjugate(factor)))
    return (f.base if isinstance(f, Pow) else f for f in whole)


def _with_conjugate(value: Expr) -> Expr:
    """p² - q²d for a difference p + q √d, which vanishes with it or with p - q √d; anything else as it stands."""
    bare = value.as_coeff_Mul()[1]
    roots = [part for part in Add.make_args(bare) if _is_root(part)]
    if not isinstance(bare, Add) or len(roots) != 1:
        return value
    return factor_terms(expand((bare - roots[0]) ** 2 - roots[0] ** 2))


def _is_root(part: Expr) -> bool:
    return any(isinstance(f, Pow) and f.exp == S.Half and f.base.free_symbols for f in Mul.make_args(part))


def of_inverse(value: Expr, support: Support) -> Iterable[Expr]:
    """The denominators, and what a logarithm is taken of."""
    inside = sorted((each.args[0] for each in value.atoms(log)), key=str)
    return chain(of_ratio(value, support), *(of_ratio(each, Positive()) for each in inside))


def of_matrix(value: Expr, _support: Support) -> Iterable[Expr]:
    """The numbers that stand below a line in a matrix."""
    factors = (f for c, _word in words(value) for f in Mul.make_args(c))
    return (f.base for f in factors if isinstance(f, Pow) and f.exp.is_negative)


def of_system(_value: Expr, _support: Support) -> Iterable[Expr]:
    """That a linear system is regular is seen when it is solved."""
    return ()


def of_direction(value: Expr, _support: Support) -> Iterable[Expr]:
    """The length of the vector whose direction is taken."""
    return (Add(*(side**2 for side in angle.args)) for angle in value.atoms(atan2))


def anyway(_value: Expr) -> Iterable[Expr]:
    """Nothing needs to be positive that is not."""
    return ()


def logarithms(value: Expr) -> Iterable[Expr]:
    """What logarithms are taken of."""
    return sorted((each.args[0] for each in value.atoms(log)), key=str)
