"""Stationarity equations that are linear in several unknowns at once: the entries of an array, or a few scalars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sympy import Add, Eq, Expr, Matrix, Mul, S, expand

from symem.calculus.differentiate import Unknown, pulled
from symem.calculus.roots import simplified
from symem.calculus.separate import Term
from symem.calculus.stationarity import Root, Stationarity
from symem.calculus.unknowns import neighbouring
from symem.language.leaves import places_of
from symem.language.plates import Iverson, LinearSolution, fresh_index, index_symbol

# the entries of an array ----------------------------------------------------------------------------------


def coupled(problem: Stationarity) -> Iterator[Root]:
    """The arrays whose entries meet in one equation, each with the system that its entries solve."""
    for unknown in problem.free:
        others = [other for other in problem.pending if other != unknown]
        value = _over_axis(problem.known(problem.slope(unknown)), unknown, others)
        if value is not None:
            yield Root(unknown, value, problem.raw(unknown), value, explicit=False)


def _over_axis(terms: Sequence[Term], unknown: Unknown, others: Sequence[Unknown]) -> Expr | None:
    """Σ_m G[j, m] b[m] = h[j] solved for b.

    Exactly one index of the unknown is coupled; over its others the systems are separate.
    """
    own = [term for term in terms if unknown.entries(term.factor)]
    rest = [term for term in terms if term not in own]
    slots = {_coupled_slot(term, unknown) for term in own} - {None}
    if len(slots) != 1 or any(len(unknown.entries(term.factor)) != 1 for term in own):
        return None
    slot = slots.pop()
    assert slot is not None
    index = places_of(unknown.atom)[slot]
    size = next(axis.size for axis in unknown.axes if axis.index == index)
    column = fresh_index(index, {s for t in terms for s in t.factor.free_symbols | t.indices})
    matrix = Add(*(_entry(term, unknown, slot, column) for term in own))
    vector = Add(*(-pulled(term) for term in rest))
    if any(u.entries(matrix) for u in (unknown, *others)) or matrix.has(S.NaN):
        matrix, vector = _without_common_factor(matrix, vector, others)
    if any(u.entries(e) for u in (unknown, *others) for e in (matrix, vector)):
        return None
    if matrix.could_extract_minus_sign():
        matrix, vector = _negated(matrix), _negated(vector)
    row = index_symbol(f"{index}_row")
    return LinearSolution(
        index, row, column, matrix.xreplace({index: row}), vector.xreplace({index: row}), size
    )


def _negated(value: Expr) -> Expr:
    return Add(*(-part for part in Add.make_args(value)))


def _coupled_slot(term: Term, unknown: Unknown) -> int | None:
    """The slot at which a term holds the unknown under a sum."""
    entry = unknown.entries(term.factor)[0]
    differing = [
        s for s, (a, b) in enumerate(zip(places_of(entry), places_of(unknown.atom), strict=True)) if a != b
    ]
    if not differing:
        return None
    return differing[0] if len(differing) == 1 and places_of(entry)[differing[0]] in term.indices else -1


def _entry(term: Term, unknown: Unknown, slot: int, column: Expr) -> Expr:
    """What multiplies b[column] in one term: a bracket [j = column] where the term holds b[j] itself."""
    entry = unknown.entries(term.factor)[0]
    place = places_of(entry)[slot]
    slope = term.factor / entry
    if place in term.indices:
        axes = tuple(axis for axis in term.axes if axis.index != place)
        return pulled(Term(slope.xreplace({place: column}), axes))
    return pulled(Term(slope, term.axes)) * Iverson(Eq(places_of(unknown.atom)[slot], column))


def _without_common_factor(matrix: Expr, vector: Expr, others: Sequence[Unknown]) -> tuple[Expr, Expr]:
    """Divide both sides by a factor in other unknowns that every summand shares, such as 1/σ²."""
    parts = [*Add.make_args(matrix), *Add.make_args(vector)]
    held = [Mul(*(f for f in Mul.make_args(p) if any(u.entries(f) for u in others))) for p in parts if p != 0]
    if len(set(held)) != 1:
        return matrix, vector
    return Add(*(p / held[0] for p in Add.make_args(matrix))), Add(
        *(p / held[0] for p in Add.make_args(vector))
    )


# a few scalars at one position ------------------------------------------------------------------------------

#: Unknowns beyond which a system is not solved by determinants.
MANY = 6


@dataclass(frozen=True)
class Jointly:
    """A x = b in a few unknowns, and the equations that it was read from."""

    unknowns: tuple[Unknown, ...]
    matrix: Matrix
    right: Matrix
    determinant: Expr
    problem: Stationarity


def jointly_linear(problem: Stationarity) -> Iterator[Jointly]:
    """The groups of neighbouring unknowns whose equations hold each of them at most once, the smallest first."""
    for size in range(2, min(len(problem.free), MANY) + 1):
        for group in neighbouring(problem.free, size):
            atoms = [unknown.atom for unknown in group]
            rows = [_linear_row(problem.reduced(problem.slope(unknown)), atoms) for unknown in group]
            if any(row is None for row in rows):
                continue
            augmented = Matrix(rows)
            matrix, right = augmented[:, :-1], -augmented[:, -1]
            determinant = simplified(matrix.det(method="berkowitz"))
            if determinant != 0:
                yield Jointly(tuple(group), matrix, right, determinant, problem)


def by_elimination(system: Jointly) -> list[Root] | None:
    """The unknowns one after another, each in terms of those before it: a slope, then its intercept ȳ - b x̄.

    None where an unknown of another group stands in the solution.
    """
    problem, matrix, right = system.problem, system.matrix, system.right
    open_places, put_off = list(range(len(system.unknowns))), []
    while len(open_places) > 1:
        pivot = min(open_places, key=lambda place: (matrix[place, place].count_ops(), -place))
        if matrix[pivot, pivot] == 0:
            return None
        put_off.append((pivot, matrix[pivot, :], right[pivot]))
        open_places.remove(pivot)
        matrix, right = _eliminated(matrix, right, pivot, open_places)
    last = open_places[0]
    if matrix[last, last] == 0:
        return None
    values = {last: simplified(right[last] / matrix[last, last])}
    for pivot, row, side in reversed(put_off):
        met = Add(*(row[place] * system.unknowns[place].atom for place in values))
        values[pivot] = simplified((side - met) / row[pivot])
    if not all(problem.is_free(value, but=system.unknowns) for value in values.values()):
        return None
    order = [system.unknowns[place] for place in values]
    return [
        _root(problem, unknown, value, tuple(order[place + 1 :]))
        for place, (unknown, value) in enumerate(zip(order, values.values(), strict=True))
    ]


def _eliminated(matrix: Matrix, right: Matrix, pivot: int, places: Sequence[int]) -> tuple[Matrix, Matrix]:
    """The equations at those places without the unknown that has the pivot."""
    matrix, right = matrix.copy(), right.copy()
    for place in places:
        share = matrix[place, pivot] / matrix[pivot, pivot]
        right[place] = simplified(right[place] - share * right[pivot])
        for column in places:
            matrix[place, column] = simplified(matrix[place, column] - share * matrix[pivot, column])
    return matrix, right


def _root(problem: Stationarity, unknown: Unknown, value: Expr, eliminated: tuple[Unknown, ...]) -> Root:
    found = problem.collapse(value)
    return Root(unknown, found, problem.raw(unknown), found, explicit=False, eliminated=eliminated)


def _linear_row(whole: Expr, atoms: Sequence[Expr]) -> list[Expr] | None:
    """Coefficients of the atoms and the rest, if every term holds at most one atom, once."""
    row = [S.Zero] * (len(atoms) + 1)
    for part in Add.make_args(expand(whole, deep=False)):
        held = [position for position, atom in enumerate(atoms) if part.has(atom)]
        slope = part / atoms[held[0]] if held else part
        if len(held) > 1 or any(slope.has(atom) for atom in atoms):
            return None
        row[held[0] if held else -1] += slope
    return row
