"""Functions that SymPy has no stable form for: of the normal law, shares by their logarithms, ratios of gamma functions."""

from __future__ import annotations

from mpmath.libmp import prec_to_dps
from sympy import Add, Expr, Function, Mul, Pow, digamma, erf, exp, log, loggamma, oo, pi, sqrt, sympify


class NormalCDF(Function):  # type: ignore[misc]
    """Phi(x), the standard normal distribution function."""

    nargs = 1
    is_positive = True

    def fdiff(self, _argindex: int = 1) -> Expr:
        return exp(-(self.args[0] ** 2) / 2) / sqrt(2 * pi)

    def _eval_evalf(self, prec: int) -> Expr:
        return ((1 + erf(self.args[0] / sqrt(2))) / 2).evalf(prec_to_dps(prec))


class LogNormalInterval(Function):  # type: ignore[misc]
    """log(Phi(b) - Phi(a)), kept whole because the difference loses every digit in the tails."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        edge = self.args[argindex - 1]
        return (-1) ** argindex * exp(-(edge**2) / 2 - self) / sqrt(2 * pi)

    def _eval_evalf(self, prec: int) -> Expr:
        below, above = (
            1 if end == oo else 0 if end == -oo else (1 + erf(end / sqrt(2))) / 2 for end in self.args
        )
        return log(sympify(above) - below).evalf(prec_to_dps(prec))


class FromLog(Function):  # type: ignore[misc]
    """exp(x), kept whole: of a difference of logarithms SymPy would make a ratio, which overflows."""

    nargs = 1
    is_positive = True

    def fdiff(self, _argindex: int = 1) -> Expr:
        return self

    def _eval_evalf(self, prec: int) -> Expr:
        return exp(self.args[0]).evalf(prec_to_dps(prec))


def by_logs(expr: Expr) -> Expr:
    """Exponentials over sums of such by the logarithm of the ratio, which neither overflows nor is undefined."""
    if not expr.args or not expr.has(exp):
        return expr
    factors = Mul.make_args(expr)
    below = [
        each for each in factors if isinstance(each, Pow) and each.exp.is_negative and each.base.has(exp)
    ]
    if not below:
        return expr.func(*(by_logs(part) if isinstance(part, Expr) else part for part in expr.args))
    above = [each for each in factors if isinstance(each, exp)]
    power = Add(*(each.args[0] for each in above), *(each.exp * log(each.base) for each in below))
    return Mul(FromLog(power), *(by_logs(each) for each in factors if each not in (*above, *below)))


class LogGammaRatio(Function):  # type: ignore[misc]
    """log Γ(a + d) - log Γ(a): args (a, d), a positive and d not negative; for a large a the difference loses its digits."""

    nargs = 2
    is_real = True

    @property
    def difference(self) -> Expr:
        """The same as two terms."""
        a, d = self.args
        return loggamma(a + d) - loggamma(a)

    def fdiff(self, argindex: int = 1) -> Expr:
        a, d = self.args
        return digamma(a + d) - (digamma(a) if argindex == 1 else 0)

    def _eval_evalf(self, prec: int) -> Expr:
        return self.difference.evalf(prec_to_dps(prec))
