"""Known mistakes: what somebody's update is where one of them was made. One row each.

A row gives the values that an update has with the mistake, at every trial; a claim that equals them everywhere, and
not the right values, was made with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from sympy import Expr, Indexed, oo

from symem.auditing.claims import LOG_LIKELIHOOD
from symem.auditing.trial import Trial, is_off, same
from symem.derivation import GaussianVector, Recognised, Tabulated
from symem.evaluation.coordinates import Coordinates
from symem.evaluation.differences import gradient, hessian, units
from symem.evaluation.stacks import Array
from symem.language.leaves import name_of, places_of
from symem.language.supports import Simplex
from symem.verification.formulas import Expectation
from symem.verification.identities import of_free

#: What derivatives by differences may cost.
_DIFFERENCES = 1e-5


@dataclass(frozen=True)
class Case:
    """What is claimed of a parameter, or of the log-likelihood, at a trial, and what is right."""

    trial: Trial
    name: str
    given: Array
    right: Array

    @property
    def before(self) -> Array:
        """The parameter at θ⁽ᵗ⁾."""
        return np.asarray(self.trial.theta[self.name], dtype=float)

    @property
    def is_inside(self) -> bool:
        """Whether all is finite, and the right value away from the edge of its support."""
        if not (np.all(np.isfinite(self.given)) and np.all(np.isfinite(self.right))):
            return False
        return self.name == LOG_LIKELIHOOD or not is_off(self.support, self.right, 1e-6)

    @property
    def arrays(self) -> dict[str, Any]:
        return self.trial.expectation.with_statistics

    @property
    def support(self) -> Any:
        return self.trial.ground.model.variables[self.name].support

    @property
    def together(self) -> frozenset[str]:
        """The parameters that lie on one simplex with it."""
        groups = self.trial.ground.model.simplexes
        return frozenset(next((group for group in groups if self.name in group), (self.name,)))

    def totals(self) -> list[Array]:
        """Numbers of rows and expected counts that fit the parameter's shape: what updates are divided by."""
        derivation = self.trial.ground.derivation
        found = [np.asarray(float(self.arrays[each.name])) for each in derivation.model.sizes]
        counted = {name_of(p.probability.symbol) for p in derivation.posteriors if isinstance(p, Tabulated)}
        for statistic in derivation.surrogate.statistics:
            if not {name_of(atom) for atom in statistic.value.atoms(Indexed)} <= counted:
                continue
            value = np.asarray(self.arrays[name_of(statistic.symbol)], dtype=float)
            if value.shape == self.right.shape[: value.ndim]:
                found.append(value.reshape(value.shape + (1,) * (self.right.ndim - value.ndim)))
        return found

    def rerun(self, changed: dict[str, Any]) -> Array:
        """The update where arrays of the E-step are others."""
        return np.asarray(self.expectation(changed).update()[self.name], dtype=float)

    def expectation(self, changed: dict[str, Any]) -> Expectation:
        """The E-step with other arrays for some of its own."""
        found = self.trial.expectation
        return replace(found, arrays={**found.arrays, **changed})


@dataclass(frozen=True)
class Mistake:
    """A mistake by its name, and the values it leads to at all cases: none where it cannot be made."""

    name: str
    values: Callable[[Sequence[Case]], Iterator[Sequence[Array]]]
    tolerance: float = 1e-7

    def explains(self, cases: Sequence[Case]) -> bool:
        """Whether it gives what was claimed, everywhere."""
        return any(
            all(same(case.given, value, self.tolerance) for case, value in zip(cases, values, strict=True))
            for values in self.values(cases)
        )


def named(cases: Sequence[Case], elsewhere: Sequence[tuple[str, Any]] = ()) -> str | None:
    """The first mistake that explains what was claimed; `elsewhere` are derivations of other models, by name."""
    rows = _OF_LIKELIHOODS if cases[0].name == LOG_LIKELIHOOD else _OF_UPDATES
    known = (*(_of_model(name, derivation) for name, derivation in elsewhere), *rows)
    with np.errstate(all="ignore"):
        return next((row.name for row in known if row.explains(cases)), None)


def _each(rule: Callable[[Case], Iterator[Array]]) -> Callable[[Sequence[Case]], Iterator[Sequence[Array]]]:
    """A rule for one case, applied to all in the same way."""
    return lambda cases: zip(*map(rule, cases), strict=False)


