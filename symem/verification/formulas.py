"""The formulas of a derivation in numbers: its records read as the straight-line program that they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Expr, Sum, Symbol

from symem.budget import look
from symem.derivation import Ascent, Definition, Derivation, Posterior, Tabulated, defined_by
from symem.evaluation.arithmetic import Arithmetic, Arrays, evaluate
from symem.evaluation.points import Moving
from symem.evaluation.situation import extent_of
from symem.evaluation.stacks import Array
from symem.evaluation.updating import settled, stepped, updated
from symem.language.leaves import name_of, places_of
from symem.language.matrices import is_matrix
from symem.language.plates import Iverson
from symem.verification.oracle import Oracle, alone
from symem.verification.rounding import Rounding

Theta = Mapping[str, Any]
#: How many roundings of a message a posterior may hold, and what is lost of one elsewhere.
_ROUNDINGS, _USUAL = 8.0, 1e-9


def _like(values: Any, given: Any) -> Any:
    """Values in the shape in which a parameter was given: one column may be an axis or none."""
    found = np.asarray(values, dtype=float)
    return found.reshape(np.shape(given)) if found.size == np.size(given) else found


@dataclass(frozen=True)
class Formulas:
    """A derivation with data put in; the oracle stands in for means that the derivation leaves standing."""

    derivation: Derivation
    arrays: Mapping[str, Any]
    oracle: Oracle

    @cached_property
    def sized(self) -> Arrays:
        """The arrays, with the sizes that the posteriors' own ranges have in these data."""
        extents = self.derivation.own_extents
        return {**{each.symbol.name: extent_of(each, self.arrays) for each in extents}, **self.arrays}

    def at(self, theta: Theta) -> Expectation:
        """The E-step at theta."""
        look()
        arrays = {**self.sized, **{name: np.asarray(value, dtype=float) for name, value in theta.items()}}
        with np.errstate(all="ignore"):
            return Expectation(self, dict(theta), evaluate(self.derivation.definitions, arrays))


