"""The formulas of a derivation in numbers: its records read as the straight-line program that they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Expr, Indexed

from symem.derivation import Definition, Derivation
from symem.verification.terms import Specialiser, grid

Arrays = dict[str, Any]
Theta = Mapping[str, Any]


def evaluate(definitions: Iterable[Definition], arrays: Mapping[str, Any]) -> Arrays:
    """All arrays, the defined ones included, in order of definition."""
    known = dict(arrays)
    for definition in definitions:
        name, value = _value(definition, known)
        known[name] = value
    return known


def _value(definition: Definition, known: Mapping[str, Any]) -> tuple[str, Any]:
    scope = Specialiser(known)
    symbol = definition.symbol
    shape = tuple(scope.integer(axis.size) for axis in definition.axes)
    indices = [axis.index for axis in definition.axes]
    places = [dict(zip(indices, place, strict=True)) for place in grid(shape)]
    values = np.array([scope.number(definition.value, here) for here in places]).reshape(shape)
    if not isinstance(symbol, Indexed):
        return str(symbol), values
    name = str(symbol.base.label)
    order = [indices.index(each) for each in symbol.indices if each in indices]
    if len(order) == len(symbol.indices):
        return name, values.transpose(order)
    return name, _with_entries(np.array(known[name], dtype=float), definition, places, values)


def _with_entries(array: Any, definition: Definition, places: list[Any], values: Any) -> Any:
    """An array of which a definition sets single entries, such as mu[0]."""
    scope = Specialiser({})
    for here, value in zip(places, values.ravel(), strict=True):
        array[tuple(scope.integer(each, here) for each in definition.symbol.indices)] = value
    return array


@dataclass(frozen=True)
class Formulas:
    """A derivation with data put in."""

    derivation: Derivation
    arrays: Mapping[str, Any]

    def at(self, theta: Theta) -> Expectation:
        """The E-step at theta."""
        arrays = {**self.arrays, **{name: np.asarray(value, dtype=float) for name, value in theta.items()}}
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
            return Specialiser(arrays).number(expression)

    @property
    def log_likelihood(self) -> float:
        return self._number(self.derivation.log_likelihood, self.arrays)

    @property
    def entropy(self) -> float:
        return self._number(self.derivation.surrogate.entropy, self.with_statistics)

    @cached_property
    def statistics(self) -> Arrays:
        names = {_name(each) for each in self.derivation.surrogate.statistics}
        return {name: value for name, value in self.with_statistics.items() if name in names}

    @cached_property
    def with_statistics(self) -> Arrays:
        """The posterior arrays and the expected sufficient statistics."""
        with np.errstate(all="ignore"):
            return evaluate(self.derivation.surrogate.statistics, self.arrays)

    def surrogate(self, theta: Theta) -> float:
        """Q(theta | self.theta), the constant and (in MAP-EM) the log-prior included."""
        new = {name: np.asarray(value, dtype=float) for name, value in theta.items()}
        constant = self._number(self.derivation.surrogate.constant, self.with_statistics)
        return self._number(self.derivation.surrogate.value, {**self.with_statistics, **new}) + constant

    def update(self) -> dict[str, Any]:
        """The M-step."""
        definitions = [update.definition for update in self.derivation.updates]
        with np.errstate(all="ignore"):
            arrays = evaluate(definitions, self.with_statistics)
        return {name: np.asarray(arrays[name], dtype=float) for name in self.theta}

    def normalisation(self) -> float:
        """How far the discrete posteriors are from summing to one."""
        worst = 0.0
        for posterior in self.derivation.posteriors:
            if posterior.probability is not None and posterior.outcome is not None:
                values = np.asarray(self.arrays[_name(posterior.probability)])
                axis = _slot(posterior.probability, posterior.outcome.index)
                worst = max(worst, float(np.max(np.abs(values.sum(axis=axis) - 1), initial=0.0)))
        return worst


def _name(definition: Definition) -> str:
    symbol = definition.symbol
    return str(symbol.base.label) if isinstance(symbol, Indexed) else str(symbol)


def _slot(definition: Definition, index: Any) -> int:
    return list(definition.symbol.indices).index(index)
