"""Stationarity equations that are linear in several unknowns at once."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Add, Eq, Expr, Matrix, Mul, S, expand

from symem.calculus.differentiate import Unknown, pulled
from symem.calculus.gathering import places_of
from symem.calculus.isolate import simplified
from symem.calculus.separate import Term
from symem.language.plates import Iverson, LinearSolution, fresh_index, index_symbol


def coupled_over_axis(terms: Sequence[Term], unknown: Unknown, pending: Sequence[Unknown]) -> Expr | None:
    """Solve Σ_m G[j, m] b[m] = h[j] for an array whose entries meet in one equation.

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
    if any(u.entries(matrix) for u in (unknown, *pending)) or matrix.has(S.NaN):
        matrix, vector = _without_common_factor(matrix, vector, pending)
    if any(u.entries(e) for u in (unknown, *pending) for e in (matrix, vector)):
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


def _without_common_factor(matrix: Expr, vector: Expr, pending: Sequence[Unknown]) -> tuple[Expr, Expr]:
    """Divide both sides by a factor in other unknowns that every summand shares, such as 1/σ²."""
    parts = [*Add.make_args(matrix), *Add.make_args(vector)]
    held = [
        Mul(*(f for f in Mul.make_args(p) if any(u.entries(f) for u in pending))) for p in parts if p != 0
    ]
    if len(set(held)) != 1:
        return matrix, vector
    return Add(*(p / held[0] for p in Add.make_args(matrix))), Add(
        *(p / held[0] for p in Add.make_args(vector))
    )


def joint(
    equations: Sequence[Expr], unknowns: Sequence[Unknown], pending: Sequence[Unknown]
) -> list[Expr] | None:
    """Solve equations that are jointly linear in a few entries at the same position, by Cramer's rule."""
    atoms = [unknown.atom for unknown in unknowns]
    rows = [_linear_row(whole, atoms) for whole in equations]
    if any(row is None for row in rows):
        return None
    augmented = Matrix(rows)
    matrix, right = augmented[:, :-1], -augmented[:, -1]
    determinant = simplified(matrix.det(method="berkowitz"))
    if determinant == 0:
        return None
    others = [unknown for unknown in pending if unknown not in unknowns]
    tops = [_replaced(matrix, column, right).det(method="berkowitz") for column in range(len(atoms))]
    roots = [simplified(top / determinant) for top in tops]
    return None if any(u.entries(root) for u in others for root in roots) else roots


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


def _replaced(matrix: Matrix, column: int, right: Matrix) -> Matrix:
    copy = matrix.copy()
    copy[:, column] = right
    return copy
