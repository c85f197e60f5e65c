"""The information on pairs of parameters: of complete data, and what of it is missing, as formulas.

i_X = i_Y - i_{Z|X} (Orchard & Woodbury 1972): i_Y is minus the second derivatives of Q with its statistics held, i_{Z|X} the
posterior covariance of the slopes of the log-likelihood of complete data (Louis 1982).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import Any

from sympy import And, Derivative, DiracDelta, Eq, Expr, Indexed, IndexedBase, Mul, S, Subs, Symbol

from symem.algebra.rewriting import inlined
from symem.budget import look
from symem.calculus.brackets import collapse_to_index
from symem.calculus.covariances import Covariances
from symem.calculus.differentiate import Unknown, crossed, equation
from symem.calculus.fresh_names import Names
from symem.calculus.gaussian_covariances import without_entries
from symem.calculus.scores import told_form
from symem.calculus.separate import Term, conditions_of, fold, rejoin, rename_apart, separate, tidy
from symem.derivation import Definition, Derivation, InformationBlock, Score
from symem.errors import NotDerivedError
from symem.language.leaves import name_of, places_of
from symem.language.matrices import MatrixEntry, is_matrix, shape, transpose
from symem.language.plates import Axis, Iverson, LogIverson, reindex
from symem.language.traces import trace


def information_blocks(
    derivation: Derivation, complete: Sequence[Term], covariances: Covariances, names: Names
) -> tuple[InformationBlock, ...]:
    """The information on every pair of parameters; of matrices that along two directions."""
    look("writing the information")
    pairs = combinations_with_replacement(derivation.scores, 2)
    blocks = _Blocks(derivation, tuple(complete), covariances, names, {}, {})
    return tuple(found for pair in pairs if (found := blocks.of(*pair)))


@dataclass(frozen=True)
class _Place:
    """A parameter at generic indices, apart from all that are bound, and the direction of a vector or a matrix, else 1."""

    parameter: Expr
    axes: tuple[Axis, ...]
    direction: Expr = S.One

    def along(self, slope: Expr) -> Expr:
        """The derivative along the direction."""
        if not is_matrix(slope):
            return slope
        return trace(transpose(slope) * self.direction, shape(self.direction)[1])

    @property
    def unknown(self) -> Unknown:
        return Unknown(self.parameter, self.axes)

    @property
    def indices(self) -> frozenset[Symbol]:
        return frozenset(axis.index for axis in self.axes)

    @property
    def name(self) -> str:
        fixed = (str(place) for place in places_of(self.parameter) if place.is_Integer)
        return "_".join((name_of(self.parameter), *fixed))


@dataclass(frozen=True)
class _Blocks:
    derivation: Derivation
    complete: tuple[Term, ...]
    covariances: Covariances
    names: Names
    letters: dict[tuple[Any, ...], Expr]
    known: dict[_Place, tuple[Term, ...]]

    def of(self, one: Score, other: Score) -> InformationBlock | None:
        """The information on two parameters; nothing where Q has no second derivative."""
        bound = {axis.index for each in self.covariances.expectations.eliminated for axis in each.position}
        first = self._place(one, bound, "H")
        second = self._place(other, bound | first.indices, "J")
        slope = self._slope(one, first, second)
        try:
            bends = [
                _at_the_first(each, first, second)
                for each in _along(crossed(separate(slope), second.unknown), second)
            ]
        except NotDerivedError:
            return None
        whole = told_form(-equation(bends))
        if whole.has(Derivative, Subs, DiracDelta):
            return None
        missing, reason = self._missing(first, second)
        axes, kind = (*first.axes, *second.axes), f"{first.name}_{second.name}"
        return InformationBlock(
            (first.parameter, second.parameter),
            slope,
            _defined(f"complete_{kind}", axes, whole),
            None if missing is None else _defined(f"missing_{kind}", axes, missing),
            reason,
            (first.direction, second.direction),
        )

    def _place(self, score: Score, taken: Iterable[Expr], letter: str) -> _Place:
        rules, axes, own = dict[Expr, Expr](), list[Axis](), {axis.index for axis in score.definition.axes}
        for axis in score.definition.axes:
            index = axis.index
            if index in taken:
                index = self.names.axis(axis.size, str(index), {*taken, *own, *rules.values()}).index
            rules[axis.index] = index
            axes.append(axis.renamed(index))
        return _Place(score.parameter.xreplace(rules), tuple(axes), self._direction(score.parameter, letter))

    def _direction(self, parameter: Expr, letter: str) -> Expr:
        if not isinstance(parameter, MatrixEntry):
            return S.One
        kind = "symmetric" if parameter.is_symmetric_letter else ""
        letter = letter.lower() if parameter.dimensions[1] == 1 else letter
        key = (letter, parameter.dimensions, kind)
        if key not in self.letters:
            self.letters[key] = self.names.matrix(letter, (), parameter.dimensions, kind)
        return self.letters[key]

    def _slope(self, score: Score, first: _Place, second: _Place) -> Expr:
        """∂Q/∂θ at the place of the first, along its direction, no bound index having a letter of these."""
        own = (axis.index for axis in score.definition.axes)
        moved = dict(zip(own, (axis.index for axis in first.axes), strict=True))
        slope = self.names.apart(score.definition.value, {*first.indices, *second.indices}).xreplace(moved)
        along = first.along(slope)
        return without_entries(along) if isinstance(second.parameter, MatrixEntry) else along

    def _missing(self, first: _Place, second: _Place) -> tuple[Expr | None, str]:
        """The posterior covariance of the scores of complete data; or why there is no formula."""
        try:
            parts = [*self.covariances.of(self._score(first), self._score(second))]
        except NotDerivedError as why:
            return None, str(why)
        generic = first.indices | second.indices
        for index in sorted(generic, key=str):
            parts = [collapse_to_index(part, index) for part in parts]
        value = told_form(rejoin(map(fold, parts)))
        if value.has(Derivative, Subs, LogIverson):
            return None, "The score has no posterior covariance in closed form."
        same = (each for each in self.derivation.definitions if isinstance(each.value, Symbol | Indexed))
        return self.names.apart(inlined(value, same), set(generic)), ""

    def _score(self, place: _Place) -> tuple[Term, ...]:
        """The slope of the log-likelihood of complete data: at a fixed place too, where an index or a label may be there."""
        if place not in self.known:
            told = _along(self._slopes(place), place)
            self.known[place] = tuple(part for term in told for part in _in_forms(term))
        return self.known[place]

    def _slopes(self, place: _Place) -> Iterator[Term]:
        yield from crossed(self.complete, place.unknown)
        fixed = [slot for slot, each in enumerate(places_of(place.parameter)) if each.is_Integer]
        for size in range(1, len(fixed) + 1):
            for slots in combinations(fixed, size):
                yield from self._behind(place, slots)

    def _behind(self, place: _Place, slots: Sequence[int]) -> Iterator[Term]:
        """What entries add in which indices or labels stand in slots whose place is a number."""
        sizes = self.derivation.model.variables[name_of(place.parameter)].sizes
        free = {slot: Axis(Symbol(f"_{slot}", integer=True, nonnegative=True), sizes[slot]) for slot in slots}
        entry = list(places_of(place.parameter))
        numbers = {free[slot].index: entry[slot] for slot in slots}
        for slot in slots:
            entry[slot] = free[slot].index
        unknown = Unknown(place.parameter.base[tuple(entry)], (*place.axes, *free.values()))
        return (tidy(term.replace(numbers)) for term in crossed(self.complete, unknown))


def _along(slopes: Iterable[Term], place: _Place) -> Iterator[Term]:
    """Slopes along the direction of a place."""
    for term in slopes:
        for part in separate(place.along(term.factor)):
            apart = rename_apart(part, set(term.indices))
            yield Term(apart.factor, apart.axes + term.axes)


def _in_forms(term: Term) -> tuple[Term, ...]:
    """A term with entries of words as forms between unit vectors, of which means are known."""
    told = without_entries(term.factor)
    return (
        (term,) if told == term.factor else tuple(Term(p.factor, p.axes + term.axes) for p in separate(told))
    )


def _at_the_first(term: Term, first: _Place, second: _Place) -> Term:
    """[k = l] f(l) as [k = l] f(k)."""
    held = conditions_of(term.factor)
    sides = (each.args for each in held if isinstance(each, Eq))
    rules = {
        b: a for pair in sides for a, b in (pair, pair[::-1]) if a in first.indices and b in second.indices
    }
    plain = Mul(*(factor for factor in term.factors() if not isinstance(factor, Iverson)))
    return Term(reindex(plain, rules) * Iverson(And(*held)), term.axes) if rules else term


def _defined(name: str, axes: tuple[Axis, ...], value: Expr) -> Definition:
    places = tuple(axis.index for axis in axes)
    symbol = IndexedBase(name, real=True)[places] if places else Symbol(name, real=True)
    return Definition(symbol, axes, value)
