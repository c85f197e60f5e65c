"""The claims of an argument of a factor: where the free energy is largest, and that the factor is a law."""

from __future__ import annotations

from sympy import Expr

from symem.calculus.checker import Checker
from symem.derivation import Certificate, Claim, OfFactor, Status
from symem.language.supports import Simplex

#: F(q_j) = const - KL(q_j || q_j*) with log q_j* = E[log p] over the other factors, for any q_j (Bishop 2006, section 10.1.1).
_GIBBS = (
    "Gibbs' inequality: as a function of one factor the free energy is a constant less KL(q || q*), log q* being the expected "
    "log-density over the others, of which these are the arguments; no other factor, of any form, is as good"
)


def factor_certificate(checker: Checker, update: OfFactor) -> Certificate:
    """Both by Gibbs' inequality, and that the arguments are those of a law by their signs, or checked."""
    stationary = Claim("stationarity", Status.PROVED, "at a maximum over all factors the slope vanishes")
    largest = Claim("second order", Status.PROVED, _GIBBS, unique=True)
    return Certificate(update.parameter, (stationary, largest, _support(checker, update)))


def _support(checker: Checker, update: OfFactor) -> Claim:
    support = checker.variable(update).support
    if isinstance(support, Simplex):
        return Claim("support", Status.PROVED, "exponentials over their sum are shares")
    low, high = support.bounds
    if all(
        not end.is_finite or _is_within(checker, way * (update.value - end))
        for end, way in ((low, 1), (high, -1))
    ):
        how = (
            "every real number is allowed"
            if low.is_infinite and high.is_infinite
            else "the update lies there by its signs"
        )
        return Claim("support", Status.PROVED, how)
    return checker.checked(
        "support", checker.trials.feasible(update), "whether the update lies in its support"
    )


def _is_within(checker: Checker, distance: Expr) -> bool:
    return bool(distance.is_nonnegative) or checker.signs(distance) in (0, 1)
