"""How named arrays lie in memory, and how their entries are read: whole, along a diagonal, or at computed places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from sympy import Expr, Indexed, Symbol, expand

from symem.codegen.ir.nodes import DiagonalOf, Load, Node, Source, Sources, Take, union, without
from symem.language.leaves import name_of, places_of
from symem.language.model import Variable


@dataclass(frozen=True)
class Layout:
    """How a named array lies in memory: `order[d]` is the slot that runs along dimension d.

    `sizes` are those of its slots, where they are stated: an index may run over a part of one only.
    """

    name: str
    order: tuple[int, ...]
    sources: Sources
    integer: bool = False
    sizes: tuple[Expr, ...] = ()

    @classmethod
    def declared(cls, name: str, variable: Variable, source: Source, *, integer: bool = False) -> Self:
        """An array as it is declared, its dimensions in the order of its slots."""
        order = tuple(range(len(variable.sizes)))
        return cls(name, order, frozenset({source}), integer, variable.sizes)

    @classmethod
    def along(cls, name: str, symbol: Expr, sources: Sources, axes: Sequence[Any] | None = None) -> Self:
        """An array of the record, its dimensions along these axes; by default in the order of its slots."""
        slots = places_of(symbol)
        return cls(name, tuple(map(slots.index, slots if axes is None else axes)), sources)

    def in_part(self, slot: int, size: Expr) -> bool:
        """Whether an index of that size runs over a part of a slot, as t does in y[t] beside y[t + 1]."""
        return slot < len(self.sizes) and expand(self.sizes[slot] - size).is_nonzero is True


class Reader(Protocol):
    """What is needed of the lowering of expressions."""

    layouts: Mapping[str, Layout]
    sizes: dict[Symbol, Expr]
    tables: frozenset[str]

    @property
    def rank(self) -> Callable[[Symbol], Any]:
        """The order of axes."""

    def __call__(self, expr: Any) -> Node:
        """An expression as a node."""

    def size(self, index: Symbol) -> Node:
        """The size of an index."""

    def number(self, expr: Expr) -> Node:
        """A number."""


def load(lower: Reader, layout: Layout, places: tuple[Symbol, ...]) -> Load:
    """The whole array, along indices that stand in its slots."""
    stored = tuple(places[slot] for slot in layout.order)
    return Load(tuple(sorted(stored, key=lower.rank)), layout.name, stored, layout.sources, layout.integer)


def entry(lower: Reader, expr: Indexed) -> Node:
    """An entry: the whole array where indices run along its slots, else what is taken at the places that are computed."""
    layout = lower.layouts[name_of(expr)]
    places = tuple(expr.indices)
    part = {p for slot, p in enumerate(places) if p in lower.sizes and layout.in_part(slot, lower.sizes[p])}
    if all(place in lower.sizes for place in places) and not part:
        apart = len(set(places)) == len(places)
        return load(lower, layout, places) if apart else _diagonal(lower, layout, places)
    base = Load((), layout.name, (), layout.sources, layout.integer)
    computed = [place for place in places if place not in lower.sizes or place in part]
    busy = [symbol for place in computed for symbol in place.free_symbols]
    stored = tuple(_place(lower, places[slot], [*busy, *places]) for slot in layout.order)
    names = [place for place in stored if isinstance(place, Symbol)]
    inner = union(lower.rank, [place for place in stored if isinstance(place, Node)])
    axes = tuple(sorted({*names, *inner}, key=lower.rank))
    return Take(axes, base, stored)


def _diagonal(lower: Reader, layout: Layout, places: tuple[Symbol, ...]) -> Node:
    """An array in which one index runs along two slots."""
    twice = next(place for place in places if places.count(place) > 1)
    second = Symbol(f"{twice}_again")
    last = len(places) - 1 - places[::-1].index(twice)
    found = load(lower, layout, (*places[:last], second, *places[last + 1 :]))
    return DiagonalOf(without(found.axes, (second,)), found, twice, second)


def _place(lower: Reader, place: Expr, busy: list[Expr]) -> Symbol | Node:
    """An index that runs along this slot alone is a slice; anything else is computed."""
    return place if place in lower.sizes and busy.count(place) == 1 else lower(place)
