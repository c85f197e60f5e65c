"""The claim that an update is a maximum, by the argument of the law that solved its equation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy import Expr, expand_mul

from symem.calculus.checker import Checker
from symem.calculus.covariance_claims import CovarianceClaims
from symem.calculus.maxima import MatrixSlope, Maximum, Slope
from symem.calculus.maximisers import law_of
from symem.calculus.separate import rejoin, separate
from symem.calculus.slopes import entries
from symem.calculus.stationarity_claims import profiled
from symem.derivation import Claim, Status, Update
from symem.language.matrices import is_matrix


def second_order(checker: Checker, update: Update) -> Claim:
    """The argument of the law that solved the equation, with this checker's own slope and signs."""
    maximum, argument = argument_of(checker, update)
    if maximum is None:
        what = "the Hessian of the block" + (" at the update" if not is_matrix(update.parameter) else "")
        return checker.checked("second order", checker.trials.maximal(update), what)
    return Claim("second order", Status.PROVED, _lead(checker, update) + argument, unique=maximum.unique)


def argument_of(checker: Checker, update: Update) -> tuple[Maximum[Any] | None, str]:
    """The first maximum of the law that holds here, and its sentence."""
    holding = (
        (m, seen) for seen in _seen(checker, update) for m in law_of(update.law).maxima if m.holds(seen)
    )
    return next(
        ((maximum, maximum.sentence.format(names=seen.names)) for maximum, seen in holding), (None, "")
    )


def _seen(checker: Checker, update: Update) -> Iterator[Slope | MatrixSlope | CovarianceClaims]:
    """∂Q/∂θ as it stands, then with the earlier parameters at their solutions and the later ones anything."""
    if is_matrix(update.parameter):
        yield MatrixSlope(checker.matrices, update)
        return
    joint = checker.joint(update)
    if joint is not None:
        yield joint
        return
    raw = checker.raw_slope(update)
    inner = checker.within(update)
    if raw is not None and inner and checker.vanishes_within(inner, update, raw):
        yield Slope(expand_mul(rejoin(separate(checker.put_in(inner, raw)))), update, checker.signs)
    elif raw is not None and not inner and profiled(checker, update):
        yield Slope(raw, update, checker.signs)
        yield Slope(checker.solved_before(update).put(raw), update, checker.signs)


def _lead(checker: Checker, update: Update) -> str:
    """Which parameters stand in ∂Q/∂θ of a number at their solutions."""
    met = [] if is_matrix(update.parameter) else _met(checker, update)
    known = ", ".join(map(str, met))
    return f"with {known} at its solution, which holds for every {update.parameter}, " if met else ""


def _met(checker: Checker, update: Update) -> list[Expr]:
    raw = checker.slope(update)
    solved = (
        *(u for u in checker.earlier(update) if update not in checker.within(u)),
        *checker.within(update),
    )
    return [u.parameter for u in solved if raw is not None and entries(raw, u.parameter)]
