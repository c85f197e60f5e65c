"""Formulas of a derivation in the user's symbols, with every name that the derivation brought in written out."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sympy import (
    Add,
    Basic,
    Expr,
    Idx,
    Indexed,
    IndexedBase,
    Integer,
    MatrixSymbol,
    Piecewise,
    Sum,
    Symbol,
    preorder_traversal,
)

from symem.algebra.exponential import readable
from symem.derivation import Definition, Derivation, defined_by
from symem.language.leaves import IndexedMatrixEntry, array_of, places_of
from symem.language.operators import sized
from symem.language.plates import rebind, reindex


class Explicit:
    """Writes expressions in data and θ⁽ᵗ⁾: of the user's by a call, of the derivation's own by `internal`."""

    def __init__(self, derivation: Derivation) -> None:
        self._derivation = derivation
        self._shown_definitions: dict[Any, tuple[Any, Any]] = {}

    def __call__(self, expr: Any) -> Any:
        """An expression in the user's symbols, statistics and posterior means written out."""
        return readable(self._written_out(expr, inside=False))

    def internal(self, expr: Any) -> Any:
        """The same of an expression in internal symbols."""
        return readable(self.user(self._written_out(expr, inside=True)))

    def user(self, expr: Any) -> Any:
        """An internal expression in the user's symbols, as it stands."""
        return self._derivation.model.declared(expr) if isinstance(expr, Expr) else expr

    @cached_property
    def _definitions(self) -> dict[Any, Definition]:
        """By their internal names, and by the user's; what recurs along a chain keeps its name."""
        beside = (each for update in self._derivation.updates for each in defined_by(update)[:-1])
        named = (*self._derivation.definitions, *self._derivation.surrogate.statistics, *beside)
        listed = [each for each in named if each.recurrence is None]
        inside = {array_of(d.symbol): d for d in listed}
        return inside | {array_of(shown): d for d in listed for shown in [self.user(d.symbol)]}

    @cached_property
    def _has_cases(self) -> bool:
        """Whether a definition is told by the values of a label."""
        return any(
            each.has(axis.index)
            for definition in self._definitions.values()
            for each in definition.value.atoms(Piecewise)
            for axis in definition.axes
        )

    def _written_out(self, expr: Any, *, inside: bool) -> Any:
        """Replace every name the derivation brought in, innermost last."""
        while held := {
            a: None for a in preorder_traversal(expr) if array_of(a) in self._definitions and _is_entry(a)
        }:
            taken = set(expr.atoms(Symbol, Idx))
            expr = expr.xreplace({atom: self._value_at(atom, taken, inside=inside) for atom in held})
        return expr

    def _value_at(self, atom: Any, taken: set[Any], *, inside: bool) -> Any:
        """The definition of an entry at its indices, its sums over indices that nothing around it uses."""
        definition = self._definitions[array_of(atom)]
        own, value = (definition.symbol, definition.value) if inside else self._shown(definition)
        value = _by_label(value) if self._has_cases else value
        places = places_of(atom)
        held = {symbol for place in places for symbol in place.free_symbols}
        moved = dict(zip(places_of(own), places, strict=True))
        return reindex(rebind(value, taken | held), moved)

    def _shown(self, definition: Definition) -> tuple[Any, Any]:
        """A definition in the user's symbols."""
        if definition.symbol not in self._shown_definitions:
            own = self.user(definition.symbol)
            self._shown_definitions[definition.symbol] = own, sized(self.user(definition.value), own)
        return self._shown_definitions[definition.symbol]


def _is_entry(atom: Any) -> bool:
    return isinstance(atom, (Indexed, IndexedMatrixEntry, MatrixSymbol)) or (
        isinstance(atom, Symbol) and not isinstance(atom, IndexedBase)
    )


def _by_label(value: Any) -> Any:
    """Sums over finitely many labels written out, for SymPy lifts cases by a summed index out of their sum."""
    return value.replace(Sum, _added) if isinstance(value, Basic) else value


def _added(function: Any, *limits: Any) -> Any:
    (index, low, high), *others = limits
    if others or not (low == 0 and high.is_Integer):
        return Sum(function, *limits)
    return Add(*(function.xreplace({index: Integer(place)}) for place in range(int(high) + 1)))
