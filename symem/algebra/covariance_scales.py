"""Ways to state a covariance of two numbers: by its scales and a correlation, by variances, by its entries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Matrix, Symbol, diff, log, sqrt, symbols

#: Two positive numbers, and what ties them: at 0 the covariance is diagonal.
FIRST, SECOND = symbols("_a _b", positive=True)
TIE = Symbol("_c", real=True)
SCALES = (FIRST, SECOND, TIE)


@dataclass(frozen=True)
class Scales:
    """Σ in two scales and what ties them, and these in Σ: one to one."""

    covariance: Matrix
    back: Callable[[Expr, Expr, Expr], tuple[Expr, Expr, Expr]]

    def slopes(self, count: Expr, scatter: Matrix) -> tuple[Expr, ...]:
        """The derivatives of -N/2 log det Σ - tr(Σ⁻¹S)/2 by the scales and the tie."""
        value = -count * log(self.covariance.det()) / 2 - (self.covariance.inv() * scatter).trace() / 2
        return tuple(diff(value, each) for each in SCALES)


def _symmetric(first: Expr, beside: Expr, second: Expr) -> Matrix:
    return Matrix([[first, beside], [beside, second]])


STATED = (
    Scales(
        _symmetric(FIRST**2, FIRST * SECOND * TIE, SECOND**2),
        lambda xx, xy, yy: (sqrt(xx), sqrt(yy), xy / (sqrt(xx) * sqrt(yy))),
    ),
    Scales(
        _symmetric(FIRST, sqrt(FIRST * SECOND) * TIE, SECOND),
        lambda xx, xy, yy: (xx, yy, xy / (sqrt(xx) * sqrt(yy))),
    ),
    Scales(_symmetric(FIRST, TIE, SECOND), lambda xx, xy, yy: (xx, yy, xy)),
)
