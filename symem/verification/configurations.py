"""The configurations of a component: values of its discrete latents and domains of its continuous ones.

A bracket such as [y > c] breaks the domain of a continuous latent in two, and quadrature must not run across
the break: each piece is a row of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symem.budget import look
from symem.evaluation.compiled import compiled, template
from symem.evaluation.points import Lookup
from symem.evaluation.stacks import Array
from symem.evaluation.trees import Apply, Atom, Entry, atoms_of, walk
from symem.verification.components import Component, Domains
from symem.verification.enumeration import Counting, TooLargeError, Total, conditions_on, square_of


@dataclass(frozen=True)
class Rows:
    """Configurations: of which component, the discrete values, and the domain of the continuous latents.

    Of several points the owner is the place of the component among all components of all points.
    """

    owner: Array
    discrete: Array
    low: Array
    high: Array
    face: Array

    def columns(self, places: Sequence[bool], nodes: Sequence[Array]) -> list[Array]:
        """One (rows, nodes) array per latent, in their order."""
        discrete, continuous = iter(self.discrete.T[:, :, None]), iter(nodes)
        return [next(discrete) if is_discrete else next(continuous) for is_discrete in places]

    def repeated(self, points: int, components: int) -> Rows:
        """The same rows at every point."""
        if points == 1:
            return self
        shift = components * np.repeat(np.arange(points), len(self.owner))
        owner, *others = (np.concatenate([each] * points) for each in vars(self).values())
        return Rows(owner + shift, *others)


def others_of(places: tuple[int, ...], rows: Rows) -> list[int]:
    """The continuous latents that are not among these."""
    return [place for place in range(rows.low.shape[1]) if place not in places]


def together(places: tuple[int, ...], nodes: Sequence[Array], points: Array) -> list[Array]:
    """All continuous latents in their order: those of `places` at points, the others at nodes."""
    given, moving = iter(nodes), iter(np.moveaxis(points, -1, 0))
    rows, count, each = points.shape[:-1]
    return [
        next(moving).reshape(rows, count * each) if place in places else np.repeat(next(given), each, axis=1)
        for place in range(len(places) + len(nodes))
    ]


def rows_of(components: Sequence[Component], domains: Domains, cut: int) -> Rows:
    """The rows of all components; counts that nothing bounds take `cut` values."""
    parts = []
    for place, component in enumerate(components):
        look()
        parts.append(Splitter(component, domains).rows(place, cut))
    return Rows(*(np.concatenate(column) for column in zip(*parts, strict=True)))


@dataclass(frozen=True)
class Splitter:
    """Lists the configurations of one component and splits its continuous domains."""

    component: Component
    domains: Domains

    @cached_property
    def discrete(self) -> list[Atom]:
        return [atom for atom in self.component.atoms if self.domains.is_discrete(atom)]

    @cached_property
    def continuous(self) -> list[Atom]:
        return [atom for atom in self.component.atoms if not self.domains.is_discrete(atom)]

    @cached_property
    def limits(self) -> list[Total]:
        one_hot = {tuple(row): None for row in map(self.domains.companions, self.discrete) if row}
        return [*self.component.limits, *(Total(dict.fromkeys(row, 1.0), 1.0) for row in one_hot)]

    def rows(self, place: int, cut: int) -> tuple[Array, ...]:
        counting = Counting({atom: self.domains.range(atom) for atom in self.discrete}, self.limits, cut)
        values = counting.configurations()
        face = np.any(values == counting.last, axis=1)
        source, low, high = self._pieces(values)
        return np.full(len(source), place), values[source], low, high, face[source]

    def _pieces(self, values: Array) -> tuple[Array, Array, Array]:
        """Split each row where brackets break its continuous domains."""
        source, lows, highs = np.arange(len(values)), np.empty((len(values), 0)), np.empty((len(values), 0))
        for atom in self.continuous:
            edges = self._edges(atom, values)
            low, high = edges[source, :-1], edges[source, 1:]
            keep = low < high
            again = np.repeat(np.arange(len(source)), keep.sum(axis=1))
            lows = np.column_stack([lows[again], low[keep]])
            highs = np.column_stack([highs[again], high[keep]])
            source = source[again]
        return source, lows, highs

    def _edges(self, atom: Atom, values: Array) -> Array:
        """Ends of the support and the breaks between, sorted, per row."""
        low, high = self.domains.bounds(atom)
        found = dict.fromkeys(
            each for term in self.component.terms if square_of(term) is None for each in conditions_on(term)
        )
        breaks = [
            np.clip(self._break(each, atom, values), low, high) for each in found if atom in atoms_of(each)
        ]
        ends = [np.full(len(values), low), *breaks, np.full(len(values), high)]
        return np.sort(np.stack(ends, axis=1), axis=1)

    def _break(self, relation: Apply, atom: Atom, values: Array) -> Array:
        """Where the two sides of a relation meet, given the discrete latents."""
        others = [each for each in atoms_of(relation) if each != atom and not self.domains.is_discrete(each)]
        if others or any(isinstance(each, Entry) for each in walk(relation)):
            raise TooLargeError(
                f"a bracket on {atom.name} that also depends on parameters or continuous latents"
            )
        with np.errstate(invalid="ignore"):
            at = [self._difference(relation, atom, here, values) for here in (0.0, 1.0, 3.0)]
        never = ~np.isfinite(at[0])
        start, near, far = (np.where(never, 0.0, each) for each in at)
        slope = near - start
        slope = np.where(np.abs(slope - np.rint(slope)) < 1e-9, np.rint(slope), slope)
        if not np.allclose(far - start, 3 * slope):
            raise TooLargeError(f"a bracket that is not linear in {atom.name}")
        return np.where(slope == 0, np.inf, -start / np.where(slope == 0, 1.0, slope))

    def _difference(self, relation: Apply, atom: Atom, here: float, values: Array) -> Array:
        listed = dict(zip(self.discrete, values.T, strict=True))
        columns = tuple(listed.get(each, here if each == atom else 0.0) for each in self.component.atoms)
        left, right = (template(side, self.component.places) for side in relation.arguments)
        gap = compiled(left.tree)(left.constants, columns, Lookup({})) - compiled(right.tree)(
            right.constants, columns, Lookup({})
        )
        return np.broadcast_to(np.asarray(gap, dtype=float), (len(values),))
