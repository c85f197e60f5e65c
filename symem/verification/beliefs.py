"""The posterior of components that have the same trees, as weights on rows and quadrature nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from typing import Any

import numpy as np

from symem.evaluation.compiled import compiled, template
from symem.evaluation.points import Lookup
from symem.evaluation.stacks import Array
from symem.evaluation.trees import Node
from symem.verification.configurations import Rows, others_of, together
from symem.verification.enumeration import TooLargeError
from symem.verification.gaussian_integrals import (
    SCALES,
    Cubature,
    Gaussian,
    cubature,
    first_guess,
    fit,
    is_quadratic,
    other_cubature,
)
from symem.verification.log_joint import LogJoint
from symem.verification.quadrature import (
    MOST_VARIABLES,
    Chart,
    LogDensity,
    chart,
    finite,
    integrate,
    to_domain,
)
from symem.verification.subspaces import Subspace

#: The log-density at points of a lookup, as a function of nodes.
Density = Callable[[Lookup, Sequence[Array]], Array]

_LAST_CUT, _TAIL, _WORST_TAIL = 65536, 1e-15, 1e-12


@dataclass
class Group(LogJoint):
    """Components that have the same trees: they are integrated together, to that accuracy."""

    accuracy: float = 1e-8
    _chart: Chart | None = None
    _gaussian: tuple[int, ...] | None = None
    _last: Gaussian | None = None
    _tied: Subspace | None = None

    @property
    def coupled(self) -> int:
        """How many latents are integrated by quadrature, as far as it is known."""
        return self.discrete.count(False) - len(self._gaussian or ())

    def belief(self, lookup: Lookup) -> GroupBelief:
        """The posterior at each point as weights on nodes."""
        while True:
            belief = self._belief(lookup)
            if belief.tail < _TAIL or self.cut >= _LAST_CUT:
                break
            self.cut *= 2
        if belief.tail > _WORST_TAIL:
            raise TooLargeError(f"counts to {self.cut} leave {belief.tail:.0e} of their mass at the last")
        return belief

    def log_masses(self, lookup: Lookup) -> Array:
        """The logarithms of the total masses of all components, summed, at each point."""
        return self.log_normalisers_at(lookup) @ self.counts

    def log_normalisers_at(self, lookup: Lookup) -> Array:
        """The logarithms of the total masses, of shape (points, components)."""
        found = (
            self.belief(each).log_normalisers.reshape(each.points or 1, -1) for each in self.parts(lookup)
        )
        return np.concatenate(list(found))

    def _belief(self, lookup: Lookup) -> GroupBelief:
        rows = self.rows_at(lookup)
        if all(self.discrete):
            columns = self.rows().columns(self.discrete, ())
            return GroupBelief(self, rows, columns, self.flat(lookup, columns), 0.0)
        exact = self._exact(lookup, rows)
        if not exact:
            return self.by_quadrature(lookup)
        mixed = self._mixed(lookup, rows, exact)
        return mixed.belief(cubature(mixed.gaussian.width))

    def by_quadrature(self, lookup: Lookup) -> GroupBelief:
        """The posterior with all continuous latents on quadrature nodes."""
        if self.tied:
            raise TooLargeError("latents of which something must be 0, and that are not Gaussian")
        rows = self.rows_at(lookup)

        def density(at: Lookup, nodes: Sequence[Array]) -> Array:
            return self.flat(at, self.rows_at(at).columns(self.discrete, nodes))

        rule, values, error = self._integrated(density, lookup, range(rows.low.shape[1]))
        columns = rows.columns(self.discrete, rule.nodes)
        return GroupBelief(self, rows, columns, values, error, log_weights=rule.log_weights)

    def _integrated(self, density: Density, lookup: Lookup, places: Sequence[int]) -> Any:
        """An integral at every point, on the chart of the first point of all where that is good enough."""
        if len(places) > MOST_VARIABLES:
            name = next(a.name for a, d in zip(self.components[0].atoms, self.discrete, strict=True) if not d)
            raise TooLargeError(f"{len(places)} coupled continuous latents, such as {name}")
        rows, here = self.rows_at(lookup), partial(density, lookup)
        if self._chart is None or self._chart.low.shape != (len(self.rows().owner), len(places)):
            first = lookup.part(0, 1)
            self._chart = self._charted(partial(density, first), self.rows_at(first), places)
        try:
            return integrate(here, self._chart.repeated(lookup.points or 1), rows.owner, self.accuracy)
        except TooLargeError:
            own = self._charted(here, rows, places)
            self._chart = own.part(len(self.rows().owner))
            return integrate(here, own, rows.owner, self.accuracy)

    @staticmethod
    def _charted(density: LogDensity, rows: Rows, places: Sequence[int]) -> Chart:
        return chart(density, rows.low[:, places], rows.high[:, places])

    # -- latents in which the log-density is quadratic -------------------------------------------------

    def _exact(self, lookup: Lookup, rows: Rows) -> tuple[int, ...]:
        """The continuous latents that are integrated as Gaussian vectors; found at the first θs."""
        if self._gaussian is None:
            whole = np.isneginf(rows.low).all(axis=0) & np.isposinf(rows.high).all(axis=0)
            candidates = tuple(np.flatnonzero(whole).tolist())
            self._gaussian = candidates if self._is_exact(lookup, rows, candidates) else ()
            for place in candidates if not self._gaussian else ():
                if self._is_exact(lookup, rows, (*self._gaussian, place)):
                    self._gaussian = (*self._gaussian, place)
        return self._gaussian

    def _is_exact(self, lookup: Lookup, rows: Rows, places: tuple[int, ...]) -> bool:
        """Whether the log-joint is a quadratic of some latents, the others being where they may be."""
        others = others_of(places, rows)
        if not places or (self.tied and others):
            return False
        line = np.random.default_rng(2).normal(size=(2, *rows.low.shape))
        nodes = tuple(
            np.stack([to_domain(at[:, p], rows.low[:, p], rows.high[:, p])[0] for at in line], axis=1)
            for p in others
        )
        function = self._around(lookup, places, nodes)
        shape = (len(rows.owner), 2 if others else 1)
        width = self._subspace(lookup, places).width if self.tied else len(places)
        found = fit(function, [first_guess(shape, width, scale) for scale in SCALES])
        return bool(np.all(np.isfinite(found.log_mass))) and is_quadratic(function, found)

    def _around(
        self, lookup: Lookup, places: tuple[int, ...], nodes: Sequence[Array]
    ) -> Callable[[Array], Array]:
        """The log-joint as a function of some continuous latents, or of where these are on their subspace, the others at nodes."""
        subspace = self._subspace(lookup, places) if self.tied else None

        def function(points: Array) -> Array:
            rows, points = self.rows_at(lookup), subspace.at(points) if subspace else points
            values = self.flat(lookup, rows.columns(self.discrete, together(places, nodes, points)))
            return values.reshape(points.shape[:-1])

        return function

    def _subspace(self, lookup: Lookup, places: tuple[int, ...]) -> Subspace:
        """Where all that must be 0 is, which no parameter moves."""
        if self._tied is None:
            here = lookup.part(0, 1)

            def squares(points: Array) -> Array:
                rows = self.rows_at(here)
                values = self.demanded(here, rows.columns(self.discrete, together(places, (), points)))
                return values.reshape(points.shape[:-1])

            self._tied = Subspace.of(squares, len(self.rows().owner), len(places))
        return self._tied.repeated(lookup.points or 1)

    def _mixed(self, lookup: Lookup, rows: Rows, places: tuple[int, ...]) -> Mixed:
        """Gaussian latents integrated at nodes of the others."""
        others = others_of(places, rows)

        def gaussian(at: Lookup, nodes: Sequence[Array]) -> Gaussian:
            points = at.points or 1
            shape = (len(self.rows().owner) * points, nodes[0].shape[1] if nodes else 1)
            width = self._subspace(at, places).width if self.tied else len(places)
            scales = SCALES[:1] if nodes else SCALES
            guesses = (first_guess(shape, width, scale) for scale in scales)
            near = [] if self._last is None else [self._last.repeated(points)]
            near = [each for each in near if each.mean.shape[:2] == shape]
            return fit(self._around(at, places, nodes), chain(near, guesses))

        if not others:
            found = gaussian(lookup, ())
            self._last = found.part(len(self.rows().owner))
            found = self._subspace(lookup, places).lifted(found) if self.tied else found
            return Mixed(self, rows, places, (), found, found.log_mass, 0.0)
        rule, values, error = self._integrated(lambda at, n: gaussian(at, n).log_mass, lookup, others)
        return Mixed(self, rows, places, rule.nodes, gaussian(lookup, rule.nodes), values, error)


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
        columns = self.rows.columns(self.group.discrete, together(self.places, self.nodes, points))
        values = self.values[..., None] + rule.log_weights
        flat = values.reshape(len(values), -1)
        return GroupBelief(self.group, self.rows, columns, flat, self.error, self)

    def draw(self, row: int, node: int, rng: np.random.Generator) -> Array:
        """One draw of the Gaussian latents."""
        return np.asarray(self.gaussian.at(rng.normal(size=(1, self.gaussian.width)))[row, node, 0])


@dataclass(frozen=True)
class GroupBelief:
    """Log-masses (rows, nodes) of the components of a group at one theta; `error` is that of quadrature."""

    group: Group
    rows: Rows
    columns: list[Array]
    values: Array
    error: float
    mixed: Mixed | None = None
    log_weights: Array | float = 0.0

    def log_masses(self, lookup: Lookup) -> Array:
        """As the group's, at points near by: on the same nodes, so that differences of it are smooth."""
        return self.log_normalisers_at(lookup) @ self.group.counts

    def log_normalisers_at(self, lookup: Lookup) -> Array:
        """Those of each component, of shape (points, components)."""
        if self.mixed is not None:
            return self.group.log_normalisers_at(lookup)
        return np.concatenate([self._log_normalisers_at(each) for each in self.group.parts(lookup)])

    def _log_normalisers_at(self, lookup: Lookup) -> Array:
        values = finite(self.group.log_joint(lookup, self.columns) + self.log_weights)
        here = replace(self, rows=self.group.rows_at(lookup), values=values.reshape(-1, values.shape[-1]))
        return here.log_normalisers.reshape(lookup.points or 1, -1)

    @property
    def _owners(self) -> int:
        """The number of components, counted anew at each point."""
        return len(self.group.components) * (len(self.rows.owner) // max(1, len(self.group.rows().owner)))

    @cached_property
    def log_normalisers(self) -> Array:
        """Log of the total mass of each component, point after point."""
        with np.errstate(divide="ignore"):
            return np.asarray(self._anchor + np.log(self._mass))

    @property
    def log_mass(self) -> float:
        """The logarithms of the masses of all components, each as often as its row counts."""
        return float(self.log_normalisers @ self.group.counts)

    @cached_property
    def _anchor(self) -> Array:
        """The largest log-mass of a node in each component."""
        heaviest = np.full(self._owners, -np.inf)
        np.maximum.at(heaviest, self.rows.owner, self.values.max(axis=1, initial=-np.inf))
        return np.where(np.isfinite(heaviest), heaviest, 0.0)

    @cached_property
    def _scaled(self) -> Array:
        return np.asarray(np.exp(self.values - self._anchor[self.rows.owner, None]))

    @cached_property
    def _mass(self) -> Array:
        """The mass of each component beside its heaviest node."""
        return np.bincount(self.rows.owner, self._scaled.sum(axis=1), self._owners)

    @cached_property
    def weights(self) -> Array:
        """Posterior probabilities of the nodes; they sum to one however large the log-masses are."""
        return np.asarray(self._scaled / self._mass[self.rows.owner, None])

    @property
    def tail(self) -> float:
        """The mass at the cut of counts that nothing bounds, of which the rest is a geometric fraction."""
        return float(self.weights[self.rows.face].sum(axis=1).max(initial=0.0))

    def drawn(self, place: int, rng: np.random.Generator) -> list[float]:
        """One draw of the latents of a component."""
        mine = np.flatnonzero(self.rows.owner == place)
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

    def mean(
        self, lookup: Lookup, of: Callable[[Array], Array] = np.asarray, counts: Array | None = None
    ) -> Array:
        """The posterior mean of (a function of) the terms at other points, over all components, each as often as its row
        counts, or as is said.
        """
        often = self.group.counts if counts is None else counts
        weights = self.weights * often[self.rows.owner, None]
        with np.errstate(invalid="ignore"):
            parts = (self.group.log_joint(each, self.columns, of) for each in self.group.parts(lookup))
            means = [np.where(weights == 0, 0.0, weights * part).sum(axis=(1, 2)) for part in parts]
        return np.concatenate(means)

    def means_of(self, place: int, nodes: Sequence[Node], lookup: Lookup) -> Array:
        """The posterior means of nodes in one component."""
        found = self._means_of(place, nodes, lookup)
        if self.mixed is None or self._is_exact(place, nodes, lookup, found):
            return found
        return self.group.by_quadrature(lookup)._means_of(place, nodes, lookup)  # noqa: SLF001

    def _is_exact(self, place: int, nodes: Sequence[Node], lookup: Lookup, found: Array) -> bool:
        """Whether other points give the same means: for quadratics of Gaussian latents they do."""
        assert self.mixed is not None
        other = self.mixed.belief(other_cubature(self.mixed.gaussian.width))
        again = other._means_of(place, nodes, lookup)  # noqa: SLF001
        return bool(np.allclose(again, found, rtol=1e-9, atol=1e-9))

    def _means_of(self, place: int, nodes: Sequence[Node], lookup: Lookup) -> Array:
        mine = self.rows.owner == place
        columns, weights = tuple(column[mine] for column in self.columns), self.weights[mine]
        shapes = [template(node, self.group.components[place].places) for node in nodes]
        values = [compiled(shape.tree)(shape.constants, columns, lookup) for shape in shapes]
        return np.array([np.sum(np.where(weights == 0, 0.0, weights * value)) for value in values])
