"""A line of the straight-line program that a derivation is: a named array over axes, and its value."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from symem.language.leaves import places_of
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
