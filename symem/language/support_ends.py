"""The ends of a support in internal symbols; those of data stand in the record as the user wrote them."""

from __future__ import annotations

from typing import Any

from sympy import Dummy, Expr, Idx, Indexed, Symbol

from symem.language.leaves import name_of
from symem.language.model import Model, Variable
from symem.language.plates import index_symbol


def ends_of(variable: Variable, model: Model) -> tuple[Expr, Expr]:
    """Infimum and supremum; indices that they name are those of `indices_of`."""
    low, high = (_internal(end, model) for end in variable.support.bounds)
    return low, high


def indices_of(variable: Variable, model: Model) -> list[Expr]:
    """The index that the ends may name for each slot of a variable."""
    named = {s for end in ends_of(variable, model) for s in end.free_symbols}
    known = model.index_sizes
    found: list[Expr] = []
    for size in variable.sizes:
        free = (s for s in sorted(named, key=str) if known.get(str(s)) == size and s not in found)
        found.append(next(free, Dummy()))
    return found


def _internal(end: Expr, model: Model) -> Expr:
    rules: dict[Any, Any] = {}
    for entry in end.atoms(Indexed):
        variable = model.variables.get(name_of(entry))
        if variable:
            rules[entry] = variable.symbol[tuple(_index(place) for place in entry.indices)]
    arrays = {name_of(entry) for entry in end.atoms(Indexed)}
    for symbol in end.atoms(Symbol):
        variable = model.variables.get(str(symbol))
        if variable and str(symbol) not in arrays:
            rules[symbol] = variable.symbol
    return end.xreplace(rules)


def _index(place: Expr) -> Expr:
    if isinstance(place, Idx):
        return index_symbol(str(place.label))
    return index_symbol(str(place)) if isinstance(place, Symbol) else place
