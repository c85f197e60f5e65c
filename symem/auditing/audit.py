"""`audit`: somebody else's updates, steps and likelihoods held against the derivation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sympy import Expr, S, log

from symem.auditing.claims import LOG_LIKELIHOOD, Formula, Function, Values
from symem.auditing.identity import is_identical
from symem.auditing.mistakes import Case, named
from symem.auditing.trial import ROUNDING, Trial, same, small_trials, trials
from symem.derive import derive_records
from symem.errors import DataError, ModelError, NotDerivedError, SymemError, UndeclaredSymbolError
from symem.evaluation.stacks import Array
from symem.language.leaves import name_of
from symem.language.plates import total
from symem.language.supports import UnitInterval
from symem.language.symbol_names import stated_name

PROVED, AGREES, REFUTED = "proved", "agrees", "refuted"
#: A difference that a reader sees, relative to 1 + |the right value|.
_VISIBLE = 1e-3


@dataclass(frozen=True)
class Counterexample:
    """Data and θ⁽ᵗ⁾ at which a claim is wrong.

    Attributes:
        data: arrays by declared name.
        theta: θ⁽ᵗ⁾ by declared name.
        given: what was claimed there; `right`: what it should be.
    """

    data: Mapping[str, Any]
    theta: Mapping[str, Any]
    given: Array
    right: Array

    def __str__(self) -> str:
        shown = ", ".join(f"{name} = {_shown(value)}" for name, value in {**self.data, **self.theta}.items())
        return f"at {shown}: {_shown(self.given)}, and it should be {_shown(self.right)}"


def _shown(value: Any) -> str:
    return np.array2string(np.asarray(value, dtype=float), precision=8, separator=", ").replace("\n", "")


@dataclass(frozen=True)
class Finding:
    """What was found of one parameter, or of the log-likelihood.

    Attributes:
        verdict: "proved" (equal for all sizes and data), "agrees" (at `points` points) or "refuted".
        points: at how many data and θ⁽ᵗ⁾ it was computed.
        counterexample: the smallest one found; `mistake`: the name of a known mistake that gives the same values.
    """

    name: str
    verdict: str
    points: int
    counterexample: Counterexample | None = None
    mistake: str | None = None

    def __str__(self) -> str:
        if self.verdict == PROVED:
            return f"{self.name}  proved: equal for all sizes and data"
        if self.verdict == AGREES:
            return f"{self.name}  agrees at {self.points} points"
        reason = f"; this is what comes of: {self.mistake}" if self.mistake else ""
        return f"{self.name}  refuted{reason}\n  {self.counterexample}"


@dataclass(frozen=True)
class Audit:
    """What was found of all that was claimed: `audit[sigma]` for one parameter."""

    findings: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """The worst: "refuted" if one is, "proved" if all are, else "agrees"."""
        found = {each.verdict for each in self.findings.values()}
        return next(verdict for verdict in (REFUTED, AGREES, PROVED) if verdict in found)

    @property
    def points(self) -> int:
        """At how many data and θ⁽ᵗ⁾ each was computed."""
        return min(each.points for each in self.findings.values())

    @property
    def _refuted(self) -> Finding | None:
        return next((each for each in self.findings.values() if each.verdict == REFUTED), None)

    @property
    def counterexample(self) -> Counterexample | None:
        """That of the first parameter that is refuted."""
        return self._refuted.counterexample if self._refuted else None

    @property
    def mistake(self) -> str | None:
        """The known mistake of the first parameter that is refuted, if there is one."""
        return self._refuted.mistake if self._refuted else None

    def __getitem__(self, key: Any) -> Finding:
        name = key if isinstance(key, str) else stated_name(key)
        if name not in self.findings:
            raise UndeclaredSymbolError(f"{name!r} was not audited; {', '.join(self.findings)} were.")
        return self.findings[name]

    def __str__(self) -> str:
        return "\n".join(map(str, self.findings.values()))


Claim = Callable[[Trial], Values]


def audit(
    em: Any,
    claims: Iterable[Claim],
    data: Mapping[str, Any] | None,
    theta: Mapping[str, Any] | None,
    sizes: Mapping[str, int] | None,
    seed: int,
) -> Audit:
    """See `EM.audit`."""
    places = list(trials(em, data, theta, sizes, seed))
    if not places:
        raise DataError("The derived update is not finite at any of the data tried: give data.")
    findings: dict[str, Finding] = {}
    for claim in claims:
        auditor = Auditor(em, claim, places, dict(sizes or {}), seed)
        findings |= {each.name: each for each in auditor.findings()}
    return Audit(findings)


def claims_of(em: Any, updates: Any, step: Any, log_likelihood: Any) -> list[Claim]:
    """What is claimed of a derivation.

    Raises:
        ModelError: nothing is, or it is neither a dict of formulas nor a function.
        NotDerivedError: a parameter has no update to hold anything against.
    """
    if updates is not None and not isinstance(updates, Mapping):
        raise ModelError(
            f"audit takes a dict {{parameter: update}}, such as {{sigma: sqrt(…)}}, not {type(updates).__name__}; a "
            f"function goes into step= or log_likelihood=."
        )
    for name, function in (("step", step), ("log_likelihood", log_likelihood)):
        if function is not None and not callable(function):
            raise ModelError(f"{name}= takes a function (theta, **data), not {type(function).__name__}.")
    found: list[Claim] = [Formula(em, key, value) for key, value in (updates or {}).items()]
    found += [Function(em, step)] if step else []
    found += [Function(em, log_likelihood, of_step=False)] if log_likelihood else []
    if not found:
        raise ModelError("Nothing to audit: give {parameter: update}, step= or log_likelihood=.")
    if em.derivation.not_derived:
        raise NotDerivedError(em.derivation.not_derived[0].reason)
    return found


@dataclass(frozen=True)
class Auditor:
    """One claim at all trials."""

    em: Any
    claim: Claim
    places: Sequence[Trial]
    sizes: Mapping[str, int]
    seed: int

    def findings(self) -> Iterator[Finding]:
        cases = [case for trial in self.places for case in self.cases(trial)]
        if isinstance(self.claim, Formula) and not _are_right(cases):
            at_old = replace(self, claim=replace(self.claim, written_out=True))
            others = [case for trial in self.places for case in at_old.cases(trial)]
            if _are_right(others):
                yield Finding(others[0].name, AGREES, len(others))
                return
        for name in dict.fromkeys(case.name for case in cases):
            yield self._finding([case for case in cases if case.name == name])

    def cases(self, trial: Trial) -> list[Case]:
        """What is claimed at a trial, and what is right."""
        pair = isinstance(self.claim, Function) and self.claim.of_step
        likelihood = trial.next_log_likelihood if pair else trial.log_likelihood
        return [
            Case(
                trial,
                name,
                np.asarray(given),
                np.asarray(likelihood) if name == LOG_LIKELIHOOD else trial.right[name],
            )
            for name, given in self.claim(trial).items()
        ]

    def _finding(self, cases: Sequence[Case]) -> Finding:
        name = cases[0].name
        wrong = [case for case in cases if not same(case.given, case.right, ROUNDING)]
        if wrong:
            mistake = named(cases, tuple(self._elsewhere()))
            return Finding(name, REFUTED, len(cases), self._smallest(name, wrong[0]), mistake)
        return Finding(name, PROVED if self._is_proved() else AGREES, len(cases))

    def _smallest(self, name: str, found: Case) -> Counterexample:
        """The claim at the first small trial where it is wrong, else where it was first seen to be."""
        for trial in small_trials(self.em, self.sizes, self.seed):
            try:
                case = next(each for each in self.cases(trial) if each.name == name)
            except DataError:
                continue
            if (
                case.is_inside
                and np.max(np.abs(case.given - case.right) / (1 + np.abs(case.right))) > _VISIBLE
            ):
                found = case
                break
        return Counterexample(found.trial.ground.data, found.trial.theta, found.given, found.right)

    def _elsewhere(self) -> Iterator[tuple[str, Any]]:
        """The derivation without the prior, and with what makes the mode a mean."""
        model = self.em.model
        if model.log_prior == 0:
            return
        for name, prior in (
            ("a forgotten prior", S.Zero),
            ("the mean of a posterior where its mode belongs", model.log_prior + _jacobian(model)),
        ):
            other = copy(model)
            other.log_prior = prior
            try:
                derivation = derive_records(other)
            except SymemError:
                continue
            if not derivation.not_derived:
                yield name, derivation

    def _is_proved(self) -> bool:
        if not isinstance(self.claim, Formula) or self.claim.written_out:
            return False
        return is_identical(self.claim.definition, self.em.derivation)


def _are_right(cases: Iterable[Case]) -> bool:
    return all(same(case.given, case.right, ROUNDING) for case in cases)


def _jacobian(model: Any) -> Expr:
    """Σ log θ over what is positive, and Σ log(1 - θ) over probabilities: a mode's exponents less one are a mean's."""
    found: Expr = S.Zero
    held = {name_of(atom) for atom in model.log_prior.free_symbols}
    for variable in (each for each in model.parameters if each.name in held and not each.shape):
        if variable.support.assumptions.get("positive"):
            axes = variable.axes
            entry = variable.symbol[tuple(axis.index for axis in axes)] if axes else variable.symbol
            of_pair = log(1 - entry) if isinstance(variable.support, UnitInterval) else S.Zero
            found += total(log(entry) + of_pair, axes)
    return found
