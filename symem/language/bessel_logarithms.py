"""Modified Bessel functions by their logarithms, which neither overflow nor vanish.

I_p(x) overflows from x = 710 on, where log I₀(κ) of a von Mises law is an ordinary number. K_p(x) leaves the range of floating-point numbers for small x and for large x, where the moments of a generalised
inverse Gaussian law, ratios K_{p+1}(x)/K_p(x), are ordinary numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import mpmath
from mpmath.libmp import prec_to_dps
from sympy import Add, Expr, Float, Function, Pow, besseli, besselk, exp, log
from sympy.core.function import ArgumentIndexError


class LogBesselK(Function):  # type: ignore[misc]
    """log K_p(x): args (p, x)."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return LogBesselKDerivative(*self.args, int(argindex == 1), int(argindex == 2))

    def _eval_evalf(self, prec: int) -> Expr:
        return log(besselk(*self.args)).evalf(prec_to_dps(prec))


class LogBesselKDerivative(Function):  # type: ignore[misc]
    """The derivative of log K_p(x), i times in p and j times in x, i + j being 1 or 2: args (p, x, i, j)."""

    nargs = 4
    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        order, x, i, j = self.args
        if i + j == _HIGHEST or argindex > 2:
            raise ArgumentIndexError(self, argindex)
        return LogBesselKDerivative(order, x, i + (argindex == 1), j + (argindex == 2))

    def _eval_evalf(self, prec: int) -> Expr:
        with mpmath.workprec(2 * prec + 40):
            order, x = (each._to_mpmath(mpmath.mp.prec) for each in self.args[:2])  # noqa: SLF001 - SymPy's own way
            times = tuple(map(int, self.args[2:]))
            return Float(
                mpmath.diff(lambda p, y: mpmath.log(mpmath.besselk(p, y)), (order, x), times), precision=prec
            )


#: How often these are differentiated.
_HIGHEST = 2


class LogScaledBesselI(Function):  # type: ignore[misc]
    """log I_p(x) - x: args (p, x). In a ratio of two at one x, x has gone before digits can be lost beside it."""

    nargs = 2
    is_real = True


def bessel_slope(order: Expr, x: Expr, times: int) -> Expr:
    """log K_p(x), or its first or second derivative in x, in the functions of books (Abramowitz & Stegun 9.6.26)."""
    ratio = besselk(order + 1, x) / besselk(order, x)
    if times == 0:
        return log(besselk(order, x))
    return order / x - ratio if times == 1 else 1 - order / x**2 + (2 * order + 1) * ratio / x - ratio**2


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
