"""Independent components: latents that share terms of the complete-data log-likelihood, and where they live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Basic, Expr, Indexed, Symbol

from symem.evaluation.compiled import Template, template
from symem.evaluation.specialise import Specialiser
from symem.evaluation.trees import Atom, Node, atoms_of
from symem.language.leaves import name_of
from symem.language.supports import OneHot
from symem.verification.enumeration import Range, TooLargeError, Total, hard_conditions, totals


@dataclass(frozen=True)
class Component:
    """Latents that share terms, with those terms: independent of all others given the data."""

    atoms: tuple[Atom, ...]
    terms: tuple[Node, ...]

    @cached_property
    def places(self) -> Mapping[Atom, int]:
        return {atom: place for place, atom in enumerate(self.atoms)}

    @cached_property
    def limits(self) -> list[Total]:
        return totals(hard_conditions(self.terms))

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        return tuple(template(term, self.places) for term in self.terms)


class Domains:
    """Where the latents of a model live, with the data put in."""

    def __init__(self, model: Any, scope: Specialiser) -> None:
        self._variables = {each.name: each for each in model.latents}
        self._scope = scope
        self._plates = [(weight.name, weight.axis.size) for weight in getattr(model, "weights", ())]
        self._patterns = _patterns(model.log_likelihood, frozenset(self._variables))

    def is_discrete(self, atom: Atom) -> bool:
        return bool(self._variables[atom.name].support.discrete)

    def count(self, component: Component) -> float:
        """How often the row counts that a component belongs to.

        Raises:
        ------
        TooLargeError
            Its latents belong to rows that count differently.
        """
        counts = {self.how_often(atom) for atom in component.atoms}
        if len(counts) > 1:
            raise TooLargeError(f"latents such as {component.atoms[0].name} in rows that count differently")
        return counts.pop()

    def how_often(self, atom: Atom) -> float:
        """How often the row of a latent counts."""
        sizes = self._variables[atom.name].sizes
        places = (
            (name, atom.index[slot])
            for name, of in self._plates
            for slot, size in enumerate(sizes)
            if size == of
        )
        return float(np.prod([self._scope.arrays[name][place] for name, place in places]))

    def bounds(self, atom: Atom) -> tuple[float, float]:
        low, high = self._variables[atom.name].support.bounds
        bindings = self._bindings(atom, low, high)
        return self._scope.number(low, bindings), self._scope.number(high, bindings)

    def range(self, atom: Atom) -> Range:
        low, high = self.bounds(atom)
        return Range(round(low), None if high == np.inf else round(high))

    def companions(self, atom: Atom) -> list[Atom]:
        """The other entries of a one-hot row."""
        variable = self._variables[atom.name]
        if not isinstance(variable.support, OneHot):
            return []
        return [
            Atom(atom.name, (*atom.index[:-1], k)) for k in range(self._scope.integer(variable.sizes[-1]))
        ]

    def _bindings(self, atom: Atom, *bounds: Expr) -> dict[Symbol, int]:
        wanted = set().union(*(bound.free_symbols for bound in bounds))
        for pattern in self._patterns.get(atom.name, ()):
            if wanted & set(pattern):
                return {s: p for s, p in zip(pattern, atom.index, strict=True) if isinstance(s, Symbol)}
        return {}


def _patterns(expression: Basic, names: frozenset[str]) -> dict[str, list[tuple[Basic, ...]]]:
    found: dict[str, list[tuple[Basic, ...]]] = {}
    for each in sorted(expression.atoms(Indexed), key=str):
        if name_of(each) in names:
            found.setdefault(name_of(each), []).append(each.indices)
    return found


def components_of(
    terms: Sequence[Node], domains: Domains, apart: frozenset[Atom] = frozenset()
) -> list[Component]:
    """Connected components of the graph whose edges are terms and one-hot rows, without the latents `apart`."""
    parent: dict[Atom, Atom] = {}

    def root(atom: Atom) -> Atom:
        while parent.setdefault(atom, atom) != atom:
            atom = parent[atom]
        return atom

    inside = [[atom for atom in atoms_of(term) if atom not in apart] for term in terms]
    for atoms in inside:
        for atom in (*atoms, *(other for each in atoms for other in domains.companions(each))):
            parent[root(atom)] = root(atoms[0])
    members: dict[Atom, list[Atom]] = {}
    for atom in parent:
        members.setdefault(root(atom), []).append(atom)
    owned: dict[Atom, list[Node]] = {}
    for term, atoms in zip(terms, inside, strict=True):
        owned.setdefault(root(atoms[0]), []).append(term)
    return [Component(tuple(members[each]), tuple(owned[each])) for each in members]
