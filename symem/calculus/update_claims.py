"""The claims of a certificate: checks of a derivation that this module did not make.

For each update: that ∂Q/∂θ vanishes there, that it is a maximum and not merely stationary, that it lies in the
support, and what must not vanish for it to exist. A claim is proved where an identity or a law holds for all
sizes and all data; otherwise it is evaluated at random attainable statistics, and then it is only checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sympy import Add, Expr, Gt, Indexed, Ne, S, expand_mul

from symem.calculus.along import entrywise
from symem.calculus.conditions import Conditions
from symem.calculus.covariance_claims import CovarianceClaims
from symem.calculus.matrix_certificates import MatrixClaims
from symem.calculus.maxima import GIBBS, MatrixSlope, Maximum, Slope
from symem.calculus.maximisers import law_of
from symem.calculus.numeric import Trials
from symem.calculus.separate import Term, rejoin, separate
from symem.calculus.signs import Signs
from symem.calculus.slopes import EntangledError, Solved, at_update, entries, holds_as_it_stands, slope
from symem.calculus.systems import solves
from symem.calculus.vanishing import Vanishing
from symem.derivation import Certificate, Claim, Derivation, Shares, Status, Update
from symem.language.falling_root import FallingRoot
from symem.language.leaves import name_of
from symem.language.matrices import Diagonal, is_matrix
from symem.language.model import Variable
from symem.language.plates import LinearSolution, LogIverson, total
from symem.language.supports import Simplex

POINTS = 3
#: The law of scales and what ties them, which stand in threes.
COVARIANCE = "scales of a covariance"
_AT_THE_UPDATE = "the derivative at the update"


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

    def certificate(self, update: Update) -> Certificate:
        supposed: dict[Expr, None] = {}
        claims = []
        needed = tuple(self.conditions.needed(update))
        for claim in (self.stationarity, self.second_order, self._support):
            self.signs.hypotheses.clear()
            found = claim(update)
            if found.status is Status.PROVED:
                supposed |= self.signs.hypotheses
                found = replace(found, status=Status.UNDER) if self.signs.hypotheses or needed else found
            claims.append(found)
        conditions = dict.fromkeys(
            (*needed, *self.conditions.of(update, self.variable(update).support), *supposed)
        )
        positive = {each.lhs for each in conditions if isinstance(each, Gt)}
        kept = tuple(each for each in conditions if not (isinstance(each, Ne) and each.lhs in positive))
        return Certificate(update.parameter, tuple(claims), kept)

    # -- stationarity ------------------------------------------------------------------------------------

    def stationarity(self, update: Update) -> Claim:
        name = "stationarity"
        if is_matrix(update.parameter):
            found = self.matrices.stationarity(update)
            return found or self._checked(name, self.trials.stationary(update), _AT_THE_UPDATE)
        if isinstance(update.value, LinearSolution):
            if self.slope(update) is not None and solves(self.vanishes, self.slope(update), update):
                return Claim(
                    name, Status.PROVED, "the derivative is the linear system that the update solves"
                )
        elif self.is_stationary(update):
            how = "equals λ" if isinstance(update, Shares) else "vanishes"
            return Claim(
                name, Status.PROVED, f"the derivative {how} at the update identically, for all sizes and data"
            )
        return self._checked(name, self.trials.stationary(update), _AT_THE_UPDATE)

    def is_stationary(self, update: Update) -> bool:
        """With the earlier updates put in; then, for parameters solved together, with later ones too."""
        raw = self.slope(update)
        if raw is None:
            return False
        if update.law == COVARIANCE:
            return self.covariance(update).stated() is not None
        inner = self._within(update)
        if inner and self._vanishes_within(inner, update, raw):
            return self.on_simplex(update)
        if not isinstance(update, Shares) and self._vanishes_alone(raw, update):
            return self.on_simplex(update)
        block = [u for u in self.derivation.updates if u.block == update.block]
        solved = Solved(self.derivation.model)
        for each in block:
            solved.add(each)
            if block.index(each) >= block.index(update) and self.vanishes(solved.put(raw)):
                return self.on_simplex(update)
        return False

    def slope(self, update: Update) -> Expr | None:
        """∂Q/∂θ, less the multiplier's value on a simplex."""
        found = self.raw_slope(update)
        return found - update.multiplier[1] if found is not None and isinstance(update, Shares) else found

    def raw_slope(self, update: Update) -> Expr | None:
        """∂Q/∂θ, found once: every claim asks for it."""
        atom = update.parameter
        if atom not in self.slopes:
            try:
                self.slopes[atom] = slope(self._terms_in(atom), atom)
            except EntangledError:
                self.slopes[atom] = None
        return self.slopes[atom]

    def _terms_in(self, parameter: Expr) -> tuple[Term, ...]:
        """Q's terms, an array that stands in diagonals being written entry by entry."""
        if not isinstance(parameter, Indexed) or not any(
            entries(each, parameter) for term in self.terms for each in term.factor.atoms(Diagonal)
        ):
            return self.terms
        return entrywise(self.terms, parameter.base)

    def on_simplex(self, update: Update) -> bool:
        """λ is one number for the whole simplex, and the updates sum to one."""
        if not isinstance(update, Shares):
            return not isinstance(self.variable(update).support, Simplex)
        support = self.variable(update).support
        group = next((g for g in self.derivation.model.simplexes if str(update.parameter) in g), None)
        if group:
            others = [u for u in self.derivation.updates if str(u.parameter) in group]
            values = [u.value for u in others]
            alike = {u.multiplier for u in others if isinstance(u, Shares)} == {update.multiplier}
            return alike and len(values) == len(group) and self.vanishes(Add(*values) - 1)
        assert isinstance(support, Simplex)
        cells = update.definition.axes[-support.axes :]
        shared = not update.multiplier[1].free_symbols & {axis.index for axis in cells}
        return shared and self.vanishes(total(update.value, cells) - 1)

    # -- second order ------------------------------------------------------------------------------------

    def second_order(self, update: Update) -> Claim:
        """The argument of the law that solved the equation, with this checker's own slope and signs."""
        maximum, argument = self._argument(update)
        if maximum is None:
            what = "the Hessian of the block" + (" at the update" if not is_matrix(update.parameter) else "")
            return self._checked("second order", self.trials.maximal(update), what)
        return Claim("second order", Status.PROVED, self._lead(update) + argument, unique=maximum.unique)

    def _argument(self, update: Update) -> tuple[Maximum[Any] | None, str]:
        holding = (
            (m, seen) for seen in self._seen(update) for m in law_of(update.law).maxima if m.holds(seen)
        )
        return next(
            ((maximum, maximum.sentence.format(names=seen.names)) for maximum, seen in holding), (None, "")
        )

    def _seen(self, update: Update) -> Iterator[Slope | MatrixSlope | CovarianceClaims]:
        """∂Q/∂θ as it stands, then with the earlier parameters at their solutions and the later ones anything."""
        if is_matrix(update.parameter):
            yield MatrixSlope(self.matrices, update)
            return
        if update.law == COVARIANCE:
            yield self.covariance(update)
            return
        raw = self.raw_slope(update)
        inner = self._within(update)
        if raw is not None and inner and self._vanishes_within(inner, update, raw):
            yield Slope(expand_mul(rejoin(separate(self._put_in(inner, raw)))), update, self.signs)
        elif raw is not None and not inner and self.profiled(update):
            yield Slope(raw, update, self.signs)
            yield Slope(self.solved_before(update).put(raw), update, self.signs)

    def covariance(self, update: Update) -> CovarianceClaims:
        """The scales of the covariance that an update belongs to, what was solved before them put in."""
        block = [u for u in self.derivation.updates if u.block == update.block]
        alike = [u for u in block if u.law == COVARIANCE and u.definition.axes == update.definition.axes]
        place = alike.index(update) // 3 * 3
        together = alike[place : place + 3]
        put = self.solved_before(together[0]).put
        slopes = [put(self.raw_slope(u) or S.NaN) for u in together]
        parameters, values = [u.parameter for u in together], [u.value for u in together]
        return CovarianceClaims(slopes, parameters, values, self.vanishes, self.signs)

    def _lead(self, update: Update) -> str:
        """Which parameters stand in ∂Q/∂θ of a number at their solutions."""
        met = [] if is_matrix(update.parameter) else self._met(update)
        known = ", ".join(map(str, met))
        return f"with {known} at its solution, which holds for every {update.parameter}, " if met else ""

    def solved_before(self, update: Update) -> Solved:
        solved = Solved(self.derivation.model)
        for earlier in self._earlier(update):
            solved.add(earlier)
        return solved

    def profiled(self, update: Update) -> bool:
        """Stationary for every value of the later parameters of the block."""
        raw = self.slope(update)
        if raw is None:
            return False
        if isinstance(update.value, LinearSolution):
            return solves(self.vanishes, raw, update)
        alone = not isinstance(update, Shares) and self._settled_before(update)
        if alone and self._vanishes_alone(raw, update):
            return True
        solved = self.solved_before(update)
        if isinstance(update.value, FallingRoot):
            return self.vanishes(solved.put(at_update(raw, update.parameter, update.value)))
        solved.add(update)
        return self.vanishes(solved.put(raw)) and self.on_simplex(update)

    def _settled_before(self, update: Update) -> bool:
        """Whether the earlier updates of the block, some of them matrices, hold for every value of this one."""
        earlier = self._earlier(update)
        if not any(is_matrix(each.parameter) for each in earlier):
            return False
        solved = self.solved_before(update)
        if any(entries(value, update.parameter) for _atom, value in solved.pairs):
            return False
        return all(self._vanishes_with(solved, each) for each in earlier)

    def _vanishes_with(self, solved: Solved, update: Update) -> bool:
        raw = self.matrices.slope(update) if is_matrix(update.parameter) else self.slope(update)
        return raw is not None and (self._vanishes_alone(raw, update) or self.vanishes(solved.put(raw)))

    def _vanishes_within(self, inner: list[Update], update: Update, raw: Expr) -> bool:
        """Whether the derivative vanishes at this update with what depends on it solved before."""
        return self.vanishes(at_update(self._put_in(inner, raw), update.parameter, update.value))

    def _put_in(self, inner: list[Update], raw: Expr) -> Expr:
        pairs = [(each.parameter, each.nested) for each in reversed(inner)]
        return Solved(self.derivation.model, pairs).put(raw, with_roots=True)

    def _vanishes_alone(self, raw: Expr, update: Update) -> bool:
        """Whether the derivative vanishes at this update whatever the parameters are that it holds."""
        if not holds_as_it_stands(self.derivation, update):
            return False
        absent = [u for u in self._earlier(update) if not entries(update.value, u.parameter)]
        put_in = Solved(self.derivation.model, [(u.parameter, u.value) for u in reversed(absent)])
        alone = at_update(raw, update.parameter, update.value)
        return self.vanishes(alone) or (bool(absent) and self.vanishes(put_in.put(alone)))

    def _within(self, update: Update) -> list[Update]:
        """What was eliminated before this parameter and is updated after it: maximisers for every value of it."""
        block = [u for u in self.derivation.updates if u.block == update.block]
        later = block[block.index(update) + 1 :]
        if update.law == "numbers put in":  # linear ones alone were put into it
            later = [u for u in later if self.variable(u).support.bounds == (-S.Infinity, S.Infinity)]
        if update.law in ("numbers put in", "falling equation"):
            return [u for u in later if self._is_best_for_all(u)]
        return [u for u in later if u.law == update.law == "jointly linear"]

    def _is_best_for_all(self, update: Update) -> bool:
        """Whether Q has one maximum in a parameter, at its nested form, whatever the others are."""
        raw = None if is_matrix(update.parameter) else self.slope(update)
        if raw is None or update.law == COVARIANCE:
            return False
        seen = Slope(raw, update, self.signs)
        if not any(each.unique and each.holds(seen) for each in law_of(update.law).maxima):
            return False
        return self.vanishes(at_update(raw, update.parameter, update.nested))

    def _earlier(self, update: Update) -> list[Update]:
        block = [u for u in self.derivation.updates if u.block == update.block]
        return block[: block.index(update)]

    def _met(self, update: Update) -> list[Expr]:
        raw = self.slope(update)
        solved = (*(u for u in self._earlier(update) if update not in self._within(u)), *self._within(update))
        return [u.parameter for u in solved if raw is not None and entries(raw, u.parameter)]

    # -- support -----------------------------------------------------------------------------------------

    def _support(self, update: Update) -> Claim:
        name, variable = "support", self.variable(update)
        if is_matrix(update.parameter):
            found = self.matrices.support(update)
            return found or self._checked(name, self.trials.feasible(update), "whether it is in its support")
        low, high = variable.support.bounds
        if low == -S.Infinity and high == S.Infinity:
            return Claim(name, Status.PROVED, "every real number is allowed")
        values = [update.value] + ([update.nested] if self._same(update) else [])
        if isinstance(variable.support, Simplex):
            shared = self._argument(update)[0] is GIBBS
            if (shared or any(self.signs(value) in (0, 1) for value in values)) and self.on_simplex(update):
                return Claim(name, Status.PROVED, "the shares are not negative and sum to one")
        elif update.law == COVARIANCE and (low, high) == (-1, 1):
            if self.covariance(update).holds():
                return Claim(name, Status.PROVED, "the update lies between -1 and 1 (Cauchy-Schwarz)")
        elif all(
            any(self._beyond(value, end, way) for value in values) for end, way in ((low, 1), (high, -1))
        ):
            closed = f"from {low} on" if high == S.Infinity else f"between {low} and {high}"
            how = "by the signs of what its statistics are sums of"
            return Claim(name, Status.PROVED, f"the update lies {closed}, {how}")
        return self._checked(name, self.trials.feasible(update), "whether the update lies in its support")

    def _beyond(self, value: Expr, end: Expr, way: int) -> bool:
        return not end.is_finite or self.signs(way * (value - end)) in (0, 1)

    def _same(self, update: Update) -> bool:
        """Whether the nested form is the update, the earlier ones being put in."""
        put = self.solved_before(update).put
        return bool(update.nested == update.value or self.vanishes(put(update.nested - update.value)))

    # -- numbers -----------------------------------------------------------------------------------------

    def _checked(self, name: str, outcome: bool | None, what: str) -> Claim:  # noqa: FBT001
        where = f"{POINTS} random attainable points"
        if outcome is None:
            return Claim(name, Status.OPEN, f"neither proved nor evaluated: {what}")
        if not outcome:
            # Posterior probabilities are drawn at random: where a branch has a support of its own, also ones of 0.
            shown = Status.OPEN if self.derivation.model.log_likelihood.has(LogIverson) else Status.REFUTED
            return Claim(name, shown, f"it fails: {what} was wrong at one of {where}")
        return Claim(name, Status.CHECKED, f"not proved; {what} was right at {where}", POINTS)

    def variable(self, update: Update) -> Variable:
        return self.derivation.model.variables[name_of(update.parameter)]
