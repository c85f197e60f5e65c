"""Latents that stand beside their neighbours along an index, on a chain or on a tree: the terms that hold them, at their plates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sympy import Expr, Indexed, S, Symbol

from symem.calculus.eliminated import Elimination
from symem.calculus.finite_tables import OutOfTurnError
from symem.calculus.gathering import Conditional, atoms_of
from symem.calculus.separate import Term, gather
from symem.errors import NotDerivedError
from symem.language.leaves import name_of
from symem.language.model import Model, Variable
from symem.language.parents import Parents
from symem.language.plates import Axis, LogIverson
from symem.language.weights import count_of, once


def is_chained(terms: Iterable[Term], variable: Variable) -> bool:
    """Whether a latent stands beside its own neighbour along an index in a term."""
    pairs = (atoms_of(term.factor, variable) for term in terms)
    return any(_are_neighbours(*atoms) if len(atoms) == 2 else _is_long(variable, atoms) for atoms in pairs)


def _are_neighbours(one: Expr, other: Expr) -> bool:
    apart = [a - b for a, b in zip(one.indices, other.indices, strict=True) if a != b]
    return len(apart) == 1 and bool(apart[0].is_Integer)


def _is_long(variable: Variable, atoms: list[Expr]) -> bool:
    """Whether three labels or more meet."""
    return variable.support.finite and len(atoms) > 2


def is_on_tree(terms: Iterable[Term], variable: Variable, model: Model) -> bool:
    """Whether a latent stands in a term at the parent of a place."""
    return any(parents_in(atom, model) for term in terms for atom in atoms_of(term.factor, variable))


def parents_in(atom: Expr, model: Model) -> list[tuple[int, Expr]]:
    """The slots of an entry in which a parent stands."""
    places = enumerate(getattr(atom, "indices", ()))
    return [(slot, p) for slot, p in places if isinstance(p, Indexed) and _is_parent(p, model)]


def _is_parent(place: Expr, model: Model) -> bool:
    return isinstance(model.variables[name_of(place)].support, Parents)


@dataclass(frozen=True)
class Coupled:
    """The terms that hold latents which stand beside their neighbours.

    `position` are the axes of a latent's own indices, of which neighbours meet along that in the `slot`. `terms` stand at the
    plates, that is at the other indices, and are summed over their own places along it. `linked` are the names of all latents
    that stand so. `shifts` are the places of labels on axes that number them otherwise, from the second on, say.
    """

    variable: Variable
    position: tuple[Axis, ...]
    slot: int
    terms: tuple[Term, ...]
    rest: tuple[Term, ...]
    count: Expr
    linked: frozenset[str]
    shifts: Mapping[Symbol, Expr]

    @staticmethod
    def read(state: Elimination, variable: Variable, slot: int) -> dict[str, Any]:
        """What they all have.

        Raises:
            NotDerivedError: terms stand elsewhere than on the plates, or in rows that count differently.
        """
        holding = [term for term in state.terms if atoms_of(term.factor, variable)]
        used = {axis.index for term in holding for axis in term.axes}
        position: list[Axis] = []
        for place, size in enumerate(variable.sizes):
            own = next(_plain(holding, variable, place, size), None)
            position.append(own or state.names.axis(size, variable.name, used | {a.index for a in position}))
        shifts = _shifts(holding, variable, slot) if variable.support.finite else {}
        elsewhere = {axis for place, axis in enumerate(position) if place != slot}
        companions = [
            term
            for term in state.terms
            if _is_companion(state, term, set(position))
            or any(_is_companion(state, term, {*elsewhere, a}) for a in term.axes if a.index in shifts)
        ]
        weights = state.model.weights
        counts = {count_of(term.factor, weights) for term in (*holding, *companions)}
        if len(counts) > 1 or any(count.has(position[slot].index) for count in counts):
            raise NotDerivedError(
                f"{variable.name} stands beside its neighbours along {position[slot].index} in rows that count differently: weigh the plate "
                f"of whole chains or trees."
            )
        plates = tuple(axis for place, axis in enumerate(position) if place != slot)
        terms = [_on_plates(Term(once(t.factor, weights), t.axes), variable, slot, plates) for t in holding]
        terms += [Term(once(t.factor, weights), less(t.axes, plates)) for t in companions]
        return {
            "variable": variable, "position": tuple(position), "slot": slot, "terms": gather(terms),
            "rest": tuple(term for term in state.terms if term not in holding and term not in companions),
            "count": counts.pop(), "linked": _linked(state), "shifts": shifts,
        }  # fmt: skip

    @property
    def along(self) -> Axis:
        return self.position[self.slot]

    @property
    def plates(self) -> tuple[Axis, ...]:
        return less(self.position, (self.along,))

    @property
    def atom(self) -> Expr:
        return self.variable.symbol[tuple(axis.index for axis in self.position)]

    @property
    def inner(self) -> set[Symbol]:
        """The indices over which terms are summed."""
        return {axis.index for term in self.terms for axis in term.axes} | {self.along.index}

    @cached_property
    def whole(self) -> Conditional:
        """The terms as those of one plate."""
        return Conditional(self.variable, self.atom, self.plates, self.terms, S.One, self.rest, self.count)

    def check_alone(self, others: Iterable[Variable]) -> None:
        """Other latents that still stand beside these are labels of whole chains or trees.

        Raises:
            OutOfTurnError: one is to be eliminated before.
            NotDerivedError: labels switch between the laws of states, or the other stands beside its neighbours itself.
        """
        inner = self.inner - {axis.index for axis in self.plates}
        for other in others:
            beside = [atom for term in self.terms for atom in atoms_of(term.factor, other)]
            if any(atom.free_symbols & inner for atom in beside):
                self._refuse(other)
            if beside and not other.support.finite:
                raise OutOfTurnError(
                    f"{self.variable.name}, beside its neighbours, stands beside {beside[0]}, which must be eliminated before."
                )

    def _refuse(self, other: Variable) -> None:
        name, along = self.variable.name, self.along.index
        finite, theirs = self.variable.support.finite, other.support.finite
        if theirs and not finite:
            raise NotDerivedError(
                f"The labels {other.name} switch between the laws of the states {self.atom}: the posterior is a mixture with a component for "
                f"each combination of labels, and has no exact E-step. Let the labels be known, or let {name} be a label on a grid."
            )
        if other.name not in self.linked or finite != theirs:
            raise OutOfTurnError(
                f"{other.name} stands beside {name} along {along} and must be eliminated before."
            )
        if finite:
            raise NotDerivedError(
                f"The labels {name} and {other.name} are coupled: both stand beside their neighbours along {along}, and beside each other. Let "
                f"one label stand for each combination of the two, with a transition matrix for it."
            )
        raise NotDerivedError(
            f"The states {name} and {other.name} are coupled: both stand beside their neighbours along {along}, and beside each other. Let "
            f'one vector stand for both, IndexedVector("h", 2), with a matrix that says how each moves.'
        )


def _linked(state: Elimination) -> frozenset[str]:
    return frozenset(
        v.name
        for v in state.model.latents
        if is_chained(state.terms, v) or is_on_tree(state.terms, v, state.model)
    )


def less(axes: Iterable[Axis], gone: Iterable[Axis]) -> tuple[Axis, ...]:
    """The axes but for some."""
    without = {axis.index for axis in gone}
    return tuple(axis for axis in axes if axis.index not in without)


def _plain(terms: Iterable[Term], variable: Variable, slot: int, size: Expr) -> Iterator[Axis]:
    """The axes of that size whose index stands in a slot by itself."""
    for term in terms:
        for atom in atoms_of(term.factor, variable):
            yield from (a for a in term.axes if a.index == atom.indices[slot] and a.size == size)


def _shifts(holding: Iterable[Term], variable: Variable, slot: int) -> Mapping[Symbol, Expr]:
    """The axes on which labels stand at another place than the index, each with the last of these places."""
    found: dict[Symbol, Expr] = {}
    for term in holding:
        for place in (atom.indices[slot] for atom in atoms_of(term.factor, variable)):
            for axis in term.axes:
                offset = place - axis.index
                if offset.is_Integer and offset > found.get(axis.index, axis.index) - axis.index:
                    found[axis.index] = place
    return found


def _is_companion(state: Elimination, term: Term, position: set[Axis]) -> bool:
    """Whether parameters and no latent stand in a term of each place."""
    if not position <= set(term.axes) or term.factor.has(LogIverson):
        return False
    if any(atoms_of(term.factor, latent) for latent in state.model.latents):
        return False
    return any(atoms_of(term.factor, parameter) for parameter in state.model.parameters)


def _on_plates(term: Term, variable: Variable, slot: int, plates: tuple[Axis, ...]) -> Term:
    """A term with the other indices of its labels at the plates.

    Raises:
        NotDerivedError: it stands elsewhere.
    """
    atom = atoms_of(term.factor, variable)[0]
    places = [place for number, place in enumerate(atom.indices) if number != slot]
    own = {axis.index: axis for axis in term.axes}
    for place, axis in zip(places, plates, strict=True):
        if place not in own or own[place].size != axis.size:
            raise NotDerivedError(
                f"{atom} stands in {term.factor}: a chain is derived where each of its places is an index of its own, not {place}."
            )
    rules = dict(zip(places, (axis.index for axis in plates), strict=True))
    taken = set(rules.values()) - set(rules)
    if taken & set(own):
        raise NotDerivedError(f"{atom} stands in {term.factor} beside another place of its plate.")
    return Term(term.factor.xreplace(rules), tuple(a for a in term.axes if a.index not in rules))
