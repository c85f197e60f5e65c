"""The posterior of components that have the same trees, as weights on rows and quadrature nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from symem.evaluation.compiled import compiled
from symem.evaluation.stacks import Array
from symem.verification.components import Component, Domains
from symem.verification.configurations import Rows, rows_of
from symem.verification.enumeration import TooLargeError
from symem.verification.gaussian_integrals import (
    SCALES,
    Cubature,
    Gaussian,
    cubature,
    first_guess,
    fit,
    is_quadratic,
)
from symem.verification.quadrature import MOST_VARIABLES, Chart, LogDensity, chart, integrate, to_domain

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
    _gaussian: tuple[int, ...] | None = None
    _last: Gaussian | None = None

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
        exact = self._exact(theta, rows)
        if not exact:
            return self.by_quadrature(theta)
        return self._mixed(theta, rows, exact).belief(cubature(len(exact)))

    def by_quadrature(self, theta: Theta) -> GroupBelief:
        """The posterior with all continuous latents on quadrature nodes."""
        rows = self.rows()

        def density(nodes: Sequence[Array]) -> Array:
            return self.log_joint(theta, rows, rows.columns(self.discrete, nodes))

        rule, values, error = self._integrated(density, rows, range(rows.low.shape[1]))
        return GroupBelief(self, rows, rows.columns(self.discrete, rule.nodes), values, error)

    def _integrated(self, density: LogDensity, rows: Rows, places: Sequence[int]) -> Any:
        if len(places) > MOST_VARIABLES:
            name = next(a.name for a, d in zip(self.components[0].atoms, self.discrete, strict=True) if not d)
            raise TooLargeError(f"{len(places)} coupled continuous latents, such as {name}")
        if self._chart is not None and self._chart.low.shape == (len(rows.component), len(places)):
            try:
                return integrate(density, self._chart, rows.component, self.accuracy)
            except TooLargeError:
                self._chart = None
        self._chart = chart(density, rows.low[:, places], rows.high[:, places])
        return integrate(density, self._chart, rows.component, self.accuracy)

    # -- latents in which the log-density is quadratic -------------------------------------------------

    def _exact(self, theta: Theta, rows: Rows) -> tuple[int, ...]:
        """The continuous latents that are integrated as Gaussian vectors; found at the first θ."""
        if self._gaussian is None:
            whole = np.isneginf(rows.low).all(axis=0) & np.isposinf(rows.high).all(axis=0)
            candidates = tuple(np.flatnonzero(whole).tolist())
            self._gaussian = candidates if self._is_exact(theta, rows, candidates) else ()
            for place in candidates if not self._gaussian else ():
                if self._is_exact(theta, rows, (*self._gaussian, place)):
                    self._gaussian = (*self._gaussian, place)
        return self._gaussian

    def _is_exact(self, theta: Theta, rows: Rows, places: tuple[int, ...]) -> bool:
        """Whether the log-joint is a quadratic of some latents, the others being where they may be."""
        if not places:
            return False
        others = _others(places, rows)
        line = np.random.default_rng(2).normal(size=(2, *rows.low.shape))
        nodes = tuple(
            np.stack([to_domain(at[:, p], rows.low[:, p], rows.high[:, p])[0] for at in line], axis=1)
            for p in others
        )
        function = self._around(theta, rows, places, nodes)
        shape = (len(rows.component), 2 if others else 1)
        found = fit(function, [first_guess(shape, len(places), scale) for scale in SCALES])
        return bool(np.all(np.isfinite(found.log_mass))) and is_quadratic(function, found)

    def _around(
        self, theta: Theta, rows: Rows, places: tuple[int, ...], nodes: Sequence[Array]
    ) -> Callable[[Array], Array]:
        """The log-joint as a function of some continuous latents, the others at nodes."""

        def function(points: Array) -> Array:
            columns = rows.columns(self.discrete, _together(places, nodes, points))
            values = self.log_joint(theta, rows, columns)
            return np.broadcast_to(values, (len(points), points.shape[1] * points.shape[2])).reshape(
                points.shape[:-1]
            )

        return function

    def _mixed(self, theta: Theta, rows: Rows, places: tuple[int, ...]) -> Mixed:
        """Gaussian latents integrated at nodes of the others."""
        others = _others(places, rows)

        def gaussian(nodes: Sequence[Array]) -> Gaussian:
            count = nodes[0].shape[1] if nodes else 1
            shape = (len(rows.component), count)
            scales = SCALES[:1] if nodes else SCALES
            guesses = (first_guess(shape, len(places), scale) for scale in scales)
            near = [self._last] if self._last is not None and self._last.mean.shape[:2] == shape else []
            return fit(self._around(theta, rows, places, nodes), chain(near, guesses))

        if not others:
            self._last = gaussian(())
            return Mixed(self, rows, places, (), self._last, self._last.log_mass, 0.0)
        rule, values, error = self._integrated(lambda nodes: gaussian(nodes).log_mass, rows, others)
        return Mixed(self, rows, places, rule.nodes, gaussian(rule.nodes), values, error)


def _others(places: tuple[int, ...], rows: Rows) -> list[int]:
    return [place for place in range(rows.low.shape[1]) if place not in places]


def _together(places: tuple[int, ...], nodes: Sequence[Array], points: Array) -> list[Array]:
    """All continuous latents in their order: those of `places` at points, the others at nodes."""
    given, moving = iter(nodes), iter(np.moveaxis(points, -1, 0))
    rows, count, each = points.shape[:-1]
    return [
        next(moving).reshape(rows, count * each) if place in places else np.repeat(next(given), each, axis=1)
        for place in range(len(places) + len(nodes))
    ]


@dataclass(frozen=True)
class Mixed:
    """Gaussian latents at (rows, nodes) of the other continuous ones, with the log-masses of these nodes."""

    group: Group
    rows: Rows
    places: tuple[int, ...]
    nodes: Sequence[Array]
    gaussian: Gaussian
    values: Array
    error: float

    def belief(self, rule: Cubature) -> GroupBelief:
        """The posterior as weights on nodes: means of polynomials of degree three in the Gaussian latents are exact."""
        points = self.gaussian.at(rule.directions)
        columns = self.rows.columns(self.group.discrete, _together(self.places, self.nodes, points))
        values = self.values[..., None] + rule.log_weights
        flat = values.reshape(len(values), -1)
        return GroupBelief(self.group, self.rows, columns, flat, self.error, self)

    def draw(self, row: int, node: int, rng: np.random.Generator) -> Array:
        """One draw of the Gaussian latents."""
        return np.asarray(self.gaussian.at(rng.normal(size=(1, len(self.places))))[row, node, 0])


@dataclass(frozen=True)
class GroupBelief:
    """Log-masses (rows, nodes) of the components of a group at one theta; `error` is that of quadrature."""

    group: Group
    rows: Rows
    columns: list[Array]
    values: Array
    error: float
    mixed: Mixed | None = None

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

    def drawn(self, place: int, rng: np.random.Generator) -> list[float]:
        """One draw of the latents of a component."""
        mine = np.flatnonzero(self.rows.component == place)
        weights = self.weights[mine]
        row, node = np.unravel_index(
            rng.choice(weights.size, p=(weights / weights.sum()).ravel()), weights.shape
        )
        shown = [np.broadcast_to(column[mine], weights.shape)[row, node] for column in self.columns]
        if self.mixed is not None:
            each = weights.shape[1] // self.mixed.values.shape[1]
            exact = self.mixed.draw(int(mine[row]), int(node) // each, rng)
            continuous = [place for place, discrete in enumerate(self.group.discrete) if not discrete]
            for position, value in zip(self.mixed.places, exact, strict=True):
                shown[continuous[position]] = value
        return [float(value) for value in shown]

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
