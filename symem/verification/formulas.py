"""The formulas of a derivation in numbers: its records read as the straight-line program that they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Expr, Indexed, Symbol

from symem.derivation import Definition, Derivation, Tabulated
from symem.verification.arithmetic import Arithmetic
from symem.verification.oracle import Oracle
from symem.verification.situation import extent_of

Arrays = dict[str, Any]
Theta = Mapping[str, Any]


def evaluate(definitions: Iterable[Definition], arrays: Mapping[str, Any]) -> Arrays:
    """All arrays, the defined ones included, in order of definition."""
    known = dict(arrays)
    for definition in definitions:
        known[name_of(definition)] = _value(definition, known)
    return known


def _value(definition: Definition, known: Mapping[str, Any]) -> Any:
    scope, symbol = Arithmetic(known), definition.symbol
    shape = tuple(scope.integer(axis.size) for axis in definition.axes)
    indices = tuple(axis.index for axis in definition.axes)
    values = scope.table(definition.value, indices, shape)
    places = getattr(symbol, "indices", ())
    if set(places) <= set(indices):
        own = range(len(indices), values.ndim)
        ordered = values.transpose([*(indices.index(place) for place in places), *own])
        return ordered[..., 0] if own and ordered.shape[-1] == 1 else ordered
    return _with_entries(np.array(known[name_of(definition)], dtype=float), definition, values, scope)


def _with_entries(array: Any, definition: Definition, values: Any, scope: Arithmetic) -> Any:
    """An array of which a definition sets single entries, such as mu[0]."""
    lengths = values.shape[: len(definition.axes)]
    for place in np.ndindex(*lengths):
        here = {axis.index: np.asarray(at) for axis, at in zip(definition.axes, place, strict=True)}
        at = tuple(int(scope(each, here)) for each in definition.symbol.indices)
        array[at] = np.reshape(values[place], np.shape(array[at]))
    return array


def name_of(definition: Definition) -> str:
    """The name of the array that a definition defines."""
    symbol = definition.symbol
    return str(symbol.base.label) if isinstance(symbol, Indexed) else str(symbol)


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
        return {**self.arrays, **{each.symbol.name: extent_of(each, self.arrays) for each in extents}}

    def at(self, theta: Theta) -> Expectation:
        """The E-step at theta."""
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

    @cached_property
    def with_statistics(self) -> Arrays:
        """The posterior arrays and the expected sufficient statistics."""
        with np.errstate(all="ignore"):
            return evaluate(self.derivation.surrogate.statistics, self.arrays)

    @cached_property
    def _constant(self) -> float:
        return self._number(self.derivation.surrogate.constant, self.with_statistics)

    def surrogate(self, theta: Theta) -> float:
        """Q(theta | self.theta), the constant and (in MAP-EM) the log-prior included."""
        new = {name: np.asarray(value, dtype=float) for name, value in theta.items()}
        return self._number(self.derivation.surrogate.value, {**self.with_statistics, **new}) + self._constant

    def update(self) -> dict[str, Any]:
        """The M-step."""
        definitions = [update.definition for update in self.derivation.updates]
        with np.errstate(all="ignore"):
            arrays = evaluate(definitions, self.with_statistics)
        return {name: _like(arrays[name], self.theta[name]) for name in self.theta}

    def normalisation(self) -> float:
        """How far the discrete posteriors are from summing to one."""
        worst = 0.0
        for posterior in self.derivation.posteriors:
            if isinstance(posterior, Tabulated):
                values = np.asarray(self.arrays[name_of(posterior.probability)])
                axis = list(posterior.probability.symbol.indices).index(posterior.outcome.index)
                worst = max(worst, float(np.max(np.abs(values.sum(axis=axis) - 1), initial=0.0)))
        return worst
