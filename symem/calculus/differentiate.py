"""∂/∂θ at a fresh index, and Q's stationarity equations.

SymPy's `diff` at a bound index is wrong. Here every entry of a parameter in a term is differentiated as a
variable of its own, its place becomes the fresh index, and the sums over that place fall away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sympy import Add, And, Dummy, Eq, Expr, Indexed, Mul, S, Sum, diff

from symem.calculus.gradients import diagonal_slope, gradient, holds_in_diagonal, jacobian
from symem.calculus.separate import Term, fold, gather, rename_apart, separate
from symem.errors import NotDerivedError
from symem.language.leaves import places_of
from symem.language.matrices import ENTRY, MatrixEntry, is_matrix, letters, transpose, word_of
from symem.language.plates import Axis, Iverson, outermost_sums, rebind, reindex, total


@dataclass(frozen=True)
class Unknown:
    """One parameter entry at generic indices: `atom` over `axes`; fixed places are numbers."""

    atom: Expr
    axes: tuple[Axis, ...]

    @property
    def base(self) -> Expr:
        return self.atom.base if isinstance(self.atom, Indexed) else self.atom

    def matches(self, other: Expr) -> bool:
        """Whether an entry is this unknown at some position."""
        if not isinstance(self.atom, Indexed):
            return bool(other == self.atom)
        if not isinstance(other, Indexed) or other.base != self.atom.base:
            return False
        pairs = zip(self.atom.indices, other.indices, strict=True)
        return all(mine == yours if mine.is_Integer else not yours.is_Integer for mine, yours in pairs)

    def entries(self, expr: Expr) -> list[Expr]:
        """The entries of this unknown in an expression."""
        atoms = expr.atoms(Indexed) if isinstance(self.atom, Indexed) else expr.free_symbols
        return sorted((atom for atom in atoms if self.matches(atom)), key=str)


def derivative(terms: Iterable[Term], unknown: Unknown) -> tuple[Term, ...]:
    """∂/∂unknown of a sum of terms."""
    return gather(part for term in terms for part in _of_term(term, unknown))


def crossed(terms: Iterable[Term], unknown: Unknown) -> tuple[Term, ...]:
    """∂/∂unknown of terms that have open indices of their own, as a gradient has: brackets say where they must be equal."""
    parts = ((part, ties) for term in terms for part, ties in _tied(term, unknown, _slope_of_any))
    return gather(
        Term(product.factor, product.axes + part.axes)
        for part, ties in parts
        for product in separate(part.factor * Iverson(And(*(Eq(*tie) for tie in ties.items()))))
    )


def _of_term(term: Term, unknown: Unknown) -> Iterator[Term]:
    """By the entries that stand in a term, and through the sums that stand inside a function of it."""
    return (part for part, _ties in _tied(term, unknown))


#: ∂/∂ an entry of an unknown, of a factor.
_SlopeOf = Callable[[Expr, Expr, Unknown], Expr]
#: Indices of an entry that are bound further out, with the generic index that each must be.
_Ties = Mapping[Expr, Expr]


def _tied(term: Term, unknown: Unknown, slope_of: _SlopeOf | None = None) -> Iterator[tuple[Term, _Ties]]:
    """The parts of ∂term/∂unknown, and what of their entry's place is bound outside the term."""
    generic = {axis.index for axis in unknown.axes}
    term = rename_apart(Term(rebind(term.factor, generic), term.axes), generic)
    shields = {inner: Dummy(real=True) for inner in outermost_sums(term.factor) if unknown.entries(inner)}
    shown = {shield: inner for inner, shield in shields.items()}
    shielded = term.factor.xreplace(shields)
    for entry in unknown.entries(shielded):
        slope = (slope_of or _slope)(shielded, entry, unknown).xreplace(shown)
        yield from _by(slope, term.axes, entry, unknown)
    for inner, shield in shields.items():
        slope = diff(shielded, shield).xreplace(shown)
        for inner_term in separate(inner):
            for part, ties in _tied(inner_term, unknown, slope_of):
                apart = rename_apart(part, set(term.indices))
                yield from _at_place(slope, apart, term.axes, ties)


def _by(slope: Expr, axes: tuple[Axis, ...], entry: Expr, unknown: Unknown) -> Iterator[tuple[Term, _Ties]]:
    """By one entry: its place becomes the generic index, and the sum over that place falls away."""
    pairs = zip(places_of(entry), places_of(unknown.atom), strict=True)
    rules: dict[Expr, Expr] = {}
    twice = []
    for place, index in pairs:
        if place in rules:
            twice.append(Eq(rules[place], index))
        elif not place.is_Integer and place != ENTRY:
            _check_whole(place, axes, entry, unknown.axes, index)
            rules[place] = index
    return _at_place(slope, Term(Iverson(And(*twice))), axes, rules)


