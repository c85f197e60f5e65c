"""The direction of a vector in the plane, which no positive multiple of it changes."""

from __future__ import annotations

from sympy import Expr, Mul, atan2


def angle(sine: Expr, cosine: Expr) -> Expr:
    """The angle of (cosine, sine), positive factors that both share left out.

    >>> from sympy import symbols
    >>> (x, y), c = symbols("x y", real=True), symbols("c", positive=True)
    >>> angle(-c * y, -c * x)
    atan2(-y, -x)
    """
    others = Mul.make_args(cosine)
    shared = Mul(*(factor for factor in Mul.make_args(sine) if factor in others and factor.is_positive))
    return atan2(sine / shared, cosine / shared)