# -- of updates ------------------------------------------------------------------------------------------


def _of_model(name: str, derivation: Any) -> Mistake:
    """The update of another model, such as one without the prior."""

    def values(case: Case) -> Iterator[Array]:
        ground = replace(case.trial.ground, derivation=derivation)
        yield np.asarray(Trial(ground, case.trial.theta).right[case.name])

    return Mistake(name, _each(values))


def _hard(case: Case) -> Iterator[Array]:
    changed = {}
    for table in (p for p in case.trial.ground.derivation.posteriors if isinstance(p, Tabulated)):
        symbol = table.probability.symbol
        soft = np.asarray(case.arrays[name_of(symbol)])
        axis = places_of(symbol).index(table.outcome.index)
        changed[name_of(symbol)] = np.moveaxis(np.eye(soft.shape[axis])[soft.argmax(axis=axis)], -1, axis)
    if changed:
        yield case.rerun(changed)


def _squared_means(case: Case) -> Iterator[Array]:
    """What a posterior's second moments have beside squares of means, at 0."""
    spreads = [s for p in case.trial.ground.derivation.posteriors for s in _spreads(p)]
    changed = {name: np.zeros(np.shape(case.arrays[name])) for name in spreads if name in case.arrays}
    if changed:
        yield case.rerun(changed)


def _spreads(posterior: Any) -> Iterator[str]:
    if isinstance(posterior, GaussianVector):
        yield from _names_in(posterior.covariance)
    elif isinstance(posterior, Recognised):
        means = [mean for f, mean in posterior.expectations.items() if f.as_base_exp()[1] != 2]
        squares = [mean for f, mean in posterior.expectations.items() if f.as_base_exp()[1] == 2]
        yield from sorted(
            {n for each in squares for n in _names_in(each)} - {n for m in means for n in _names_in(m)}
        )


def _names_in(expr: Expr) -> list[str]:
    return sorted({name_of(atom) for atom in expr.free_symbols})


def _old_others(case: Case) -> Iterator[Array]:
    """The top of Q in this parameter, all others where they were."""
    ground, theta = case.trial.ground, case.trial.theta
    held = frozenset(each.name for each in ground.model.parameters) - case.together
    start = {name: theta[name] if name in held else case.trial.right[name] for name in theta}
    coordinates = Coordinates(ground.model, start, held)
    surrogate = of_free(case.trial.expectation.surrogates, coordinates)
    at = coordinates.free()
    for _ in range(30 if len(at) else 0):
        unit = units(surrogate, at)
        bend, slope = hessian(surrogate, at, unit), gradient(surrogate, at, unit)
        move = np.linalg.solve(bend, slope) * unit
        at = at - move / max(1.0, float(np.max(np.abs(move / unit))))
        if np.max(np.abs(move / unit)) < 1e-9:
            break
    if len(at) and np.all(np.isfinite(at)):
        yield np.asarray(coordinates.point(at)[case.name])


def _pooled(case: Case) -> Iterator[Array]:
    """One value for all components: the mean of theirs, or of their squares, by their shares of the rows."""
    if not case.right.ndim or np.ptp(case.given, axis=0).max() > 1e-9 * np.abs(case.given).max():
        return
    for weights in (each for each in case.totals() if each.shape[:1] == case.right.shape[:1]):
        for power in (1, 2):
            mean = (weights * case.right**power).sum(axis=0) / weights.sum(axis=0)
            yield np.broadcast_to(mean ** (1 / power), case.right.shape)


def _one_less(case: Case) -> Iterator[Array]:
    for total, power in product(case.totals(), (1.0, 0.5)):
        yield case.right * (total / (total - 1)) ** power


def _other_total(case: Case) -> Iterator[Array]:
    for (here, there), power in product(product(case.totals(), repeat=2), (1.0, 0.5)):
        yield case.right * (here / there) ** power


def _extra_factor(case: Case) -> Iterator[Array]:
    whole = case.right * case.before
    if isinstance(case.support, Simplex) and whole.ndim:
        yield whole / whole.sum(axis=tuple(range(-case.support.axes, 0)), keepdims=True)
    yield whole