@dataclass(frozen=True)
class Expectation:
    """The E-step at theta: all posterior arrays."""

    formulas: Formulas
    theta: Theta
    arrays: Arrays

    @property
    def derivation(self) -> Derivation:
        return self.formulas.derivation

    def _number(self, expression: Expr, arrays: Mapping[str, Any]) -> float:
        with np.errstate(all="ignore"):
            return Arithmetic(arrays, self._mean).number(expression)

    def _mean(self, value: Expr, here: Mapping[Symbol, int]) -> float:
        look()
        oracle = self.formulas.oracle
        return float(self._belief.mean(oracle.scope(value, here)))

    @cached_property
    def _belief(self) -> Any:
        return self.formulas.oracle.at(self.theta)

    @property
    def log_likelihood(self) -> float:
        return self._number(self.derivation.log_likelihood, self.arrays)

    @property
    def entropy(self) -> float:
        return self._number(self.derivation.surrogate.entropy, self.with_statistics)

    @property
    def loss(self) -> float:
        """How many times the usual rounding is lost where messages along a chain are logarithms of large size: with counts of
        10⁶, of which a posterior is the exponential of a difference, about a hundred.
        """
        messages = (each for each in self.derivation.definitions if each.recurrence is not None)
        sizes = (np.abs(self.arrays[name_of(each.symbol)]) for each in messages)
        largest = max((float(np.max(s, initial=0.0, where=np.isfinite(s))) for s in sizes), default=0.0)
        return max(1.0, _ROUNDINGS * np.finfo(float).eps * largest / _USUAL)

    @cached_property
    def with_statistics(self) -> Arrays:
        """The posterior arrays and the expected sufficient statistics."""
        with np.errstate(all="ignore"):
            return evaluate(self.derivation.surrogate.statistics, self.arrays)

    def lost(self, name: str) -> Array:
        """A bound of what a statistic loses by rounding, which is told of numbers."""
        definition = next(d for d in self.derivation.surrogate.statistics if name_of(d.symbol) == name)
        if is_matrix(definition.symbol):
            return np.zeros(())
        bound = Rounding({}).of(definition.value)
        with np.errstate(all="ignore"):
            return np.asarray(evaluate([replace(definition, value=bound)], self.with_statistics)[name])

    @cached_property
    def _constant(self) -> float:
        return self._number(self.derivation.surrogate.constant, self.with_statistics)

    def surrogates(self, thetas: Theta) -> Array:
        """Q(θ | θ⁽ᵗ⁾) at each θ, the constant and (in MAP-EM) the log-prior included."""
        new = {name: Moving(np.asarray(values, dtype=float)) for name, values in thetas.items()}
        with np.errstate(all="ignore"):
            scope = Arithmetic({**self.with_statistics, **new}, self._mean)
            return scope.numbers(self.derivation.surrogate.value) + self._constant

    def surrogate(self, theta: Theta) -> float:
        """Q(θ | θ⁽ᵗ⁾) at one θ."""
        return float(self.surrogates(alone(theta))[0])

    @cached_property
    def with_updates(self) -> Arrays:
        """The posterior arrays, the statistics, and the parameters after the M-step in place of those before."""
        with np.errstate(all="ignore"):
            return stepped(self.derivation.updates, self.with_statistics)

    def update(self) -> dict[str, Any]:
        """The M-step."""
        return {name: _like(self.with_updates[name], self.theta[name]) for name in self.theta}

    def top(self) -> dict[str, Any]:
        """What the M-step leads towards, where it takes but one step: the maximum."""
        with np.errstate(all="ignore"):
            found = updated(self.derivation.updates, self.with_statistics)
        return {name: _like(found[name], self.theta[name]) for name in self.theta}

    @cached_property
    def _claimed(self) -> tuple[Arrays, bool]:
        """The arrays after the M-step, an update NaN where a condition of its certificate fails, and what is computed of
        it too; and whether all conditions hold.
        """
        rounding = Rounding({name_of(each.symbol): each for each in self.derivation.surrogate.statistics})
        conditions = {each.parameter: each.conditions for each in self.derivation.certificates}
        arrays, hold = self.with_statistics, True
        for update in self.derivation.updates:
            with np.errstate(all="ignore"):
                arrays = evaluate(defined_by(update), arrays)
                for condition in conditions.get(update.parameter, ()):
                    array, holds = self._where(update.definition, rounding.beyond(condition), arrays)
                    arrays, hold = {**arrays, name_of(update.parameter): array}, hold and holds
        updates = self.derivation.updates
        with np.errstate(all="ignore"):
            found = settled(updates, arrays, as_taken=True)
        climbed = {name_of(u.parameter) for u in updates if isinstance(u, Ascent)}
        return found, hold and all(np.all(np.isfinite(found[name])) for name in climbed)

    def _where(self, definition: Definition, condition: Expr, arrays: Arrays) -> tuple[Array, bool]:
        """An update NaN where a condition fails, unless that speaks of another plate than the parameter's."""
        places, indices = places_of(definition.symbol), tuple(axis.index for axis in definition.axes)
        array = np.array(arrays[name_of(definition.symbol)], dtype=float)
        if (condition.free_symbols & self._index_symbols) - set(indices):
            return array, True
        scope = Arithmetic(arrays, self._mean)
        sizes = tuple(scope.integer(axis.size) for axis in definition.axes)
        fails = scope.table(Iverson(condition), indices, sizes) == 0
        if places == indices:
            array[fails] = np.nan
        elif not indices and fails:
            array[tuple(map(int, places))] = np.nan
        return array, not np.any(fails)

    def determined(self) -> dict[str, Any]:
        """The M-step, NaN where a condition of its certificate fails, or holds by rounding alone: nothing is said of it
        there, nor of what is computed of it.
        """
        return {name: _like(self._claimed[0][name], self.theta[name]) for name in self.theta}

    @property
    def claims_maximum(self) -> bool:
        """Whether all conditions hold: else none is claimed, as of log Σx of counts that are all 0, or a slope on one row."""
        return self._claimed[1]

    @property
    def _index_symbols(self) -> set[Expr]:
        listed = (*self.derivation.definitions, *self.derivation.surrogate.statistics)
        listed += tuple(each for update in self.derivation.updates for each in defined_by(update))
        summed = (whole for each in listed for whole in each.value.atoms(Sum))
        bound = {limits[0] for whole in summed for limits in whole.limits}
        return bound | {axis.index for each in listed for axis in each.axes}

    def where_it_is(self, posterior: Posterior, record: Definition) -> Array:
        """An array of a posterior, NaN where its latent does not exist."""
        values = np.asarray(self.arrays[name_of(record.symbol)], dtype=float)
        if posterior.condition is None:
            return values
        scope = Arithmetic(self.arrays)
        axes = tuple(record.axes)
        sizes = tuple(scope.integer(axis.size) for axis in axes)
        exists = scope.table(posterior.condition, tuple(axis.index for axis in axes), sizes) > 0
        return np.where(exists.reshape(exists.shape + (1,) * (values.ndim - exists.ndim)), values, np.nan)

    def normalisation(self) -> float:
        """How far the discrete posteriors are from summing to one."""
        worst = 0.0
        for posterior in self.derivation.posteriors:
            if isinstance(posterior, Tabulated):
                values = np.asarray(self.arrays[name_of(posterior.probability.symbol)])
                axis = list(posterior.probability.symbol.indices).index(posterior.outcome.index)
                there = ~np.isnan(self.where_it_is(posterior, posterior.probability)) | np.isnan(values)
                apart = np.abs(values.sum(axis=axis) - 1)[there.any(axis=axis)]
                worst = max(worst, float(np.max(apart, initial=0.0)))
        return worst
