"""Certificates of updates in blocks that hold matrices."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Indexed

from symem.calculus.numeric import Trials
from symem.derivation import Certificate, Claim, Derivation, Status, Update
from symem.language.matrices import Element, LogDet, Tr, is_matrix
from symem.language.model import Variable


@dataclass(frozen=True)
class MatrixChecker:
    """All that the claims about matrices of one derivation share."""

    derivation: Derivation
    trials: Trials

    def concerns(self, update: Update) -> bool:
        """Whether matrices stand in an update or in its equation."""
        return is_matrix(update.parameter) or bool(
            (update.value.atoms(Tr, Element, LogDet)) or update.equation.atoms(Tr, Element, LogDet)
        )

    def certificate(self, update: Update) -> Certificate:
        claims = (
            self._checked("stationarity", self.trials.stationary(update), "the derivative at the update"),
            self._checked("second order", self.trials.maximal(update), "the Hessian of the block at the update"),
            self._checked("support", self.trials.feasible(update), "whether the update lies in its support"),
        )
        return Certificate(update.parameter, claims, ())

    def _checked(self, name: str, outcome: bool | None, what: str) -> Claim:  # noqa: FBT001
        if outcome is None:
            return Claim(name, Status.OPEN, f"neither proved nor evaluated: {what}")
        if not outcome:
            return Claim(name, Status.OPEN, f"it fails: {what} was wrong at a random attainable point")
        return Claim(name, Status.CHECKED, f"not proved; {what} was right at random attainable points")

    def _variable(self, update: Update) -> Variable:
        symbol = update.parameter
        name = str(symbol.base.label) if isinstance(symbol, Indexed) else str(symbol)
        return self.derivation.model.variables[name]