def _response_only(case: Case) -> Iterator[Array]:
    """The normal equations A b = h with the h of the weighted rows and the A of all rows."""
    ground, trial = case.trial.ground, case.trial
    real = {
        each.name for each in ground.model.parameters if each.support.bounds == (-oo, oo) and not each.shape
    }
    tables = [p for p in ground.derivation.posteriors if isinstance(p, Tabulated)]
    if case.name not in real or not tables:
        return
    held = frozenset(each.name for each in ground.model.parameters) - real
    start = {
        name: trial.right[name] if name in held else np.zeros_like(trial.right[name]) for name in trial.right
    }
    coordinates = Coordinates(ground.model, start, held)
    ones = {
        name: np.ones(np.shape(case.arrays[name])) for name in (name_of(t.probability.symbol) for t in tables)
    }
    unweighted = case.expectation(ones)
    weighed, all_rows = (of_free(e.surrogates, coordinates) for e in (trial.expectation, unweighted))
    at, unit = coordinates.free(), np.ones(len(coordinates.free()))
    solved = np.linalg.lstsq(-hessian(all_rows, at, unit), gradient(weighed, at, unit), rcond=None)[0]
    yield np.asarray(coordinates.point(solved)[case.name])


def _power(exponent: float) -> Callable[[Case], Iterator[Array]]:
    def values(case: Case) -> Iterator[Array]:
        yield case.right**exponent

    return values


def _damped(cases: Sequence[Case]) -> Iterator[Sequence[Array]]:
    """A part of the way from the old value to the new one, the same everywhere."""
    moves = np.concatenate([np.ravel(case.right - case.before) for case in cases])
    made = np.concatenate([np.ravel(case.given - case.before) for case in cases])
    part = float(moves @ made / (moves @ moves)) if np.any(moves) else 1.0
    if 1e-3 < part < 2 and abs(part - 1) > 1e-6:
        yield [case.before + part * (case.right - case.before) for case in cases]


def _kept(case: Case) -> Iterator[Array]:
    yield case.before


_OF_UPDATES = (
    Mistake("the old value is kept", _each(_kept)),
    Mistake("hard assignment: each row counts for its likeliest component alone", _each(_hard)),
    Mistake(
        "the square of a mean, E[x]², where the mean of the square, E[x²], belongs", _each(_squared_means)
    ),
    Mistake(
        "the old values of the other parameters (the old mean in a variance)",
        _each(_old_others),
        _DIFFERENCES,
    ),
    Mistake("one value for all components (tied) where each has its own", _each(_pooled)),
    Mistake("N - 1 in place of N", _each(_one_less)),
    Mistake(
        "another total: the number of rows for the expected count of a component, or the like",
        _each(_other_total),
    ),
    Mistake("an extra factor: the old value of the parameter", _each(_extra_factor)),
    Mistake("a regression that weights the response only", _each(_response_only), _DIFFERENCES),
    Mistake("a variance where the standard deviation is the parameter", _each(_power(2))),
    Mistake("a standard deviation where the variance is the parameter", _each(_power(0.5))),
    Mistake("a damped step: only a part of the way", _damped),
)


# -- of log-likelihoods ----------------------------------------------------------------------------------


def _before_update(case: Case) -> Iterator[Array]:
    yield np.asarray(case.trial.log_likelihood)


def _per_row(case: Case) -> Iterator[Array]:
    for size in case.trial.ground.model.sizes:
        yield case.right / float(case.arrays[size.name])


def _negative(case: Case) -> Iterator[Array]:
    yield -case.right


def _without_entropy(case: Case) -> Iterator[Array]:
    yield np.asarray(case.trial.expectation.surrogate(case.trial.theta))


def _without_constants(cases: Sequence[Case]) -> Iterator[Sequence[Array]]:
    """ℓ less what is the same for every θ: one number for each set of data."""
    first: dict[int, Array] = {}
    for case in cases:
        first.setdefault(id(case.trial.ground), case.given - case.right)
    counts = [id(case.trial.ground) for case in cases]
    if len(counts) > len(first):
        yield [case.right + first[id(case.trial.ground)] for case in cases]


_OF_LIKELIHOODS = (
    Mistake("the log-likelihood before the update", _each(_before_update)),
    Mistake("its negative", _each(_negative)),
    Mistake("its mean over the rows, not the sum", _each(_per_row)),
    Mistake("Q, which lacks the entropy of the posterior", _each(_without_entropy)),
    Mistake("terms that hold no parameter are left out", _without_constants),
)
