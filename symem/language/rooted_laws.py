"""Laws that look back at a parent, z[v] in terms of z[parent[v]], and one for the roots, z[root], which have none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sympy import Indexed, Symbol
from sympy.logic.boolalg import BooleanAtom

from symem.errors import ModelError, PlateError, UndeclaredSymbolError
from symem.language.declarations import Declaration
from symem.language.ranges import own_range
from symem.language.symbol_names import stated_name
from symem.language.variables import Role


def on_trees(declarations: Sequence[Declaration], roles: Mapping[str, Role]) -> tuple[Declaration, ...]:
    """The laws, those that look back at a parent where there is one, those of roots at places that have none.

    Raises:
        PlateError: a symbol stands in the place of an index, and the variable has no law that looks back at a parent.
        ModelError: a law looks back at two places, or a parent is not known by one array over the places.
    """
    trees = {
        stated_name(line.entries[0]): parent
        for line in declarations
        if (parent := _parent(line, {stated_name(line.entries[0])})) is not None
    }
    for parent in trees.values():
        _check_known(parent, roles)
    return tuple(_placed(line, trees) for line in declarations)


def _placed(line: Declaration, trees: Mapping[str, Indexed]) -> Declaration:
    name = stated_name(line.entries[0])
    if symbols := _symbols(line):
        return _of_roots(line, symbols, trees.get(name))
    parent = _parent(line, set(trees))
    if parent is not None and parent not in trees.values():
        raise ModelError(
            f"The law of {line.variable} looks at {parent}: along a tree it may look at the parent of its own place, "
            f"{', '.join(sorted(map(str, set(trees.values()))))}."
        )
    return replace(line, parent=parent)


def _of_roots(line: Declaration, symbols: Sequence[Symbol], parent: Indexed | None) -> Declaration:
    entry = line.entries[0]
    if parent is None or len(symbols) > 1:
        raise PlateError(
            f"{entry} on the left of a colon: write plain indices, one Idx a plate, not {symbols[0]}, which stands for the roots of a "
            f"tree where {stated_name(entry)}[v] has a law that looks back at {stated_name(entry)}[parent[v]]."
        )
    return replace(line.at(symbols[0], parent.indices[0]), parent=parent, at_roots=True)


def _symbols(line: Declaration) -> list[Symbol]:
    entry = line.entries[0]
    places = entry.indices if isinstance(entry, Indexed) else ()
    return [place for place in places if isinstance(place, Symbol)]


def _parent(line: Declaration, trees: set[str]) -> Indexed | None:
    """parent[v], where the law looks at one of these variables at the parent of its own place."""
    found = {place for entry, place in _places(line) if stated_name(entry) in trees}
    if len(found) > 1:
        raise ModelError(
            f"The law of {line.variable} looks back at two places, {' and '.join(sorted(map(str, found)))}: a place of a tree has one "
            f"parent. Let one label, or one vector of states, stand for what both say."
        )
    return found.pop() if found else None


def _places(line: Declaration) -> Iterator[tuple[Indexed, Indexed]]:
    """Entries, each with what stands in it that is an entry at an index of the law's own."""
    entries = sorted({e for argument in line.stated_arguments for e in argument.atoms(Indexed)}, key=str)
    for entry in entries:
        for place in entry.indices:
            if isinstance(place, Indexed) and place.free_symbols & set(line.own):
                yield entry, place


_UNKNOWN = {
    Role.LATENT: "a latent tree has no exact E-step, as it would be a sum over all trees.",
    Role.DATA: "who is whose parent is known, and no datum.",
}


def _check_known(parent: Indexed, roles: Mapping[str, Role]) -> None:
    name = stated_name(parent)
    if any(isinstance(place, Indexed) for place in parent.indices) or len(parent.indices) > 1:
        raise ModelError(
            f"{parent} is no parent of a place: write {name}[v] with one array {name} over the places of all trees, which may be many."
        )
    if (role := roles.get(name)) in {Role.LATENT, Role.DATA}:
        raise ModelError(
            f"{parent} has a law of its own: {_UNKNOWN[role]} Leave its law out, and name it in known=[{name}]."
        )
    if role is not Role.KNOWN:
        raise UndeclaredSymbolError(f"Nothing says what {parent} is: name it in known=[{name}].")
    if isinstance(parent >= own_range(parent.indices[0]).lower, BooleanAtom):
        raise ModelError(
            f"{name} is declared to be never negative, but roots have a parent below the first place."
        )


def check_roots(name: str, following: Declaration, roots: Sequence[Any], *, latent: bool) -> None:
    """A latent has a law for its roots; no place has a law of its own.

    Raises:
        ModelError: one has, or there are two.
        UndeclaredSymbolError: nothing says how roots arise.
    """
    said = f"{name}[root]: {following.name}(…), with root = symbols('root')"
    if numbered := [line.entries[0] for line in roots if not line.at_roots]:
        raise ModelError(
            f"{numbered[0]} has a law of its own beside {following.variable}, which looks back at a parent: write that of all roots, {said}."
        )
    if len(roots) > 1:
        raise ModelError(f"The roots of {name} have {len(roots)} laws: give them one.")
    if latent and not roots:
        raise UndeclaredSymbolError(
            f"The law of the latent {following.variable} looks back at its parent {following.parent}, and nothing says how roots "
            f"arise, which have none: add {said}."
        )
