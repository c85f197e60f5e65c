"""The gamma law between two ends: functions of which the incomplete gamma functions keep no digits in the tails."""

from __future__ import annotations

from mpmath.libmp import prec_to_dps
from sympy import Expr, Function, S, exp, log, loggamma, lowergamma, oo, uppergamma
from sympy.core.function import ArgumentIndexError


def incomplete_gamma(shape: Expr, low: Expr, high: Expr) -> Expr:
    """∫ t^(s - 1) e^-t dt between two ends, in the functions of books."""
    if high == oo:
        return uppergamma(shape, low, evaluate=False)
    if low == 0:
        return lowergamma(shape, high, evaluate=False)
    return lowergamma(shape, high, evaluate=False) - lowergamma(shape, low, evaluate=False)


class LogGammaInterval(Function):  # type: ignore[misc]
    """log P(low < T < high), T with the Gamma law of a shape and of rate 1: args (shape, low, high)."""

    nargs = 3
    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        if argindex == 1:
            raise ArgumentIndexError(self, argindex)
        return (-1) ** (argindex + 1) * _density_at(self.args, argindex)

    def _eval_evalf(self, prec: int) -> Expr:
        shape, digits = self.args[0], prec_to_dps(prec)
        return (log(incomplete_gamma(*self.args)) - loggamma(shape)).evalf(digits) if shape != 0 else S.Zero


class GammaIntervalMean(Function):  # type: ignore[misc]
    """E[T | low < T < high] of the same T: args (shape, low, high)."""

    nargs = 3
    is_nonnegative = True

    def fdiff(self, argindex: int = 1) -> Expr:
        if argindex == 1:
            raise ArgumentIndexError(self, argindex)
        end = self.args[argindex - 1]
        return (-1) ** (argindex + 1) * _density_at(self.args, argindex) * (end - self)

    def _eval_evalf(self, prec: int) -> Expr:
        shape, low, high = self.args
        mean = incomplete_gamma(shape + 1, low, high) / incomplete_gamma(shape, low, high)
        return mean.evalf(prec_to_dps(prec)) if shape != 0 else S.Zero


def _density_at(arguments: tuple[Expr, ...], argindex: int) -> Expr:
    """The density at an end, of the law between both."""
    shape, end = arguments[0], arguments[argindex - 1]
    return exp((shape - 1) * log(end) - end - loggamma(shape) - LogGammaInterval(*arguments))
