"""The unknowns of the M-step: the entries of a parameter that need an update each, and which of them meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sympy import Expr, Indexed

from symem.calculus.differentiate import Unknown
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term
from symem.language.leaves import places_of
from symem.language.matrices import is_matrix
from symem.language.model import Variable
from symem.language.plates import Axis
from symem.language.supports import Reals, Simplex


def cells_one_by_one(unknowns: Mapping[Unknown, Variable]) -> list[tuple[Unknown, ...]]:
    """The cells of a simplex that are named by literals, p[0], p[1], …, as one group a simplex."""
    groups: dict[object, list[Unknown]] = {}
    for unknown, variable in unknowns.items():
        if isinstance(variable.support, Simplex) and isinstance(unknown.atom, Indexed):
            rows, cells = (
                unknown.atom.indices[: -variable.support.axes],
                unknown.atom.indices[-variable.support.axes :],
            )
            if all(cell.is_Integer for cell in cells):
                groups.setdefault((variable.name, rows), []).append(unknown)
    return [tuple(group) for group in groups.values()]


def unknowns_of(variable: Variable, terms: Iterable[Term], names: Names) -> list[Unknown]:
    """The entries of a parameter that need an update each: one per pattern of fixed places."""
    patterns: dict[tuple[Expr | None, ...], None] = {}
    for term in terms:
        for atom in atoms_of(term.factor, variable):
            places = atom.indices if isinstance(atom, Indexed) else ()
            patterns.setdefault(tuple(p if p.is_Integer else None for p in places))
    found = []
    for pattern in patterns:
        taken: set[Expr] = set()
        places, axes = [], []
        for place, size in zip(pattern, variable.sizes, strict=True):
            if place is None:
                axis = names.axis(size, "m", taken)
                taken.add(axis.index)
                axes.append(axis)
            places.append(axis.index if place is None else place)
        atom = variable.symbol[tuple(places)] if places else variable.symbol
        found.append(Unknown(atom, tuple(axes)))
    return found


def in_order(unknowns: Mapping[Unknown, Variable]) -> dict[Unknown, Variable]:
    """The unknowns of a block in an order that depends on the model alone, not on how it was stated.

    Shares come first, then what may be any number or matrix, then what is confined (means before their scales), each
    by name: in this order conditional maximisation goes.
    """

    def key(unknown: Unknown) -> tuple[int, str, tuple[tuple[bool, int], ...]]:
        variable = unknowns[unknown]
        support = variable.support
        rank = 0 if isinstance(support, Simplex) else 1 if isinstance(support, Reals) else 2
        places = places_of(unknown.atom)
        return rank, variable.name, tuple((p.is_Integer, int(p) if p.is_Integer else 0) for p in places)

    return {unknown: unknowns[unknown] for unknown in sorted(unknowns, key=key)}


def components(
    terms: tuple[Term, ...], unknowns: list[Unknown], groups: tuple[tuple[Unknown, ...], ...]
) -> list[list[Unknown]]:
    """Connected components of the unknowns, two being joined by a term or a simplex."""
    links = [[u for u in unknowns if u.entries(term.factor)] for term in terms] + [list(g) for g in groups]
    owner = {unknown: position for position, unknown in enumerate(unknowns)}
    for link in links:
        if link:
            lowest = min(owner[u] for u in link)
            joined = {owner[u] for u in link}
            owner = {u: lowest if o in joined else o for u, o in owner.items()}
    return [[u for u in unknowns if owner[u] == component] for component in sorted(set(owner.values()))]


def is_matrix_unknown(unknown: Unknown) -> bool:
    return is_matrix(unknown.atom)


def sides(unknown: Unknown) -> int:
    """How many sides of a matrix are longer than one."""
    return sum(side != 1 for side in unknown.atom.dimensions)


def neighbouring(unknowns: list[Unknown], size: int) -> list[list[Unknown]]:
    """Groups of unknowns over the same axes."""
    same: dict[tuple[Axis, ...], list[Unknown]] = {}
    for unknown in unknowns:
        same.setdefault(unknown.axes, []).append(unknown)
    return [group[start : start + size] for group in same.values() for start in range(len(group) - size + 1)]
