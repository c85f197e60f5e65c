"""What must not vanish for a root to exist, read off the root: the conditions that a certificate states."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from sympy import Add, Expr, Mul, Pow, S, atan2, fraction, log, oo, together

from symem.language.support import Support
from symem.language.supports import Positive
from symem.language.traces import words

#: Operations up to which a value is written as one ratio.
LONG = 200


def of_ratio(value: Expr, support: Support) -> Iterable[Expr]:
    """The denominators, and what a positive number is a multiple of."""
    above, below = fraction(together(value)) if value.count_ops() < LONG else (value, S.One)
    factors = [*Mul.make_args(below), *(Mul.make_args(above) if support.bounds == (0, oo) else ())]
    return (f.base if isinstance(f, Pow) else f for f in factors)


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
