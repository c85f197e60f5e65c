"""A line of the straight-line program that a derivation is: a named array over axes, and its value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sympy import Eq, Expr, Indexed, Integer, Le, Piecewise, S, true

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
        if self.over_tree is not None:
            return None
        (first, _), (following, held), *_ = self.value.args
        (entry,) = (each for each in following.atoms(Indexed) if each.base == array_of(self.symbol))
        slot = next(
            s
            for s, (own, other) in enumerate(zip(places_of(self.symbol), entry.indices, strict=True))
            if (own - other) in (1, -1)
        )
        axis = next(axis for axis in self.axes if axis.index == self.symbol.indices[slot])
        length = axis.size if held == true else held.rhs + 1
        return Recurrence(
            self.symbol, axis, first, following, backward=entry.indices[slot] - axis.index == 1, length=length
        )

    @cached_property
    def over_tree(self) -> TreeRecurrence | None:
        """What the array is over a tree, where its value reads the array itself at the parent of a place or at its children."""
        own = array_of(self.symbol)
        if not isinstance(self.symbol, Indexed) or not self.value.has(own):
            return None
        entries = (entry for entry in self.value.atoms(Indexed) if entry.base == own)
        above = {place for entry in entries for place in entry.indices if isinstance(place, Indexed)}
        if above:
            return TreeRecurrence(self.symbol, self.axes, self.value, above.pop(), upward=False)
        for one, other in (pair for each in self.value.atoms(Eq) for pair in (each.args, each.args[::-1])):
            if isinstance(one, Indexed) and len(one.indices) == 1 and other in self.symbol.indices:
                return TreeRecurrence(self.symbol, self.axes, self.value, one.base[other], upward=True)
        return None

    @property
    def beginning(self) -> Recurrence | None:
        """The same of an array that has another value at its first place, whatever it reads at the others."""
        if isinstance(self.value, Piecewise) and len(self.value.args) == 2:
            (first, condition), (following, _) = self.value.args
            axis = next((a for a in self.axes if condition == Eq(a.index, 0)), None)
            return None if axis is None else Recurrence(self.symbol, axis, first, following)
        return None


@dataclass(frozen=True)
class TreeRecurrence:
    """symbol over the places of a tree: its `value` reads it at the `parent` of a place, or `upward` at the children."""

    symbol: Expr
    axes: tuple[Axis, ...]
    value: Expr
    parent: Expr
    upward: bool

    @property
    def axis(self) -> Axis:
        """That of the places."""
        return next(axis for axis in self.axes if axis.index == self.parent.indices[0])


@dataclass(frozen=True)
class Recurrence:
    """symbol along `axis`: `first` at its first place and `next`, which reads the place before, at the others; backward,
    `first` at its last place, and `next` reads the place after. It has so many places as `length` says, which may differ
    between the entries of its other axes; beyond them it is `beyond`.
    """

    symbol: Expr
    axis: Axis
    first: Expr
    next: Expr
    backward: bool = False
    length: Expr | None = None
    beyond: Expr = S.NegativeInfinity

    @property
    def places(self) -> Expr:
        """How many it has."""
        return self.axis.size if self.length is None else self.length

    @property
    def start(self) -> Expr:
        """The place where it begins."""
        return self.places - 1 if self.backward else Integer(0)

    @property
    def value(self) -> Expr:
        """The value of the `Definition` that this is."""
        begun = (self.first, Eq(self.axis.index, self.start))
        if self.places == self.axis.size:
            return Piecewise(begun, (self.next, true))
        return Piecewise(begun, (self.next, Le(self.axis.index, self.places - 1)), (self.beyond, true))

    @property
    def value_at_end(self) -> Expr:
        """The value at the first or last place of the axis, from which on it is computed."""
        return Piecewise((self.first, Eq(self.axis.index, self.start)), (self.beyond, true))
