"""The gamma law between two ends: functions of which the incomplete gamma functions keep no digits in the tails."""

from __future__ import annotations

from typing import Any

import mpmath
from mpmath.libmp import prec_to_dps
from sympy import Add, Expr, Float, Function, S, exp, log, loggamma, lowergamma, oo, polygamma, uppergamma
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
            return GammaIntervalLogMean(*self.args) - polygamma(0, self.args[0])
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
            return self._covariance_with_log()
        end = self.args[argindex - 1]
        return (-1) ** (argindex + 1) * _density_at(self.args, argindex) * (end - self)

    def _eval_evalf(self, prec: int) -> Expr:
        shape, low, high = self.args
        mean = incomplete_gamma(shape + 1, low, high) / incomplete_gamma(shape, low, high)
        return mean.evalf(prec_to_dps(prec)) if shape != 0 else S.Zero

    def _covariance_with_log(self) -> Expr:
        """Cov(T, log T), by parts: 1 and what each end adds."""
        mean, ends = GammaIntervalLogMean(*self.args), self.args[1:]
        beside = (
            (-1) ** place * end * (log(end) - mean) * _density_at(self.args, place)
            for place, end in enumerate(ends, start=2)
            if end not in (0, oo)
        )
        return Add(S.One, *beside)


class LogIncompleteGamma(Function):  # type: ignore[misc]
    """log ∫ t^(s - 1) e^-t dt between two ends, convex in s: args (s, low, high)."""

    nargs = 3
    is_real = True

    @classmethod
    def eval(cls, shape: Expr, low: Expr, high: Expr) -> Expr | None:
        if shape == 1 and high == oo:
            return -low
        return loggamma(shape) if (low, high) == (0, oo) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        if argindex == 1:
            return GammaIntervalLogMean(*self.args)
        return (-1) ** (argindex + 1) * _density_at(self.args, argindex)

    def _eval_evalf(self, prec: int) -> Expr:
        return log(incomplete_gamma(*self.args)).evalf(prec_to_dps(prec))


class GammaIntervalLogMean(Function):  # type: ignore[misc]
    """E[log T | low < T < high] of the same T, the slope of log ∫ t^(s - 1) e^-t dt in s: args (shape, low, high)."""

    nargs = 3
    is_real = True

    @classmethod
    def eval(cls, shape: Expr, low: Expr, high: Expr) -> Expr | None:
        return polygamma(0, shape) if (low, high) == (0, oo) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        if argindex == 1:
            return GammaIntervalLogVariance(*self.args)
        end = self.args[argindex - 1]
        return (-1) ** (argindex + 1) * _density_at(self.args, argindex) * (log(end) - self)

    def _eval_evalf(self, prec: int) -> Expr:
        return _slope_of_logarithm(self.args, 1, prec)


class GammaIntervalLogVariance(Function):  # type: ignore[misc]
    """Var(log T | low < T < high) of the same T: args (shape, low, high)."""

    nargs = 3
    is_nonnegative = True

    @classmethod
    def eval(cls, shape: Expr, low: Expr, high: Expr) -> Expr | None:
        return polygamma(1, shape) if (low, high) == (0, oo) else None

    def fdiff(self, argindex: int = 1) -> Expr:
        if argindex == 1:
            raise ArgumentIndexError(self, argindex)
        end, mean = self.args[argindex - 1], GammaIntervalLogMean(*self.args)
        return (-1) ** (argindex + 1) * _density_at(self.args, argindex) * ((log(end) - mean) ** 2 - self)

    def _eval_evalf(self, prec: int) -> Expr:
        return _slope_of_logarithm(self.args, 2, prec)


def _slope_of_logarithm(arguments: tuple[Expr, ...], order: int, prec: int) -> Expr:
    """A derivative in s of log ∫ t^(s - 1) e^-t dt, as a number."""
    with mpmath.workprec(4 * prec + 40):
        shape, low, high = (each._to_mpmath(mpmath.mp.prec) for each in arguments)  # noqa: SLF001 - SymPy's own way

        def whole(s: Any) -> Any:
            if low <= shape:
                return mpmath.log(mpmath.gammainc(s, low, high))
            tail = mpmath.gammainc(s, high) if mpmath.isfinite(high) else 0
            return mpmath.log(mpmath.gammainc(s, low) - tail)

        step = (
            mpmath.mpf(2) ** (-prec - 10) * max(1, shape)
            if shape > 1
            else shape * mpmath.mpf(2) ** (-prec - 10)
        )
        before, here, after = (whole(shape + each) for each in (-step, 0, step))
        found = (after - before) / (2 * step) if order == 1 else (after - 2 * here + before) / step**2
        return Float(found, precision=prec)


class LogGammaDensity(Function):  # type: ignore[misc]
    """The log-density of the same T at a place, which may be infinite: args (shape, place)."""

    nargs = 2
    is_extended_real = True

    @property
    def written_out(self) -> Expr:
        """It in the functions of books."""
        shape, place = self.args
        return (shape - 1) * log(place) - place - loggamma(shape)

    def fdiff(self, argindex: int = 1) -> Expr:
        shape, place = self.args
        return log(place) - polygamma(0, shape) if argindex == 1 else (shape - 1) / place - 1

    def _eval_evalf(self, prec: int) -> Expr:
        return self.written_out.evalf(prec_to_dps(prec))


def _density_at(arguments: tuple[Expr, ...], argindex: int) -> Expr:
    """The density at an end, of the law between both."""
    return exp(LogGammaDensity(arguments[0], arguments[argindex - 1]) - LogGammaInterval(*arguments))
