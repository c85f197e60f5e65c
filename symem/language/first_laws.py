"""Laws that look back: one for the next place, z[t] in terms of z[t-1], and one for each place before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy import Idx, Indexed

from symem.errors import ModelError, PlateError, UndeclaredSymbolError
from symem.language.declarations import Declaration
from symem.language.ranges import own_range
from symem.language.rooted_laws import check_roots, on_trees
from symem.language.symbol_names import stated_name
from symem.language.variables import Role


def at_their_places(
    declarations: Sequence[Declaration], roles: Mapping[str, Role]
) -> tuple[Declaration, ...]:
    """The laws, each where the places exist that it looks back at.

    A variable has one law, or one for its next place and others for the first places, at which that does not hold.

    Raises:
        ModelError: it has others; a place among them is none of the first.
        UndeclaredSymbolError: nothing says how the first places of a latent arise.
    """
    declarations = on_trees(declarations, roles)
    firsts = {stated_name(line.entries[0]) for line in declarations if _numbers(line)}
    begun = firsts | {name for name, role in roles.items() if role is Role.LATENT}
    placed = tuple(_placed(line, begun) for line in declarations)
    laws: dict[str, list[Declaration]] = {}
    for each in placed:
        for entry in each.entries:
            laws.setdefault(stated_name(entry), []).append(each)
    for name, lines in laws.items():
        own = [line for line in lines if _numbers(line) or line.at_roots]
        if len(lines) - len(own) != 1:
            _refuse(name, lines, own)
        (following,) = (line for line in lines if line not in own)
        if following.parent is not None:
            check_roots(name, following, own, latent=roles[name] is Role.LATENT)
        else:
            _check(name, following, own, latent=roles[name] is Role.LATENT)
    return placed


def _placed(line: Declaration, begun: set[str]) -> Declaration:
    """The law with the first places at which it does not hold: data may have places before the first that has a law."""
    found: list[tuple[Idx, int]] = []
    for index in () if line.parent is not None else line.own:
        low = own_range(index).lower
        first = int(low) if low.is_Integer else 0
        skipped = [n if name in begun else n - first for name, n in line.offsets(index).items()]
        found += [(index, max(skipped))] if max(skipped, default=0) > 0 else []
    if len(found) > 1:
        along = " and ".join(str(index.label) for index, _ in found)
        raise ModelError(f"The law of {line.variable} looks back along {along}: it may along one index.")
    return replace(line, skipped=found[0]) if found else line


def _numbers(line: Declaration) -> list[int]:
    """The slots of the variable that hold a number."""
    entry = line.entries[0]
    places = entry.indices if isinstance(entry, Indexed) else ()
    return [slot for slot, place in enumerate(places) if place.is_Integer]


def _refuse(name: str, lines: Sequence[Declaration], firsts: Sequence[Declaration]) -> None:
    if len(firsts) == len(lines):
        entry = firsts[0].entries[0]
        raise PlateError(
            f"{entry} on the left of a colon is the first place of a chain, and nothing says how the next arises: add "
            f"{name}[t]: {firsts[0].name}(…), a law that looks back at {name}[t - 1], or write plain indices, one Idx a plate."
        )
    raise ModelError(f"{name!r} stands on the left of {len(lines)} distributions: give it one.")


def _check(name: str, following: Declaration, firsts: Sequence[Declaration], *, latent: bool) -> None:
    """The first laws are those of the places before the one from which on the next law holds."""
    wanted = _first_places(following)
    said = [line.entries[0] for line in firsts]
    for entry in said:
        if entry not in wanted:
            first = (
                f"; its first places are {', '.join(map(str, wanted))}"
                if wanted
                else ", which looks back at none"
            )
            raise ModelError(
                f"{entry} has a law of its own beside {following.variable}: {following.distribution}{first}."
            )
    if len(set(said)) < len(said):
        raise ModelError(f"{name!r} stands on the left of {len(said) + 1} distributions: give it one.")
    missing = [entry for entry in wanted if entry not in said]
    if latent and missing and following.back is not None:
        raise UndeclaredSymbolError(
            f"The law of the latent {following.variable} looks back along {following.back.label}, and nothing says how "
            f"{missing[0]} arises: add {missing[0]}: {following.name}(…)."
        )


def _first_places(following: Declaration) -> list[Indexed]:
    """z[j, 0], z[j, 1], … of a law of z[j, t] that looks back two places."""
    entry, index = following.entries[0], following.back
    if index is None:
        return []
    return [entry.xreplace({index: own_range(index).lower + place}) for place in range(following.reach)]
