"""Parameters at plain indices: θ[x_i] is Σ_v [x_i = v] θ[v]."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Eq, Expr

from symem.calculus.gathering import atoms_of, places_of
from symem.calculus.separate import Term, inner_indices, tidy
from symem.language.matrices import ENTRY
from symem.language.model import Variable
from symem.language.plates import Axis, Iverson, index_symbol


def running_slots(terms: Iterable[Term], parameters: Iterable[Variable]) -> set[tuple[str, int]]:
    """The slots of parameters in which something other than a literal stands somewhere."""
    return {
        (variable.name, slot)
        for term in terms
        for variable in parameters
        for atom in atoms_of(term.factor, variable)
        for slot, place in enumerate(places_of(atom))
        if not place.is_Integer
    }


def plain_indices(term: Term, parameters: Iterable[Variable], running: set[tuple[str, int]]) -> Term:
    """Give every parameter plain indices: θ[x_i] becomes Σ_v [x_i = v] θ[v].

    A literal stays where only literals stand in that slot; next to θ[k], θ[0] is Σ_v [0 = v] θ[v].
    """
    factor, axes = term.factor, term.axes
    for variable in parameters:
        for atom in atoms_of(factor, variable):
            for slot, place in enumerate(places_of(atom)):
                literal = place.is_Integer and (variable.name, slot) not in running
                bound = {axis.index for axis in axes} | inner_indices(factor) | {ENTRY}
                if literal or place in bound:
                    continue
                axis = _category_axis(variable, slot, factor, axes)
                factor = _at_category(factor, place, axis, tuple(parameters)) * Iverson(Eq(place, axis.index))
                axes = (*axes, axis)
    return tidy(Term(factor, axes))


def _category_axis(variable: Variable, slot: int, factor: Expr, axes: tuple[Axis, ...]) -> Axis:
    taken = factor.free_symbols | {a.index for a in axes}
    names = ("v", "u", *(f"v_{number}" for number in range(2, 99)))
    return Axis(next(index_symbol(n) for n in names if index_symbol(n) not in taken), variable.sizes[slot])


def _at_category(factor: Expr, place: Expr, axis: Axis, parameters: tuple[Variable, ...]) -> Expr:
    rules: dict[Expr, Expr] = {}
    for variable in parameters:
        for slot, size in enumerate(variable.sizes):
            for atom in atoms_of(factor, variable):
                if atom.indices[slot] == place and size == axis.size:
                    places = list(rules.get(atom, atom).indices)
                    places[slot] = axis.index
                    rules[atom] = atom.base[tuple(places)]
    return factor.xreplace(rules)
