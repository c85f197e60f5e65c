"""Functions that SymPy has no stable form for: of the normal law, and shares by their logarithms."""

from __future__ import annotations

from mpmath.libmp import prec_to_dps
from sympy import Expr, Function, erf, exp, log, oo, pi, sqrt, sympify


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
