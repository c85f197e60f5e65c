"""Components of many coupled labels taken apart: the labels, the terms that hold them alone, and latents of other kinds beside them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symem.evaluation.compiled import template
from symem.evaluation.trees import Atom, Node, atoms_of, with_values
from symem.verification.cliques import Scope, Summation
from symem.verification.components import Component, Domains, components_of

#: A latent with more values than these is no label; fewer labels are listed.
_MOST_VALUES, _FEWEST = 64, 3


@dataclass(frozen=True)
class Split:
    """A component: its labels with their values, the terms that hold labels alone, and latents of other kinds in pieces that
    share no term.
    """

    labels: tuple[Atom, ...]
    values: tuple[tuple[int, ...], ...]
    terms: tuple[Node, ...]
    pieces: tuple[Component, ...]

    @classmethod
    def of(cls, component: Component, domains: Domains) -> Split | None:
        """None where there are too few labels, or rows of which one entry is one."""
        found = {atom: _values(atom, domains) for atom in component.atoms}
        ranges = {atom: values for atom, values in found.items() if values}
        if len(ranges) < _FEWEST or any(map(domains.companions, ranges)):
            return None
        alone = tuple(term for term in component.terms if set(atoms_of(term)) <= set(ranges))
        others = [term for term in component.terms if term not in set(alone)]
        pieces = components_of(others, domains, frozenset(ranges))
        return cls(tuple(ranges), tuple(ranges.values()), alone, tuple(pieces))

    @cached_property
    def scopes(self) -> tuple[Scope, ...]:
        """The labels in each term, and those beside each piece."""
        return tuple(self.scope(term) for term in self.terms) + tuple(
            self.beside(each) for each in self.pieces
        )

    def scope(self, *nodes: Node) -> Scope:
        """The labels in nodes, in order of appearance."""
        atoms = dict.fromkeys(atom for node in nodes for atom in atoms_of(node) if atom in self._places)
        return tuple(self._places[atom] for atom in atoms)

    def beside(self, piece: Component) -> Scope:
        return self.scope(*piece.terms)

    @cached_property
    def _places(self) -> Mapping[Atom, int]:
        return {atom: place for place, atom in enumerate(self.labels)}

    @cached_property
    def summation(self) -> Summation:
        return Summation(tuple(map(len, self.values)), self.scopes)

    def pays(self) -> bool:
        """Whether that is less work than to list the configurations, or integrates fewer latents together."""
        if len(self.pieces) > 1:
            return True
        beside = sum(_size(self.summation.counts, self.beside(each)) for each in self.pieces)
        return bool(2 * (self.summation.size + beside) <= np.prod(self.summation.counts, dtype=float))

    def configurations(self, scope: Scope) -> Iterator[dict[Atom, int]]:
        """The values of some labels, the last one fastest."""
        names = [self.labels[place] for place in scope]
        for values in itertools.product(*(self.values[place] for place in scope)):
            yield dict(zip(names, values, strict=True))

    def conditioned(self, piece: Component) -> Iterator[Component]:
        """A piece at each configuration of the labels beside it."""
        for values in self.configurations(self.beside(piece)):
            yield Component(piece.atoms, tuple(with_values(term, values) for term in piece.terms))

    @cached_property
    def structure(self) -> Any:
        """What is the same of components that are summed together."""
        trees = tuple(own_template(term).tree for term in self.terms)
        return trees, self.values, self.scopes


def _values(atom: Atom, domains: Domains) -> tuple[int, ...]:
    """The values of a label; none of what is no label."""
    if not domains.is_discrete(atom):
        return ()
    own = domains.range(atom)
    few = own.upper is not None and own.upper - own.lower < _MOST_VALUES
    return tuple(range(own.lower, own.upper + 1)) if few and own.upper is not None else ()


def own_template(term: Node) -> Any:
    """A term as a template in its own latents, the first of them 0."""
    return template(term, {atom: place for place, atom in enumerate(atoms_of(term))})


def _size(counts: Sequence[int], scope: Scope) -> int:
    return int(np.prod([counts[place] for place in scope], dtype=float))
