"""What a log-likelihood says of labels that stand beside their neighbours: of each, of the first and last, of pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Add, And, Eq, Expr, Ge, Gt, Le, Mul, Not, Or, Piecewise, S, Sum, Symbol, true
from sympy.logic.boolalg import Boolean

from symem.algebra.squares import as_squares
from symem.calculus.brackets import collapse_to_index
from symem.calculus.coupled_terms import Coupled, less
from symem.calculus.eliminated import Elimination
from symem.calculus.finite_tables import definite
from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term, conditions_of, fold, gather, separate
from symem.errors import NotDerivedError
from symem.language.model import Variable
from symem.language.plates import Axis, Iverson, LogIverson
from symem.language.supports import Binary


@dataclass(frozen=True)
class Links(Coupled):
    """The terms that hold the labels or states of a chain; `steps` numbers the pairs of neighbours."""

    steps: Axis

    @classmethod
    def of(cls, state: Elimination, variable: Variable) -> Links:
        """Read the terms.

        Raises:
            NotDerivedError: some couple labels that are no neighbours along one axis, or stand elsewhere than on the plates.
        """
        slot = _slot([term for term in state.terms if atoms_of(term.factor, variable)], variable)
        read = Coupled.read(state, variable, slot)
        position = read["position"]
        along = position[slot]
        steps = state.names.axis(along.size - 1, str(along.index), {a.index for a in position})
        return cls(**read, steps=steps)

    # -- what they say ---------------------------------------------------------------------------------

    @cached_property
    def _parts(self) -> Mapping[str, list[Term]]:
        parts: dict[str, list[Term]] = {"weight": [], "first": [], "last": [], "step": []}
        for term in self.terms:
            atoms = self._atoms(term)
            place = atoms[0].indices[self.slot] if atoms else None
            ends = {S.Zero: "first", self.length - 1: "last"}
            parts["step" if self._of_pair(term) else ends.get(place, "weight")].append(term)
        return parts

    def _of_pair(self, term: Term) -> bool:
        """Whether it is said of a label and the next: it may hold the first of them alone, log(1 - a[z[t]]) of both, or be a part of
        a square in which both stand.
        """
        places = [atom.indices[self.slot] for atom in self._atoms(term)]
        if len(places) > 1 or any(a.index in self._squares for a in term.axes):
            return True
        return any(a.index in places and a.size == self.steps.size for a in term.axes)

    @cached_property
    def _squares(self) -> Mapping[Symbol, Expr]:
        """The axes along which two labels stand in one product, as in a square, with the place of the first."""
        found: dict[Symbol, Expr] = {}
        for term in self.terms if self.variable.support.finite else ():
            atoms = self._atoms(term)
            if len(atoms) == 2 and not any(
                part.has(atoms[0]) and part.has(atoms[1]) for part in Mul.make_args(term.factor)
            ):
                place = atoms[0].indices[self.slot]
                found |= {a.index: place for a in term.axes if (place - a.index).is_Integer}
        return found

    def _place(self, term: Term) -> Expr:
        """The place of which a term is said, of a pair the first."""
        for axis in term.axes:
            if axis.index in self._squares:
                return self._squares[axis.index]
        atoms = self._atoms(term)
        if atoms:
            return atoms[0].indices[self.slot]
        return next((self.shifts[a.index] for a in term.axes if a.index in self.shifts), self.along.index)

    def there(self, term: Term, axis: Axis) -> tuple[Expr, list[Expr], tuple[Axis, ...], list[Expr]]:
        """A term's factor with its place along the chain at the index of an axis, where it is there, the axes left, and what of
        the chain stands in it, in the order of places.
        """
        factor, conditions, axes = self._at(term, axis)
        return factor, conditions, axes, self._atoms(replace(term, factor=factor))

    def atoms(self, term: Term) -> list[Expr]:
        """What of the chain stands in a term, in the order of places."""
        return self._atoms(term)

    def weight(self, outcome: Axis) -> Expr:
        """What a place says of its label by itself."""
        return self._told_there("weight", self.along, (outcome,))

    def first(self, outcome: Axis) -> Expr:
        """What is said of the first label alone."""
        return _added(self._valued(t, (outcome,)) for t in self._parts["first"])

    def last(self, outcome: Axis) -> Expr:
        """What is said of the last label alone."""
        return _added(self._valued(t, (outcome,)) for t in self._parts["last"])

    def step(self, outcome: Axis, following: Axis) -> Expr:
        """What is said of a label and the next."""
        return self._told_there("step", self.steps, (outcome, following))

    @cached_property
    def length(self) -> Expr:
        """How many places a chain has: of chains of several lengths, as many as pairs are said to have, and one."""
        pairs = [term for term in self.terms if len(self._atoms(term)) > 1]
        ends = [self._end(term) for term in pairs]
        return self.along.size if ends[0] is None or None in ends else ends[0][0] + 1

    @property
    def condition(self) -> Expr | None:
        """The bracket outside which there is no label: of chains of several lengths, beyond the end."""
        return None if self.length == self.along.size else Iverson(Le(self.along.index, self.length - 1))

    def over_pairs(self, value: Expr) -> Expr:
        """A value at the steps summed over the pairs that there are."""
        if self.length == self.along.size:
            return Sum(value, self.steps.limits)
        term = next(term for term in self.terms if len(self._atoms(term)) > 1)
        place, found = self._atoms(term)[0].indices[self.slot], self._end(term)
        own = next(axis for axis in term.axes if axis.index == place)
        assert found is not None
        return Sum(value.xreplace({self.steps.index: place}) * Iverson(found[1]), own.limits)

    def _end(self, term: Term) -> tuple[Expr, Expr] | None:
        """Beyond which of its last label's places a term does not hold, and the condition that says so."""
        atoms = self._atoms(term)
        place = atoms[-1].indices[self.slot] if len(atoms) > 1 else self._place(term)
        place += 1 if len(atoms) < 2 and self._of_pair(term) else 0
        for condition in _holding(term.factor):
            if isinstance(condition, Le):
                ahead, last = condition.args[0] - place, condition.args[1]
                if ahead.is_Integer and not last.has(self.along.index, *place.free_symbols):
                    return last - ahead, condition
        return None

    def _at(self, term: Term, axis: Axis) -> tuple[Expr, list[Expr], tuple[Axis, ...]]:
        """A term's factor with its place along the chain at the index of an axis; where it is there; the axes left."""
        index, place = axis.index, self._place(term)
        own = next((a for a in term.axes if (place - a.index).is_Integer), None)
        if own is None:
            return term.factor, [Eq(place, index)], term.axes
        offset = place - own.index
        conditions = [Ge(index, offset)] if offset > 0 else []
        conditions += [Le(index, own.size - 1 + offset)] if own.size + offset != axis.size else []
        axes = less(term.axes, (own,))
        return term.factor.xreplace({own.index: index - offset}), conditions, axes

    def _told_there(self, part: str, axis: Axis, outcomes: tuple[Axis, ...]) -> Expr:
        """What terms say together wherever they hold: their squares are whole, so that far data cost no digits."""
        found: dict[Boolean, list[Expr]] = {}
        for term in self._parts[part]:
            factor, conditions, axes = self._at(self._within(term), axis)
            value = self._valued(Term(factor, axes), outcomes, axis.index)
            found.setdefault(And(*conditions), []).append(value)
        wholes = {condition: as_squares(_added(values)) for condition, values in found.items()}
        return _added(
            whole if condition is true else Piecewise((whole, condition), (S.Zero, true))
            for condition, whole in wholes.items()
        )

    def _within(self, term: Term) -> Term:
        """A term without the condition that its chain has not ended, beyond which nothing is read.

        Raises:
            NotDerivedError: it goes on where the chain has ended.
        """
        if self.length == self.along.size:
            return term
        found = self._end(term)
        if found is None or found[0] != self.length - 1:
            raise NotDerivedError(
                f"The chain {self.variable.name} has {self.length} places, and {term.factor} is said of other places too: give all "
                f"that stands along it the same range."
            )
        return replace(term, factor=without(term.factor, {found[1]}))

    def _valued(self, term: Term, outcomes: tuple[Axis, ...], place: Expr | None = None) -> Expr:
        """A term with its labels at outcomes, the first of these that of a place."""
        atoms = self._atoms(term)
        if atoms and (place is None or not (atoms[0].indices[self.slot] - place).is_Integer):
            place = atoms[0].indices[self.slot]
        terms = definite([term], atoms) if isinstance(self.variable.support, Binary) else [term]
        rules = {atom: outcomes[int(atom.indices[self.slot] - place)].index for atom in atoms}
        parts = [
            collapse_to_index(Term(part.factor, part.axes + each.axes), outcomes[0].index)
            for each in terms
            for part in separate(each.factor.xreplace(rules))
        ]
        return _added(fold(part).expr for part in gather(parts))

    def _atoms(self, term: Term) -> list[Expr]:
        """The labels in a term, in the order of their places."""
        atoms = atoms_of(term.factor, self.variable)
        return sorted(atoms, key=lambda each: int(each.indices[self.slot] - atoms[0].indices[self.slot]))


