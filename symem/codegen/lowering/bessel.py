"""Modified Bessel functions of the second kind by their logarithms, which neither overflow nor vanish.

K_p(x) leaves the range of floating-point numbers for small x and for large x, where the moments of a generalised
inverse Gaussian law, ratios K_{p+1}(x)/K_p(x), are ordinary numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Add, Expr, Function, Pow, besselk, exp


class LogBesselK(Function):  # type: ignore[misc]
    """log K_p(x): args (p, x)."""

    nargs = 2
    is_real = True


def by_logarithms(factors: Iterable[Expr]) -> list[Expr]:
    """The factors of a product, with those that are numeric powers of Bessel functions as one exponential."""
    kept: list[Expr] = []
    logarithms: list[Expr] = []
    for factor in factors:
        base, power = factor.as_base_exp() if isinstance(factor, Pow) else (factor, 1)
        if isinstance(base, besselk):
            logarithms.append(power * LogBesselK(*base.args))
        else:
            kept.append(factor)
    return [*kept, exp(Add(*logarithms))] if logarithms else kept
