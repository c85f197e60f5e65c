"""Scales of a covariance, as the checker sees them: ∂Q by all of them is that of -N/2 log det Σ - N tr(Σ⁻¹Σ̂)/2.

Σ̂ is what the claimed updates give, so that this is 0 at them; with N > 0 and Σ̂ regular it is 0 there alone, and Q largest.
Nothing here is shared with the solver.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sympy import Dummy, Expr, S

from symem.algebra.covariance_scales import FIRST, SCALES, STATED, Scales
from symem.calculus.signs import Signs


@dataclass(frozen=True)
class CovarianceClaims:
    """The derivatives by two scales and what ties them, the parameters, and their updates."""

    slopes: Sequence[Expr]
    parameters: Sequence[Expr]
    values: Sequence[Expr]
    vanishes: Callable[[Expr], bool]
    signs: Signs
    #: Two scales and what ties them are one.
    size: ClassVar[int] = 3

    @property
    def names(self) -> str:
        return ", ".join(map(str, self.parameters))

    def stated(self) -> tuple[Scales, Expr] | None:
        """How Σ is stated, and N; None where the derivatives are no such."""
        rules = dict(zip(self.parameters, SCALES, strict=True))
        bare = [slope.xreplace(rules) for slope in self.slopes]
        for scales in STATED:
            count = self._count(scales, bare[0])
            expected = scales.slopes(count, count * self._estimate(scales))
            if all(self.vanishes(slope - each) for slope, each in zip(bare, expected, strict=True)):
                return scales, count
        return None

    def _count(self, scales: Scales, slope: Expr) -> Expr:
        """N, by which the slope falls as the scale grows without bound: a ∂Q/∂a → -N ∂(log det Σ)/∂(log a)/2."""
        plain = scales.slopes(S.One, 0 * scales.covariance)[0] * FIRST
        ahead = (slope * FIRST).expand().xreplace({SCALES[2]: S.Zero})
        return ahead.as_independent(FIRST, as_Add=True)[0] / plain.xreplace({SCALES[2]: S.Zero}).simplify()

    def _estimate(self, scales: Scales) -> Expr:
        return scales.covariance.xreplace(dict(zip(SCALES, self.values, strict=True)))

    def holds(self) -> bool:
        """Whether the updates are the maximum, if Σ̂ is regular."""
        found = self.stated()
        return found is not None and self.signs(found[1]) in (0, 1) and self.is_semidefinite(*found)

    def within(self, low: Expr, high: Expr) -> str:
        """Why a value lies between such ends; empty where it is not because of the others."""
        tied = (low, high) == (-1, 1) and self.holds()
        return "the update lies between -1 and 1 (Cauchy-Schwarz)" if tied else ""

    def is_semidefinite(self, scales: Scales, count: Expr) -> bool:
        """N Σ̂ is: (1, t) N Σ̂ (1, t)ᵀ ≥ 0 for every t."""
        t = Dummy("t", real=True)
        (xx, xy), (_yx, yy) = (count * self._estimate(scales)).tolist()
        return self.signs((xx + 2 * t * xy + t**2 * yy).expand()) in (0, 1)