def _added(values: Iterable[Expr]) -> Expr:
    return Add(*values)


def _holding(factor: Expr) -> set[Expr]:
    """The conditions outside which a factor says nothing: of a hard constraint, those of which one alternative is that they fail."""
    hard = (alternative for each in factor.atoms(LogIverson) for alternative in Or.make_args(each.args[0]))
    return conditions_of(factor) | {Not(each) for each in hard if isinstance(each, Gt)}


def without(factor: Expr, shared: set[Expr]) -> Expr:
    """A factor without such conditions."""
    without = factor.replace(
        lambda node: isinstance(node, Iverson),
        lambda node: Iverson(And(*(c for c in And.make_args(node.args[0]) if c not in shared))),
    )
    return without.replace(
        lambda node: isinstance(node, LogIverson),
        lambda node: LogIverson(Or(*(a for a in Or.make_args(node.args[0]) if Not(a) not in shared))),
    )


def _slot(terms: Iterable[Term], variable: Variable) -> int:
    """The slot in which neighbours differ.

    Raises:
        NotDerivedError: labels meet that are no neighbours along one axis.
    """
    slots = set()
    for term in terms:
        atoms = atoms_of(term.factor, variable)
        if len(atoms) < 2:
            continue
        apart = [
            (slot, a - b)
            for slot, (a, b) in enumerate(zip(atoms[0].indices, atoms[1].indices, strict=True))
            if a != b
        ]
        if len(atoms) > 2 or len(apart) != 1 or abs(apart[0][1]) != 1:
            raise NotDerivedError(_refusal(atoms, term, apart, finite=variable.support.finite))
        slots.add(apart[0][0])
    if len(slots) > 1:
        raise NotDerivedError(
            f"The labels {variable.name} are coupled along {len(slots)} of their indices: a grid has no exact E-step of this kind."
        )
    return slots.pop()


def _refusal(atoms: list[Expr], term: Term, apart: list[tuple[int, Expr]], *, finite: bool) -> str:
    told = f"{' and '.join(map(str, atoms))} stand in one term, {term.factor}"
    if not finite:
        return (
            f"{told}: a chain is derived whose states depend on the one before. Let one vector stand for a state and those "
            f"before it, IndexedVector, with a matrix that moves each entry to the next place."
        )
    if len(apart) == 1 and all(offset.is_Integer for _, offset in apart):
        return (
            f"{told}: a chain is derived whose labels depend on the one before. Let one label stand for a pair of "
            f"neighbours, was[m] and now[m], two known maps, z[t]: Categorical(Piecewise((A[z[t - 1], now[m]], Eq(was[m], now[z[t - 1]])), "
            f"(0, True)))."
        )
    return f"{told}: a chain is derived whose labels stand beside their neighbours along one index, z[t] beside z[t - 1]."
