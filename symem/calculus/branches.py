"""What a log-likelihood says of labels that stand beside that of their parent: of each, of roots, of a label and its parent's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from sympy import Add, And, Expr, Indexed, Mul

from symem.calculus.brackets import collapse_to_index
from symem.calculus.coupled_terms import Coupled, parents_in
from symem.calculus.eliminated import Elimination
from symem.calculus.finite_tables import definite
from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term, conditions_of, fold, gather, separate
from symem.errors import NotDerivedError
from symem.language.model import Model, Variable
from symem.language.parents import says_of_parent
from symem.language.plates import Axis, Iverson
from symem.language.supports import Binary


@dataclass(frozen=True)
class Branches(Coupled):
    """The terms that hold the labels or states of a tree; `parent` is the entry of a place's parent."""

    parent: Expr

    @classmethod
    def of(cls, state: Elimination, variable: Variable) -> Branches:
        """Read the terms.

        Raises:
            NotDerivedError: some couple other labels than those of a place and its parent.
        """
        holding = [term for term in state.terms if atoms_of(term.factor, variable)]
        slot, array = _slot(holding, variable, state.model)
        read = Coupled.read(state, variable, slot)
        return cls(**read, parent=array[read["position"][slot].index])

    # -- what they say ---------------------------------------------------------------------------------

    def weight(self, outcome: Axis) -> Expr:
        """What a place says of its label by itself."""
        return Add(*(self._valued(term, outcome, outcome) for term in self.parts["weight"]))

    def first(self, outcome: Axis) -> Expr:
        """What is said of the label of a root."""
        return Add(*(self._valued(term, outcome, outcome) for term in self.parts["first"]))

    def step(self, outcome: Axis, following: Axis) -> Expr:
        """What is said of the label of a parent and that of a child."""
        return Add(*(self._valued(term, outcome, following) for term in self.parts["step"]))

    @cached_property
    def parts(self) -> Mapping[str, list[Term]]:
        """The terms, each at the place `along`, without the condition that says whether that has a parent.

        Raises:
            NotDerivedError: one looks at a parent where there is none.
        """
        parts: dict[str, list[Term]] = {"weight": [], "first": [], "step": []}
        for term in self.terms:
            there, said = self._at(term), {}
            for condition in conditions_of(there.factor):
                found = says_of_parent(condition)
                if found is not None and found[0] == self.parent:
                    said[condition] = found[1]
            kind = next(("step" if each else "first" for each in said.values()), "weight")
            if kind != "step" and there.factor.has(self.above):
                raise NotDerivedError(
                    f"{self.above} stands in {there.factor}, of roots too, which have no parent: say so by a bracket or a case, "
                    f"{self.parent} >= 0."
                )
            parts[kind].append(Term(_without(there.factor, set(said)), there.axes))
        return parts

    def of_steps_alone(self, parameters: Iterable[Variable]) -> Expr | None:
        """An entry of a parameter at the place itself that nothing but the step from its parent reads, so that nothing
        determines it at a root.
        """
        index = self.along.index
        read = {
            kind: {entry for term in terms for entry in term.factor.atoms(Indexed) if index in entry.indices}
            for kind, terms in self.parts.items()
        }
        beside = {entry.base for kind in ("weight", "first") for entry in read[kind]}
        names = {each.symbol for each in parameters}
        found = (each for each in sorted(read["step"], key=str) if each.base in names - beside)
        return next(found, None)

    @property
    def above(self) -> Expr:
        """The label of the parent."""
        return self.atom.xreplace({self.along.index: self.parent})

    def _at(self, term: Term) -> Term:
        """A term with its place at the index of `along`.

        Raises:
            NotDerivedError: its labels are not those of a place and of its parent.
        """
        atoms = atoms_of(term.factor, self.variable)
        places = {atom.indices[self.slot] for atom in atoms} or {self.along.index}
        own = {p.indices[0] if isinstance(p, Indexed) else p for p in places}
        axis = next((a for a in term.axes if {a.index} == own and a.size == self.along.size), None)
        if axis is None or not places <= {axis.index, self.parent.base[axis.index]}:
            told = f"{' and '.join(map(str, atoms))} stand in one term, {term.factor}"
            raise NotDerivedError(
                f"{told}: a tree is derived whose labels stand beside that of their one parent."
            )
        rules = {axis.index: self.along.index}
        left = tuple(each for each in term.axes if each != axis)
        return Term(term.factor.xreplace(rules), left)

    def _valued(self, term: Term, outcome: Axis, following: Axis) -> Expr:
        """A term with the label of a parent and that of its child at outcomes."""
        rules = {self.above: outcome.index, self.atom: following.index}
        atoms = [atom for atom in rules if term.factor.has(atom)]
        terms = definite([term], atoms) if isinstance(self.variable.support, Binary) else [term]
        parts = [
            collapse_to_index(Term(part.factor, part.axes + each.axes), outcome.index)
            for each in terms
            for part in separate(each.factor.xreplace(rules))
        ]
        return Add(*(fold(part).expr for part in gather(parts)))


def _without(factor: Expr, conditions: set[Expr]) -> Expr:
    rest = [each for each in Mul.make_args(factor) if not isinstance(each, Iverson)]
    return Mul(Iverson(And(*(conditions_of(factor) - conditions))), *rest)


def _slot(terms: Iterable[Term], variable: Variable, model: Model) -> tuple[int, Expr]:
    """The slot in which parents stand, and their array.

    Raises:
        NotDerivedError: a place has two parents, or parents along two indices.
    """
    found = {
        (slot, place.base)
        for term in terms
        for atom in atoms_of(term.factor, variable)
        for slot, place in parents_in(atom, model)
    }
    if len(found) > 1:
        names = " and ".join(sorted(str(array) for _, array in found))
        raise NotDerivedError(
            f"The labels {variable.name} have parents by {names}: where a place has two, labels meet along loops, and there is no exact "
            f"E-step of this kind. Let one label stand for what both say, or let each place have one parent."
        )
    return found.pop()
