"""The posterior of components that have the same trees, as weights on rows and quadrature nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symem.verification.compiled import Array, compiled
from symem.verification.components import Component, Domains
from symem.verification.enumeration import TooLargeError
from symem.verification.quadrature import Chart, chart, integrate
from symem.verification.rows import Rows, rows_of

Theta = Mapping[str, Any]

_FIRST_CUT, _LAST_CUT, _TAIL = 32, 4096, 1e-15


@dataclass
class Group:
    """Components that have the same trees: they are evaluated together."""

    components: list[Component]
    domains: Domains
    accuracy: float
    cut: int = _FIRST_CUT
    _rows: dict[int, Rows] = field(default_factory=dict)
    _chart: Chart | None = None

    @cached_property
    def discrete(self) -> tuple[bool, ...]:
        return tuple(self.domains.is_discrete(atom) for atom in self.components[0].atoms)

    @cached_property
    def _constants(self) -> list[list[Array]]:
        """Per term, per number: one value for each component."""
        terms = zip(*(component.templates for component in self.components), strict=True)
        return [[np.array(each) for each in zip(*(t.constants for t in term), strict=True)] for term in terms]

    def rows(self) -> Rows:
        if self.cut not in self._rows:
            self._rows = {self.cut: rows_of(self.components, self.domains, self.cut)}
        return self._rows[self.cut]

    def log_joint(self, theta: Theta, rows: Rows, columns: Sequence[Array]) -> Array:
        """The sum of the terms at (rows, nodes)."""
        total: Array = np.zeros(1)
        for shape, constants in zip(self.components[0].templates, self._constants, strict=True):
            numbers = tuple(each[rows.component, None] for each in constants)
            total = total + compiled(shape.tree)(numbers, tuple(columns), theta)
        return np.broadcast_to(total, np.broadcast_shapes(total.shape, (len(rows.component), 1)))

    def belief(self, theta: Theta) -> GroupBelief:
        """The posterior at theta as weights on nodes."""
        while True:
            belief = self._belief(theta)
            if belief.tail < _TAIL or self.cut >= _LAST_CUT:
                return belief
            self.cut *= 2

    def _belief(self, theta: Theta) -> GroupBelief:
        rows = self.rows()
        if all(self.discrete):
            columns = rows.columns(self.discrete, ())
            return GroupBelief(self, rows, columns, self.log_joint(theta, rows, columns), 0.0)
        rule, values, error = self._integrated(theta, rows)
        return GroupBelief(self, rows, rows.columns(self.discrete, rule.nodes), values, error)

    def _integrated(self, theta: Theta, rows: Rows) -> Any:
        def density(nodes: Sequence[Array]) -> Array:
            return self.log_joint(theta, rows, rows.columns(self.discrete, nodes))

        if self._chart is not None and len(self._chart.low) == len(rows.component):
            try:
                return integrate(density, self._chart, rows.component, self.accuracy)
            except TooLargeError:
                self._chart = None
        self._chart = chart(density, rows.low, rows.high)
        return integrate(density, self._chart, rows.component, self.accuracy)


@dataclass(frozen=True)
class GroupBelief:
    """Log-masses (rows, nodes) of the components of a group at one theta; `error` is that of quadrature."""

    group: Group
    rows: Rows
    columns: list[Array]
    values: Array
    error: float

    @cached_property
    def log_normalisers(self) -> Array:
        """Log of the total mass of each component."""
        with np.errstate(divide="ignore"):
            return np.asarray(self._anchor + np.log(self._mass))

    @cached_property
    def _anchor(self) -> Array:
        """The largest log-mass of a node in each component."""
        heaviest = np.full(len(self.group.components), -np.inf)
        np.maximum.at(heaviest, self.rows.component, self.values.max(axis=1, initial=-np.inf))
        return np.where(np.isfinite(heaviest), heaviest, 0.0)

    @cached_property
    def _scaled(self) -> Array:
        return np.asarray(np.exp(self.values - self._anchor[self.rows.component, None]))

    @cached_property
    def _mass(self) -> Array:
        """The mass of each component beside its heaviest node."""
        return np.bincount(self.rows.component, self._scaled.sum(axis=1), len(self.group.components))

    @cached_property
    def weights(self) -> Array:
        """Posterior probabilities of the nodes; they sum to one however large the log-masses are."""
        return np.asarray(self._scaled / self._mass[self.rows.component, None])

    @property
    def tail(self) -> float:
        """The mass at the cut of counts that nothing bounds, of which the rest is a geometric fraction."""
        return float(self.weights[self.rows.face].sum(axis=1).max(initial=0.0))

    def mean(self, values: Array) -> Array:
        """Posterior mean in each component of a function given at the nodes."""
        with np.errstate(invalid="ignore"):
            weighted = np.where(self.weights == 0, 0.0, self.weights * values)
        return np.bincount(self.rows.component, weighted.sum(axis=1), len(self.group.components))


def grouped(components: Iterable[Component], domains: Domains, accuracy: float) -> tuple[Group, ...]:
    groups: dict[Any, Group] = {}
    for component in components:
        trees = tuple(each.tree for each in component.templates)
        kinds = tuple(domains.is_discrete(atom) for atom in component.atoms)
        groups.setdefault((trees, kinds), Group([], domains, accuracy)).components.append(component)
    return tuple(groups.values())
