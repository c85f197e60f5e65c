"""Who looks back at whom within one array: at the places before along a plate, or at the parent on a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from sympy import Add, Expr, Indexed, Symbol

from symem.derivation import Derivation
from symem.language.leaves import name_of, places_of
from symem.language.matrices import MatrixEntry
from symem.language.model import Role
from symem.language.parents import Parents


@dataclass(frozen=True)
class LooksBack:
    """An entry of `name` depends on the one so far before it in a slot, for each of the `lags`, or on that at its `parent`."""

    name: str
    slot: int
    lags: tuple[int, ...] = ()
    parent: Expr | None = None


def neighbours(derivation: Derivation) -> tuple[LooksBack, ...]:
    """Of data and latents, in the order of the model."""
    model = derivation.model
    random = {name for name, each in model.variables.items() if each.role in (Role.DATA, Role.LATENT)}
    lags: dict[tuple[str, int], set[int]] = {}
    parents: dict[tuple[str, int], Expr] = {}
    for name, slot, later, earlier in _pairs(model.log_likelihood, random):
        back = later - earlier
        if isinstance(earlier, Indexed) and isinstance(model.variables[name_of(earlier)].support, Parents):
            parents[name, slot] = earlier
        elif back.is_Integer and back > 0:
            lags.setdefault((name, slot), set()).add(int(back))
    found = [LooksBack(*key, lags=tuple(sorted(each))) for key, each in lags.items()]
    return (*found, *(LooksBack(*key, parent=each) for key, each in parents.items()))


def _pairs(expr: Expr, random: set[str]) -> Iterator[tuple[str, int, Expr, Expr]]:
    """Two entries of one array in one term, by the slot in which alone they differ."""
    for term in _terms(expr):
        entries = [each for each in term.atoms(Indexed, MatrixEntry) if name_of(each) in random]
        for one, other in permutations(sorted(entries, key=str), 2):
            if name_of(one) == name_of(other):
                apart = [
                    (slot, *pair)
                    for slot, pair in enumerate(zip(places_of(one), places_of(other), strict=True))
                    if pair[0] != pair[1]
                ]
                if len(apart) == 1 and isinstance(apart[0][2], Indexed | Symbol | Add):
                    yield (name_of(one), *apart[0])


def _terms(expr: Expr) -> Iterator[Expr]:
    """The summands of a sum and of the sums in it."""
    for term in Add.make_args(expr):
        if getattr(term, "limits", None) and term.function.is_Add:
            yield from _terms(term.function)
        else:
            yield term
