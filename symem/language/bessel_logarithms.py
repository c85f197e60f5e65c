"""Modified Bessel functions by their logarithms, which neither overflow nor vanish.

I_p(x) overflows from x = 710 on, where log I₀(κ) of a von Mises law is an ordinary number. K_p(x) leaves the range of floating-point numbers for small x and for large x, where the moments of a generalised
inverse Gaussian law, ratios K_{p+1}(x)/K_p(x), are ordinary numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sympy import Add, Expr, Function, Pow, besseli, besselk, exp


class LogBesselK(Function):  # type: ignore[misc]
    """log K_p(x): args (p, x)."""

    nargs = 2
    is_real = True


class LogScaledBesselI(Function):  # type: ignore[misc]
    """log I_p(x) - x: args (p, x). In a ratio of two at one x, x has gone before digits can be lost beside it."""

    nargs = 2
    is_real = True


#: The function that stands for the logarithm of another.
LOGARITHMS: Mapping[Any, Callable[..., Expr]] = {
    besselk: LogBesselK,
    besseli: lambda order, x: x + LogScaledBesselI(order, x),
}


def by_logarithms(factors: Iterable[Expr]) -> list[Expr]:
    """The factors of a product, with those that are numeric powers of Bessel functions as one exponential."""
    kept: list[Expr] = []
    logarithms: list[Expr] = []
    for factor in factors:
        base, power = factor.as_base_exp() if isinstance(factor, Pow) else (factor, 1)
        if base.func in LOGARITHMS:
            logarithms.append(power * LOGARITHMS[base.func](*base.args))
        else:
            kept.append(factor)
    return [*kept, exp(Add(*logarithms))] if logarithms else kept