def _check_whole(
    place: Expr, axes: tuple[Axis, ...], entry: Expr, of_unknown: tuple[Axis, ...], index: Expr
) -> None:
    """Raises:
    NotDerivedError: the sum that falls away runs over a part of the entries only.
    """
    sizes = [
        [each.size for each in found if each.index == at]
        for found, at in ((axes, place), (of_unknown, index))
    ]
    if all(sizes) and (sizes[1][0] - sizes[0][0]).is_positive:
        raise NotDerivedError(
            f"{entry} stands for {sizes[0][0]} of {sizes[1][0]} entries alone, the others are said apart: give them an array of their "
            f"own. That a chain ends, say, is data: stop[t]: Bernoulli(q[z[t]])."
        )


def _at_place(slope: Expr, part: Term, axes: tuple[Axis, ...], rules: _Ties) -> Iterator[tuple[Term, _Ties]]:
    """slope · part over the axes, at the generic indices; the rules for indices that are bound further out remain."""
    bound = {axis.index for axis in axes}
    left = {place: index for place, index in rules.items() if place not in bound}
    kept = tuple(axis for axis in axes if axis.index not in rules)
    for product in _times(reindex(slope, rules), part, kept):
        yield product, left


def _slope(factor: Expr, entry: Expr, unknown: Unknown) -> Expr:
    """∂factor/∂entry: of a matrix, of an entry of a diagonal, of a number."""
    if isinstance(entry, MatrixEntry):
        return gradient(factor, entry)
    if holds_in_diagonal(factor, entry):
        return diagonal_slope(factor, entry, places_of(unknown.atom)[-1])
    variable = Dummy(**unknown.atom.assumptions0)
    return diff(factor.xreplace({entry: variable}), variable).xreplace({variable: entry})


def _slope_of_any(factor: Expr, entry: Expr, unknown: Unknown) -> Expr:
    """The same of a vector too, by a vector."""
    if is_matrix(factor) and isinstance(entry, MatrixEntry):
        return jacobian(factor, entry)
    return _slope(factor, entry, unknown)


def _times(slope: Expr, part: Term, axes: tuple[Axis, ...]) -> Iterator[Term]:
    """A product of two vectors has the entries of the first along its rows, those of the second along its columns."""
    factor = transpose(part.factor) if is_matrix(slope) and is_matrix(part.factor) else part.factor
    for product in separate(slope * factor):
        yield Term(product.factor, product.axes + part.axes + axes)


def pulled(term: Term) -> Expr:
    """A term with the factors that no bound index touches in front of its sum."""
    bare = fold(term)
    bound = {axis.index for axis in bare.axes}
    if is_matrix(bare.factor):
        return _pulled_word(bare, bound)
    outer = [f for f in bare.factors() if not f.free_symbols & bound]
    inner = [f for f in bare.factors() if f.free_symbols & bound]
    return Mul(*outer, total(Mul(*inner), bare.axes) if bare.axes else S.One)


def _pulled_word(term: Term, bound: set[Expr]) -> Expr:
    """The same of a word: its sum stands around the letters that the bound indices touch."""
    commuting, word = term.factor.args_cnc()
    sequence = letters(word_of(word))
    touched = [p for p, letter in enumerate(sequence) if letter.free_symbols & bound]
    first, last = (touched[0], touched[-1] + 1) if touched else (0, 0)
    outer = Mul(*(f for f in commuting if not f.free_symbols & bound))
    inner = Mul(*(f for f in commuting if f.free_symbols & bound), *sequence[first:last])
    summed = total(inner, term.axes) if term.axes else inner
    return outer * word_of((*sequence[:first], summed, *sequence[last:]))


def equation(terms: Iterable[Term]) -> Expr:
    """The stationarity expression, which vanishes at the update; sums of one kind are written as one."""
    sums: dict[tuple[Expr, tuple[object, ...]], Expr] = {}
    rest = []
    for each in map(pulled, terms):
        inner = next((f for f in Mul.make_args(each) if isinstance(f, Sum)), None)
        if inner is None or is_matrix(each):
            rest.append(each)
        else:
            key = (each / inner, inner.limits)
            sums[key] = sums.get(key, S.Zero) + inner.function
    return Add(*rest, *(outer * Sum(inner, *limits) for (outer, limits), inner in sums.items()))
