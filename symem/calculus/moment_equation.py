"""Whether the M-step solves the moment equation: E_θ[s(Y)] = s⁽ᵗ⁾ in a full family, J(E_θ[s(Y)] - s⁽ᵗ⁾) = 0 in a curved one,
J being ∂η/∂θ; with a prior both are short of its slope. (Sundberg 1974; Dempster, Laird & Rubin 1977, section 2.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sympy import Expr

from symem.algebra.about_zero import AboutZero
from symem.algebra.rewriting import inlined
from symem.calculus.complete_law import contracted
from symem.calculus.family_numbers import FamilyNumbers
from symem.calculus.slopes import Solved
from symem.calculus.trials import Trial
from symem.calculus.vanishing import Vanishing
from symem.derivation import (
    Ascent,
    Claim,
    Conditional,
    Definition,
    Derivation,
    Spans,
    Status,
    SufficientStatistic,
)
from symem.errors import SymemError
from symem.evaluation.arithmetic import Arithmetic, Arrays
from symem.evaluation.stacks import Array
from symem.language.matrices import MatrixArray, is_matrix, is_symmetric, shape
from symem.language.model import Model

POINTS, ROUNDING, APART = 3, 1e-6, 1e-4
NAME = "moment equation"
#: What numbers raise where there are none.
NOWHERE = (SymemError, ArithmeticError, ValueError, LookupError, TypeError, np.linalg.LinAlgError)


@dataclass(frozen=True)
class MomentEquation:
    """The two sides of it for one derivation."""

    derivation: Derivation
    law: Model
    statistics: tuple[SufficientStatistic, ...]
    definitions: tuple[Definition, ...]

    @cached_property
    def _numbers(self) -> list[FamilyNumbers]:
        trials = (Trial(self.derivation, seed) for seed in range(POINTS))
        return [FamilyNumbers(self.derivation, self.law, self.statistics, trial) for trial in trials]

    @cached_property
    def spans(self) -> Spans | None:
        """Of the family at small sizes; None where it has no numbers there."""
        with np.errstate(all="ignore"):
            try:
                found = self._numbers[0].spans
            except NOWHERE:
                return None
        return found if found.statistics else None

    @cached_property
    def claim(self) -> Claim:
        """What is established of the updates."""
        derivation = self.derivation
        if derivation.not_derived:
            return Claim(NAME, Status.OPEN, "not all parameters have an update")
        if derivation.approximated:
            return Claim(NAME, Status.OPEN, "the means given the data are approximations")
        if any(isinstance(update, Conditional) for update in derivation.updates):
            return Claim(
                NAME, Status.OPEN, "each update holds the others, so that it holds where they have settled"
            )
        if any(each.mean is None for each in self.statistics):
            return Claim(NAME, Status.OPEN, "no closed form was found for a mean under the model")
        if self._is_full and self._is_proved():
            return Claim(
                NAME, Status.PROVED, "with the updates put in, both sides are equal for all sizes and data"
            )
        return self._checked()

    @property
    def _is_full(self) -> bool:
        full = self.spans is not None and self.spans.parameters == self.spans.statistics
        return full and self.derivation.model.log_prior == 0

    # -- by algebra ------------------------------------------------------------------------------------

    def _is_proved(self) -> bool:
        if any(isinstance(update, Ascent) for update in self.derivation.updates):
            return False
        solved, vanishes = Solved(self.derivation.model), Vanishing(self.derivation)
        for update in self.derivation.updates:
            solved.add(update)
        return all(vanishes(self._difference(each, solved)) for each in self.statistics)

    def _difference(self, statistic: SufficientStatistic, solved: Solved) -> Expr:
        """E_θ[s] - s⁽ᵗ⁾ at the updates in sums about zero, a matrix being told by tr(Hᵀ ·) for any H."""
        surrogate = self.derivation.surrogate
        mean, expected = solved.put(statistic.mean), statistic.expected
        if is_matrix(statistic.function):
            kind = "symmetric" if is_symmetric(statistic.function) else ""
            letter = MatrixArray("_H", *shape(statistic.function), kind)()
            mean, expected = contracted(mean, letter), contracted(expected, letter)
        return inlined(AboutZero(surrogate.moments)(mean), surrogate.statistics) - expected

    # -- by numbers ------------------------------------------------------------------------------------

    def _checked(self) -> Claim:
        full = self._is_full
        what = (
            "both sides were equal" if full else "both sides were equal in all directions of the parameters"
        )
        with np.errstate(all="ignore"):
            try:
                gaps = [self._gap(numbers, full=full) for numbers in self._numbers]
            except NOWHERE:
                return Claim(NAME, Status.OPEN, "neither proved nor evaluated")
        if max(gaps) < ROUNDING:
            return Claim(
                NAME, Status.CHECKED, f"not proved; {what} at {POINTS} random attainable points", POINTS
            )
        if not max(gaps) > APART:
            return Claim(NAME, Status.OPEN, "neither proved nor evaluated")
        return Claim(NAME, Status.REFUTED, f"it fails at one of {POINTS} random attainable points")

    def _gap(self, numbers: FamilyNumbers, *, full: bool) -> float:
        """How far the two sides are apart at the updates of a trial, relative to their size."""
        trial = numbers.trial
        after = numbers.at(self.definitions, trial.after)
        (mean,) = numbers.values([each.mean for each in self.statistics], after)
        (expected,) = numbers.values([each.expected for each in self.statistics], trial.arrays)
        if full:
            return float(np.max(np.abs(mean - expected)) / (1 + np.max(np.abs(expected))))
        slopes = numbers.slopes(trial.after)
        prior = numbers.differences(trial.after, self._log_prior)[:, 0]
        gap = slopes @ (mean - expected) - prior
        return float(np.max(np.abs(gap) / (1 + np.abs(slopes) @ np.abs(expected))))

    def _log_prior(self, arrays: Arrays) -> Array:
        return Arithmetic(arrays).numbers(self.derivation.model.log_prior)[:, None]
