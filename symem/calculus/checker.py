"""What all claims of one derivation share: ∂Q/∂θ, what stands before an update and within it, signs and trials."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, Indexed, S

from symem.calculus.along import entrywise
from symem.calculus.conditions import Conditions
from symem.calculus.covariance_claims import CovarianceClaims
from symem.calculus.matrix_certificates import MatrixClaims
from symem.calculus.maxima import Slope
from symem.calculus.maximisers import law_of
from symem.calculus.numeric import Trials
from symem.calculus.separate import Term, separate
from symem.calculus.signs import Signs
from symem.calculus.slopes import EntangledError, Solved, at_update, entries, slope
from symem.calculus.vanishing import Vanishing
from symem.derivation import Claim, Derivation, Shares, Status, Update
from symem.language.leaves import name_of
from symem.language.matrices import Diagonal, is_matrix
from symem.language.model import Variable
from symem.language.plates import LogIverson

POINTS = 3


@dataclass(frozen=True)
class Checker:
    """All that the claims of one derivation share."""

    derivation: Derivation
    slopes: dict[Expr, Expr | None] = field(default_factory=dict)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        return separate(self.derivation.surrogate.value)

    @cached_property
    def vanishes(self) -> Vanishing:
        return Vanishing(self.derivation)

    @cached_property
    def signs(self) -> Signs:
        return Signs(self.derivation)

    @cached_property
    def trials(self) -> Trials:
        return Trials(self.derivation, POINTS)

    @cached_property
    def matrices(self) -> MatrixClaims:
        return MatrixClaims(self.derivation, self.terms, self.vanishes, self.signs)

    @cached_property
    def conditions(self) -> Conditions:
        return Conditions(self.derivation, self.signs)

    def variable(self, update: Update) -> Variable:
        return self.derivation.model.variables[name_of(update.parameter)]

    # -- slopes ------------------------------------------------------------------------------------------

    def slope(self, update: Update) -> Expr | None:
        """∂Q/∂θ, less the multiplier's value on a simplex."""
        found = self.raw_slope(update)
        return found - update.multiplier[1] if found is not None and isinstance(update, Shares) else found

    def raw_slope(self, update: Update) -> Expr | None:
        """∂Q/∂θ, found once: every claim asks for it."""
        atom = update.parameter
        if atom not in self.slopes:
            try:
                self.slopes[atom] = slope(self.terms_in(atom), atom)
            except EntangledError:
                self.slopes[atom] = None
        return self.slopes[atom]

    def terms_in(self, parameter: Expr) -> tuple[Term, ...]:
        """Q's terms, an array that stands in diagonals being written entry by entry."""
        if not isinstance(parameter, Indexed) or not any(
            entries(each, parameter) for term in self.terms for each in term.factor.atoms(Diagonal)
        ):
            return self.terms
        return entrywise(self.terms, parameter.base)

    def joint(self, update: Update) -> CovarianceClaims | None:
        """The claims of an update and its companions, what was solved before them put in; None where it has its own."""
        kind = law_of(update.law).joint
        if kind is None:
            return None
        block = self.block_of(update)
        alike = [u for u in block if u.law == update.law and u.definition.axes == update.definition.axes]
        place = alike.index(update) // kind.size * kind.size
        together = alike[place : place + kind.size]
        put = self.solved_before(together[0]).put
        slopes = [put(self.raw_slope(u) or S.NaN) for u in together]
        parameters, values = [u.parameter for u in together], [u.value for u in together]
        return kind(slopes, parameters, values, self.vanishes, self.signs)

    # -- the block of an update --------------------------------------------------------------------------

    def block_of(self, update: Update) -> list[Update]:
        """The updates of its block, in their order."""
        return [u for u in self.derivation.updates if u.block == update.block]

    def earlier(self, update: Update) -> list[Update]:
        block = self.block_of(update)
        return block[: block.index(update)]

    def solved_before(self, update: Update) -> Solved:
        solved = Solved(self.derivation.model)
        for earlier in self.earlier(update):
            solved.add(earlier)
        return solved

    def within(self, update: Update) -> list[Update]:
        """What was eliminated before this parameter and is updated after it: maximisers for every value of it."""
        block = self.block_of(update)
        later = block[block.index(update) + 1 :]
        return [u for u in later if u.parameter in update.eliminated and self._is_best_for_all(u)]

    def _is_best_for_all(self, update: Update) -> bool:
        """Whether Q has one maximum in a parameter, at its nested form, whatever those before it are."""
        raw = None if is_matrix(update.parameter) else self.slope(update)
        if raw is None or law_of(update.law).joint is not None:
            return False
        raw = self.put_in(self.within(update), raw)
        seen = Slope(raw, update, self.signs)
        if not any(each.unique and each.holds(seen) for each in law_of(update.law).maxima):
            return False
        return self.vanishes(at_update(raw, update.parameter, update.nested))

    def vanishes_within(self, inner: list[Update], update: Update, raw: Expr) -> bool:
        """Whether the derivative vanishes at this update with what depends on it solved before."""
        return self.vanishes(at_update(self.put_in(inner, raw), update.parameter, update.value))

    def put_in(self, inner: list[Update], raw: Expr) -> Expr:
        pairs = [(each.parameter, each.nested) for each in reversed(inner)]
        return Solved(self.derivation.model, pairs).put(raw, with_roots=True)

    # -- numbers -----------------------------------------------------------------------------------------

    def checked(self, name: str, outcome: bool | None, what: str) -> Claim:  # noqa: FBT001
        where = f"{POINTS} random attainable points"
        if outcome is None:
            return Claim(name, Status.OPEN, f"neither proved nor evaluated: {what}")
        if not outcome:
            # Posterior probabilities are drawn at random: where a branch has a support of its own, also ones of 0.
            shown = Status.OPEN if self.derivation.model.log_likelihood.has(LogIverson) else Status.REFUTED
            return Claim(name, shown, f"it fails: {what} was wrong at one of {where}")
        return Claim(name, Status.CHECKED, f"not proved; {what} was right at {where}", POINTS)
