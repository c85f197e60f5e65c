"""Latents that some data show: where d = 1, u is x, and elsewhere something else is known of it, u > x of what is censored.

There f(u) is f(x), and no latent is left: a statement's f(u) is [d = 1] f(x) + [d ≠ 1] f(u). (Cox & Oakes 1984, chapter 1.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import And, Eq, Expr, Idx, Indexed, Ne, Not, Or, Symbol, oo

from symem.errors import ModelError
from symem.language.selectors import and_, plain
from symem.language.splitting import split
from symem.language.support import Support
from symem.language.symbol_names import stated_name

Ways = list[list[Any]]


@dataclass(frozen=True)
class Shown:
    """A latent's entry, what it is, where, and where it is not shown."""

    entry: Expr
    value: Expr
    where: Any
    elsewhere: Any

    @property
    def relation(self) -> Any:
        return Or(self.elsewhere, And(self.where, Eq(self.entry, self.value)))

    def put_in(self, piece: Expr) -> Expr:
        """A summand of the log-likelihood with the value where it is shown."""

        def entries(part: Expr) -> list[Expr]:
            if isinstance(self.entry, Symbol):
                return [self.entry] if self.entry in part.free_symbols else []
            return sorted((a for a in part.atoms(Indexed) if a.base == self.entry.base), key=str)

        def ways(atom: Expr) -> tuple[tuple[Any, Expr], tuple[Any, Expr]]:
            rules = dict(zip(_places(self.entry), _places(atom), strict=True))
            there = self.where.xreplace(rules), self.value.xreplace(rules)
            return there, (self.elsewhere.xreplace(rules), atom)

        return split(piece, entries, ways) if entries(piece) else piece

    def inside(self, support: Support) -> list[Any]:
        """What makes the value one that the latent can have."""
        low, high = support.bounds
        return [*([self.value > low] if low != -oo else []), *([self.value < high] if high != oo else [])]


def _places(entry: Expr) -> tuple[Expr, ...]:
    return tuple(entry.indices) if isinstance(entry, Indexed) else ()


def shown_latent(
    relation: Any,
    ways: Ways,
    points: Sequence[Any],
    is_latent: Callable[[Any], bool],
    supports: Mapping[str, Support],
    binary: frozenset[str],
) -> tuple[Shown | None, Ways]:
    """The latent that an equation shows for some data, and the ways that are left: there with the value inside the latent's
    support in the equation's place, and without those that hold with probability 0, an equation beside what is no equation for
    the same data.

    Raises:
        ModelError: several equations show it, or what they equate is not the latent and a datum.
    """
    groups: dict[Any, Ways] = defaultdict(list)
    for way in ways:
        groups[and_(*(each for each in way if not is_latent(each)))].append(way)
    told = {known: held for known, held in groups.items() if all(set(way) & set(points) for way in held)}
    found = {each for held in told.values() for way in held for each in way if each in points}
    possible = [
        way
        for known, held in groups.items()
        for way in held
        if known not in told and not set(way) & set(points)
    ]
    if not told:
        return None, possible
    sides = [
        (one, other)
        for each in found
        for one, other in (each.args, each.args[::-1])
        if _shows(one, other, is_latent)
    ]
    if len(found) > 1 or not sides:
        equations = ", ".join(sorted(map(str, found)))
        raise ModelError(
            f"given=[{relation}]: {equations} cannot be read as what is seen of one latent for some data: write "
            "Or(And(Eq(d[i], 1), Eq(u[i], x[i])), And(Eq(d[i], 0), u[i] > x[i])), with data d and x."
        )
    elsewhere = Not(Or(*told)).replace(lambda each: isinstance(each, Ne), lambda each: plain(each, binary))
    entry, value = sides[0]
    shown = Shown(entry, value, Or(*told), elsewhere)
    inside = shown.inside(supports[stated_name(shown.entry)])
    there = [
        [*(each for each in way if each not in points), *inside] for held in told.values() for way in held
    ]
    return shown, [*there, *possible]


def _shows(entry: Expr, value: Expr, is_latent: Callable[[Any], bool]) -> bool:
    """Whether it is an entry at indices, and a datum as it stands: of a function of one the density would need its slope."""
    bare = isinstance(entry, Symbol) or (
        isinstance(entry, Indexed) and all(isinstance(place, Idx) for place in entry.indices)
    )
    return bare and is_latent(entry) and isinstance(value, Indexed | Symbol) and not is_latent(value)
