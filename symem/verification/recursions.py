"""The posterior of components with many coupled labels, without a list of their configurations.

The labels are summed out one at a time (`cliques`). Other latents that stand beside a few of them, the scale of an emission, say,
are integrated at each of the values that these take, as components of their own; the logarithms of the integrals are one more table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from symem.budget import look
from symem.evaluation.compiled import compiled, template
from symem.evaluation.points import Lookup
from symem.evaluation.stacks import Array
from symem.evaluation.trees import Atom, Node, atoms_of, with_values
from symem.verification.beliefs import Group, GroupBelief
from symem.verification.cliques import Marginals, Scope, Summation
from symem.verification.components import Component, Domains
from symem.verification.enumeration import TooLargeError
from symem.verification.splits import Split, own_template

_MOST_NUMBERS = 2_000_000


def _numbers(constants: Sequence[Sequence[Sequence[Any]]]) -> list[Array]:
    """Of terms and components the numbers, one array of shape (terms, components) for each place of the tree."""
    return [
        np.array([[own[number] for own in term] for term in constants])
        for number in range(len(constants[0][0]))
    ]


def grouped(components: Iterable[Component], domains: Domains, accuracy: float) -> tuple[Group, ...]:
    groups: dict[Any, Group] = {}
    for component in components:
        trees = tuple(each.tree for each in component.templates)
        kinds = tuple(domains.is_discrete(atom) for atom in component.atoms)
        groups.setdefault((trees, kinds), Group([], domains, accuracy=accuracy)).components.append(component)
    return tuple(groups.values())


@dataclass
class Recursion:
    """Components that are summed alike, label by label."""

    components: list[Component]
    splits: list[Split]
    domains: Domains
    accuracy: float

    @property
    def summation(self) -> Summation:
        return self.splits[0].summation

    @cached_property
    def counts(self) -> Array:
        """How often the rows of the components count."""
        return np.array([self.domains.count(each) for each in self.components])

    # -- terms with labels alone -----------------------------------------------------------------------

    @cached_property
    def _batches(self) -> list[tuple[Any, list[int], list[Array], tuple[Array, ...]]]:
        """Terms that have the same tree and whose labels take the same values: the tree, the places of the terms, its numbers of
        shape (terms, components), and the values of its labels in all configurations.
        """
        split = self.splits[0]
        found: dict[Any, list[int]] = {}
        listed = list(zip(*([own_template(t) for t in each.terms] for each in self.splits), strict=True))
        for place, same in enumerate(listed):
            values = tuple(split.values[label] for label in split.scopes[place])
            found.setdefault((same[0].tree, values), []).append(place)
        return [
            (
                tree,
                places,
                _numbers([[each.constants for each in listed[place]] for place in places]),
                tuple(each.reshape(1, 1, -1) for each in np.meshgrid(*values, indexing="ij")),
            )
            for (tree, values), places in found.items()
        ]

    def tables(self, lookup: Lookup, of: Callable[[Array], Array] = np.asarray) -> list[Array]:
        """(A function of) each term that holds labels alone, of shape (points, components, its labels)."""
        look()
        points, width = lookup.points or 1, len(self.components)
        found: dict[int, Array] = {}
        for tree, places, numbers, latents in self._batches:
            spread = tuple(each[:, None, :, None] for each in numbers)
            values = of(compiled(tree)(spread, latents, lookup))
            whole = np.broadcast_to(values, (len(places), points, width, latents[0].shape[-1]))
            lengths = tuple(self.summation.counts[label] for label in self.summation.scopes[places[0]])
            found |= dict(zip(places, whole.reshape(*whole.shape[:3], *lengths), strict=True))
        return [found[place] for place in range(len(found))]

    # -- pieces ----------------------------------------------------------------------------------------

    @cached_property
    def _conditioned(self) -> list[list[list[Component]]]:
        """Of each piece, in each component, the conditioned ones."""
        return [
            [list(split.conditioned(split.pieces[place])) for split in self.splits]
            for place in range(len(self.splits[0].pieces))
        ]

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The conditioned pieces."""
        each = (one for piece in self._conditioned for own in piece for one in own)
        return grouped(each, self.domains, self.accuracy)

    @cached_property
    def numbers(self) -> list[Array]:
        """Where the conditioned pieces stand among the components of the groups: of each piece (components, labels)."""
        order = {id(each): at for at, each in enumerate(c for group in self.groups for c in group.components)}
        counts, scopes = self.summation.counts, self.summation.scopes[len(self.splits[0].terms) :]
        return [
            np.array([[order[id(one)] for one in own] for own in piece]).reshape(
                len(self.components), *(counts[label] for label in scope)
            )
            for piece, scope in zip(self._conditioned, scopes, strict=True)
        ]

    def whole(self, lookup: Lookup, normalisers: Sequence[Array]) -> list[Array]:
        """All tables; `normalisers` are of shape (points, components) in each group of pieces."""
        tables = self.tables(lookup)
        if not normalisers:
            return tables
        found = np.concatenate(normalisers, axis=1)
        return [*tables, *(found[:, number] for number in self.numbers)]

    # -- as a group ------------------------------------------------------------------------------------

    def parts(self, lookup: Lookup) -> Iterator[Lookup]:
        """As many points at a time as memory takes."""
        most = max(1, _MOST_NUMBERS // (self.summation.size * len(self.components)))
        return (lookup.part(at, at + most) for at in range(0, lookup.points or 1, most))

    def log_masses(self, lookup: Lookup) -> Array:
        """The logarithms of the total masses of all components, summed, at each point."""
        return np.concatenate([self._log_masses(each, self.groups) for each in self.parts(lookup)])

    def _log_masses(self, lookup: Lookup, groups: Sequence[Group | GroupBelief]) -> Array:
        normalisers = [each.log_normalisers_at(lookup) for each in groups]
        return np.asarray(self.summation.up(self.whole(lookup, normalisers))[0] @ self.counts)

    def belief(self, lookup: Lookup) -> RecursiveBelief:
        """The posterior at one point."""
        beliefs = tuple(group.belief(lookup) for group in self.groups)
        return RecursiveBelief(
            self, beliefs, self.whole(lookup, [each.log_normalisers[None] for each in beliefs])
        )


@dataclass(frozen=True)
class RecursiveBelief:
    """The posterior of a group at one θ: of the pieces at all values of the labels beside them, and all tables at one point."""

    group: Recursion
    pieces: tuple[GroupBelief, ...]
    tables: list[Array]

    @cached_property
    def messages(self) -> tuple[Array, list[Array], list[Array]]:
        """Totals, tables of cliques and messages, of shape (1, components, …)."""
        return self.group.summation.up(self.tables)

    @property
    def log_mass(self) -> float:
        return float(self.messages[0][0] @ self.group.counts)

    @property
    def error(self) -> float:
        return max((each.error for each in self.pieces), default=0.0)

    def log_masses(self, lookup: Lookup) -> Array:
        """At points near by, on the nodes of this posterior."""
        parts = self.group.parts(lookup)
        return np.concatenate([self.group._log_masses(each, self.pieces) for each in parts])  # noqa: SLF001

    @cached_property
    def marginals(self) -> Marginals:
        """Of shape (1, components, labels of a clique)."""
        return self.group.summation.down(*self.messages[1:])

    def posterior(self, place: int, scope: Scope) -> Array:
        """The posterior of some labels of one component.

        Raises:
        ------
        TooLargeError
            They are too far from one another.
        """
        if self.group.summation.holds(scope):
            return np.asarray(self.marginals.of(scope)[0, place])
        wider = replace(self.group.summation, scopes=(*self.group.summation.scopes, scope))
        if wider.size > _MOST_NUMBERS:
            raise TooLargeError("a mean over many labels that are no neighbours")
        own = [table[:, place] for table in self.tables]
        beside = np.zeros([1, *(wider.counts[label] for label in scope)])
        return np.asarray(wider.down(*wider.up([*own, beside])[1:]).of(scope)[0])

    @cached_property
    def shares(self) -> list[Array]:
        """The posterior of the labels in each table, by components."""
        return [self.marginals.of(scope)[0] for scope in self.group.summation.scopes]

    def mean(self, lookup: Lookup, of: Callable[[Array], Array] = np.asarray) -> Array:
        """The posterior mean of (a function of) the terms at other points, each as often as its row counts."""
        return np.concatenate([self._mean(each, of) for each in self.group.parts(lookup)])

    def _mean(self, lookup: Lookup, of: Callable[[Array], Array]) -> Array:
        tables, total = self.group.tables(lookup, of), np.zeros(lookup.points or 1)
        for shares, table in zip(self.shares, tables, strict=False):
            with np.errstate(invalid="ignore"):
                part = np.where(shares == 0, 0.0, shares * table)
            total += part.reshape(*part.shape[:2], -1).sum(axis=2) @ self.group.counts
        return total + sum(each.mean(lookup, of, own) for each, own in self._pieces_by_share())

    def _pieces_by_share(self) -> Iterator[tuple[GroupBelief, Array]]:
        """The groups of pieces, and how often each of their components counts: by the posterior of the labels beside it."""
        sizes = [len(each.group.components) for each in self.pieces]
        often = np.zeros(sum(sizes))
        for number, shares in zip(
            self.group.numbers, self.shares[len(self.group.splits[0].terms) :], strict=True
        ):
            often[number] = shares * self.group.counts.reshape(-1, *(1,) * (shares.ndim - 1))
        yield from zip(self.pieces, np.split(often, np.cumsum(sizes)), strict=False)

    def means_of(self, place: int, nodes: Sequence[Node], lookup: Lookup) -> Array:
        """The posterior means of nodes in one component.

        Raises:
        ------
        TooLargeError
            Their labels, or those beside their other latents, are too far from one another.
        """
        split = self.group.splits[place]
        atoms = {atom for node in nodes for atom in atoms_of(node)} - set(split.labels)
        pieces = [at for at, each in enumerate(split.pieces) if atoms & set(each.atoms)]
        if len(pieces) > 1:
            raise TooLargeError("a mean over latents that are no neighbours")
        beside = split.beside(split.pieces[pieces[0]]) if pieces else ()
        scope = (*beside, *(label for label in split.scope(*nodes) if label not in beside))
        shares = self.posterior(place, scope)
        total = np.zeros(len(nodes))
        for values, share in zip(split.configurations(scope), shares.ravel().tolist(), strict=True):
            if share:
                here = [with_values(each, values) for each in nodes]
                total += share * self._at(place, pieces, values, here, lookup)
        return total

    def _at(
        self,
        place: int,
        pieces: Sequence[int],
        values: Mapping[Atom, int],
        nodes: Sequence[Node],
        lookup: Lookup,
    ) -> Array:
        """The means of nodes in which labels have their values."""
        if not pieces:
            return np.array([_number(each, lookup) for each in nodes])
        belief, number = self._piece(place, pieces[0], values)
        return belief.means_of(number, nodes, lookup)

    def _piece(self, place: int, piece: int, values: Mapping[Atom, int]) -> tuple[GroupBelief, int]:
        """The posterior of a piece at values of the labels, and where it stands in it."""
        split = self.group.splits[place]
        labels = split.beside(split.pieces[piece])
        at = tuple(split.values[label].index(values[split.labels[label]]) for label in labels)
        number = int(self.group.numbers[piece][(place, *at)])
        for belief in self.pieces:
            if number < len(belief.group.components):
                return belief, number
            number -= len(belief.group.components)
        raise IndexError(number)

    def drawn(self, place: int, rng: np.random.Generator) -> list[float]:
        """One draw of the latents of a component."""
        split = self.group.splits[place]
        wholes, messages = ([each[0, place] for each in listed] for listed in self.messages[1:])
        found = self.group.summation.drawn(wholes, messages, rng)
        values = {atom: split.values[label][found[label]] for label, atom in enumerate(split.labels)}
        drawn: dict[Atom, float] = {atom: float(value) for atom, value in values.items()}
        for piece, component in enumerate(split.pieces):
            belief, number = self._piece(place, piece, values)
            drawn |= zip(component.atoms, belief.drawn(number, rng), strict=True)
        return [drawn[atom] for atom in self.group.components[place].atoms]


def _number(node: Node, lookup: Lookup) -> float:
    """What a node is worth in which no latent stands."""
    shape = template(node, {})
    return float(np.squeeze(compiled(shape.tree)(shape.constants, (), lookup)))


def groups_of(
    components: Iterable[Component], domains: Domains, accuracy: float
) -> tuple[Group | Recursion, ...]:
    """Components in groups that are treated alike: label by label where that is less work than all configurations."""
    listed: list[Component] = []
    recursions: dict[Any, Recursion] = {}
    for component in components:
        split = Split.of(component, domains)
        if split is None or not split.pays():
            listed.append(component)
            continue
        group = recursions.setdefault(split.structure, Recursion([], [], domains, accuracy))
        group.components.append(component)
        group.splits.append(split)
    return (*grouped(listed, domains, accuracy), *recursions.values())
