"""A line of the straight-line program that a derivation is: a named array over axes, and its value."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Eq, Expr, Indexed, Integer, Piecewise, true

from symem.language.leaves import array_of, places_of
from symem.language.plates import Axis, reindex


@dataclass(frozen=True)
class Definition:
    """symbol[axes] := value.

    `symbol` is a `Symbol` or an `Indexed` over exactly the index symbols of `axes`; `value` may hold
    `Sum`s with 0-based limits, `Iverson` brackets, and any symbol defined before it.
    """

    symbol: Expr
    axes: tuple[Axis, ...]
    value: Expr

    def at(self, entry: Expr) -> Expr:
        """The value at the places of an entry of the array."""
        places = zip((axis.index for axis in self.axes), places_of(entry), strict=True)
        return reindex(self.value, {own: place for own, place in places if own != place})

    @property
    def recurrence(self) -> Recurrence | None:
        """What the array is along an axis, where its value reads the array itself at the place before or after."""
        if not isinstance(self.value, Piecewise) or not self.value.has(array_of(self.symbol)):
            return None
        (first, _), (following, _) = self.value.args
        (entry,) = (each for each in following.atoms(Indexed) if each.base == array_of(self.symbol))
        slot = next(
            s
            for s, (own, other) in enumerate(zip(places_of(self.symbol), entry.indices, strict=True))
            if (own - other) in (1, -1)
        )
        axis = next(axis for axis in self.axes if axis.index == self.symbol.indices[slot])
        return Recurrence(self.symbol, axis, first, following, backward=entry.indices[slot] - axis.index == 1)


@dataclass(frozen=True)
class Recurrence:
    """symbol along `axis`: `first` at its first place and `next`, which reads the place before, at the others; backward,
    `first` at its last place, and `next` reads the place after.
    """

    symbol: Expr
    axis: Axis
    first: Expr
    next: Expr
    backward: bool = False

    @property
    def start(self) -> Expr:
        """The place where it begins."""
        return self.axis.size - 1 if self.backward else Integer(0)

    @property
    def value(self) -> Expr:
        """The value of the `Definition` that this is."""
        return Piecewise((self.first, Eq(self.axis.index, self.start)), (self.next, true))
