"""Reading what a user wrote: ranges, slots and names become internal symbols.

Outside, an index may run from 0 or from 1, and symbols carry whatever assumptions they were born with.
Inside, every index runs from 0 to size - 1, and every symbol carries the assumptions of its support.
`survey` finds out which names occur in which slots over which ranges; `Reader` rewrites.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import And, Basic, Eq, Expr, Ge, Idx, Indexed, IndexedBase, KroneckerDelta, Le, Product, Sum, Symbol, sympify
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from symem.errors import ModelError, NameClashError, PlateError, UndeclaredSymbolError
from symem.language.plates import Axis, Iverson, index_symbol

Environment = Mapping[Basic, "Range"]


@dataclass(frozen=True)
class Range:
    """What an index runs over, ends included, in the user's symbols."""

    lower: Expr
    upper: Expr

    @property
    def size(self) -> Expr:
        return self.upper - self.lower + 1


@dataclass(frozen=True)
class Extent:
    """A size that data show: the largest of `value` over `axes`."""

    symbol: Symbol
    value: Expr
    axes: tuple[Axis, ...]


@dataclass
class Slot:
    """One index position of an array: the range that stands in it, or the label."""

    range: Range | None = None
    labels: list[Expr] = field(default_factory=list)
    literals: list[int] = field(default_factory=list)


def base_name(symbol: Any) -> str:
    """The name a user gave to a symbol, an array or an entry of one."""
    if isinstance(symbol, Indexed):
        return base_name(symbol.base)
    if isinstance(symbol, IndexedBase):
        return str(symbol.label)
    if isinstance(symbol, Idx):
        return str(symbol.label)
    if isinstance(symbol, Symbol):
        return str(symbol.name)
    raise ModelError(f"{symbol!r} is not a symbol: name a Symbol, an IndexedBase or an entry such as x[i].")


def check_name(name: str) -> None:
    """Refuse a name that cannot be an identifier of the emitted module."""
    if not (name.isidentifier() and name.isascii()) or keyword.iskeyword(name):
        raise NameClashError(
            f"The name {name!r} cannot stand in a Python module: rename the symbol to letters, digits and "
            f"underscores that are no Python keyword (for λ write 'lam')."
        )


def own_range(index: Idx) -> Range:
    """The range that an `Idx` carries."""
    if index.lower is None or index.upper is None:
        raise PlateError(f"The index {index.label} has no range: write Idx({str(index.label)!r}, n).")
    return Range(index.lower, index.upper)


def limit_ranges(expr: Expr, env: Environment) -> list[tuple[Basic, Range]]:
    """The limits of a `Sum` or `Product`, outermost first."""
    found = []
    for index, *ends in reversed(expr.limits):
        if len(ends) == 2:
            found.append((index, Range(*ends)))
        elif isinstance(index, Idx):
            found.append((index, own_range(index)))
        else:
            raise PlateError(f"The index {index} of {expr} has no range: write Sum(…, ({index}, 1, n)).")
    return found


def index_atoms(place: Basic) -> set[Basic]:
    """The indices and symbols of a slot; the range of an `Idx` is no part of it."""
    if isinstance(place, (Idx, Symbol)):
        return {place}
    return {atom for argument in place.args for atom in index_atoms(argument)}


def split_index(place: Expr, env: Environment) -> tuple[Basic, Expr] | None:
    """(index, offset) if a slot holds an index in scope plus a number, else None (a label or a literal)."""
    indices = [atom for atom in index_atoms(place) if atom in env]
    if len(indices) == 1 and (place - indices[0]).is_Integer:
        return indices[0], place - indices[0]
    return None


def atoms_in_scope(expr: Any, env: Environment) -> Iterator[tuple[Expr, Environment]]:
    """Every `Indexed`, `Symbol` and `Idx` of an expression with the indices that are in scope there."""
    if isinstance(expr, (Sum, Product)):
        inner = dict(env)
        for index, span in limit_ranges(expr, env):
            for end in (span.lower, span.upper):
                yield from atoms_in_scope(end, inner)
            inner[index] = span
        yield from atoms_in_scope(expr.function, inner)
    elif isinstance(expr, Indexed):
        yield expr, env
        for place in expr.indices:
            yield from atoms_in_scope(place, env)
    elif isinstance(expr, (Idx, Symbol)):
        yield expr, env
    else:
        for argument in getattr(expr, "args", ()):
            yield from atoms_in_scope(argument, env)


@dataclass
class Survey:
    """Which names occur, in which slots, over which ranges."""

    slots: dict[str, list[Slot]] = field(default_factory=dict)
    declared: dict[str, Any] = field(default_factory=dict)
    indices: dict[str, tuple[Idx, Range]] = field(default_factory=dict)
    size_names: set[str] = field(default_factory=set)

    def take(self, expr: Expr, env: Environment) -> None:
        for atom, scope in atoms_in_scope(expr, env):
            if isinstance(atom, Indexed):
                self._take_array(atom, scope)
            elif atom in scope:
                self._take_range(scope[atom], scope)
            elif isinstance(atom, Idx):
                raise PlateError(
                    f"The index {atom.label} is free in {expr}: sum over it, or give it to the variable on the left."
                )
            else:
                self._take_name(str(atom.name), atom, 0)

    def take_size(self, size: Expr) -> None:
        """The symbols of a size that only a label's range shows."""
        for atom in size.free_symbols:
            self.size_names.add(str(atom.name))
            self._take_name(str(atom.name), atom, 0)

    def _take_range(self, span: Range, scope: Environment) -> None:
        for end in (span.lower, span.upper):
            for atom in end.atoms(Symbol):
                if atom not in scope and not isinstance(atom, Idx) and not self._inside_array(end, atom):
                    self.size_names.add(str(atom.name))
                    self._take_name(str(atom.name), atom, 0)

    @staticmethod
    def _inside_array(end: Expr, atom: Symbol) -> bool:
        return any(atom == entry.base.label or atom in entry.free_symbols for entry in end.atoms(Indexed))

    def _take_name(self, name: str, symbol: Any, arity: int) -> None:
        known = self.declared.setdefault(name, symbol)
        if known != symbol:
            raise NameClashError(
                f"Two different symbols are called {name!r}: they print alike, so rename one of them "
                f"(symbols of one name with different assumptions are different symbols)."
            )
        slots = self.slots.setdefault(name, [Slot() for _ in range(arity)])
        if len(slots) != arity:
            raise PlateError(f"{name} stands with {len(slots)} indices in one place and {arity} in another.")

    def _take_array(self, atom: Indexed, scope: Environment) -> None:
        name = base_name(atom)
        self._take_name(name, atom.base, len(atom.indices))
        for slot, place in zip(self.slots[name], atom.indices, strict=True):
            self._take_place(name, slot, place, scope)

    def _take_place(self, name: str, slot: Slot, place: Expr, scope: Environment) -> None:
        found = split_index(place, scope)
        if found:
            self._take_range(scope[found[0]], scope)
            slot.range = self._joined(name, slot.range, self._base_range(scope[found[0]], scope))
        elif place.is_Integer:
            slot.literals.append(int(place))
        else:
            slot.labels.append(place)

    def _base_range(self, span: Range, scope: Environment) -> Range:
        """The widest range, where an end depends on another index."""
        lower = span.lower.subs({index: scope[index].lower for index in span.lower.free_symbols if index in scope})
        inner = [i for i in span.upper.free_symbols if i in scope and not span.upper.atoms(Indexed)]
        upper = span.upper.subs({index: scope[index].upper for index in inner})
        if any(index in scope for index in span.lower.free_symbols):
            lower = min(lower, *(scope[i].lower for i in span.lower.free_symbols if i in scope), key=_order)
        return Range(lower, upper)

    @staticmethod
    def _joined(name: str, seen: Range | None, new: Range) -> Range:
        if seen is None or seen == new:
            return new
        if seen.lower.is_Integer and new.lower.is_Integer and (seen.upper - new.upper).is_Integer:
            return Range(min(seen.lower, new.lower), max(seen.upper, new.upper, key=lambda e: _order(e - new.upper)))
        raise PlateError(
            f"Two ranges meet in one slot of {name}: {seen.lower}..{seen.upper} and {new.lower}..{new.upper}. "
            f"Use one size for both, or two arrays."
        )


def _order(value: Expr) -> float:
    return float(value) if value.is_number else 0.0


@dataclass(frozen=True)
class Shape:
    """The internal size and the origin of every slot of one array."""

    sizes: tuple[Expr, ...]
    origins: tuple[int, ...]


@dataclass
class Reader:
    """Rewrites a user's expression in internal symbols.

    `symbols` maps names to internal symbols, `shapes` to slots, `label_origins` to what labels count from.
    """

    symbols: dict[str, Any]
    shapes: dict[str, Shape]
    label_origins: dict[str, int]
    extents: dict[Expr, Extent]
    spans: dict[str, tuple[Range, Symbol]] = field(default_factory=dict)
    user_indices: dict[Symbol, tuple[Basic, Expr]] = field(default_factory=dict)
    open_axes: dict[Symbol, Axis] = field(default_factory=dict)

    def read(self, expr: Any, env: Mapping[Basic, Expr] | None = None) -> Any:
        return self._read(sympify(expr), dict(env or {}))

    def _read(self, expr: Any, env: dict[Basic, Expr]) -> Any:
        if expr in env:
            return env[expr]
        if isinstance(expr, (Sum, Product)):
            return self._read_sum(expr, env)
        if isinstance(expr, Indexed):
            return self._read_array(expr, env)
        if isinstance(expr, Idx):
            raise PlateError(f"The index {expr.label} is free: sum over it, or give it to the variable on the left.")
        if isinstance(expr, Symbol):
            return self._read_symbol(expr)
        if isinstance(expr, KroneckerDelta):
            return Iverson(Eq(*(self._read(argument, env) for argument in expr.args)))
        if not expr.args:
            return expr
        if not isinstance(expr, (Expr, Boolean, Relational)):
            raise ModelError(f"{expr} of type {type(expr).__name__} cannot stand in a scalar log-likelihood.")
        return expr.func(*(self._read(argument, env) for argument in expr.args))

    def _read_symbol(self, symbol: Symbol) -> Expr:
        name = str(symbol.name)
        if name not in self.symbols:
            raise UndeclaredSymbolError(f"The symbol {name} is not declared: name its role.")
        return self.symbols[name] + self.label_origins.get(name, 0)

    def _read_array(self, expr: Indexed, env: dict[Basic, Expr]) -> Expr:
        return self._entry(expr, env) + self.label_origins.get(base_name(expr), 0)

    def _entry(self, expr: Indexed, env: dict[Basic, Expr]) -> Expr:
        name = base_name(expr)
        origins = self.shapes[name].origins
        places = [self._place(place, origin, env) for place, origin in zip(expr.indices, origins, strict=True)]
        return self.symbols[name][tuple(places)]

    def _place(self, place: Expr, origin: int, env: dict[Basic, Expr]) -> Expr:
        label = isinstance(place, Indexed) or (isinstance(place, Symbol) and place not in env)
        if label and not isinstance(place, Idx):
            return self._entry(place, env) if isinstance(place, Indexed) else self.symbols[str(place.name)]
        return self._read(place, env) - origin

    def axis(self, index: Basic, span: Range, env: dict[Basic, Expr]) -> tuple[Axis, Expr, list[Any]]:
        """(internal axis, what the index equals, conditions that a dependent range leaves)."""
        low, high = self._read(span.lower, env), self._read(span.upper, env)
        outer = {symbol for value in env.values() for symbol in value.free_symbols}
        symbol = self._index(index, span)
        origin = low.subs({s: 0 for s in low.free_symbols & outer})
        if low.free_symbols & outer:
            origin = min((env[i] - s for i in env for s in env[i].free_symbols if s in low.free_symbols), key=_order)
        size, conditions = high - origin + 1, []
        if origin != low:
            conditions.append(Ge(symbol + origin, low))
        if size.free_symbols & outer:
            conditions.append(Le(symbol + origin, high))
            size = self._extent(size)
        return Axis(symbol, size), symbol + origin, conditions

    def _extent(self, size: Expr) -> Expr:
        """The largest value of a size that depends on outer indices."""
        axes = {s: self.open_axes[s] for s in sorted(size.free_symbols, key=str) if s in self.open_axes}
        if not size.atoms(Indexed):
            return size.subs({s: axis.size - 1 for s, axis in axes.items()})
        symbol = extent_symbol(size)
        self.extents.setdefault(symbol, Extent(symbol, size, tuple(axes.values())))
        return symbol

    def _index(self, index: Basic, span: Range) -> Symbol:
        name = base_name(index)
        check_name(name)
        labels = (name, *(f"{name}_{count}" for count in range(2, 99)))
        label = next(each for each in labels if each not in self.spans or self.spans[each][0] == span)
        symbol = index_symbol(label)
        self.spans[label] = (span, symbol)
        if span.lower.is_Integer:
            self.user_indices[symbol] = (index, span.lower)
        return symbol

    def _read_sum(self, expr: Expr, env: dict[Basic, Expr]) -> Expr:
        inner, axes, conditions = dict(env), [], []
        for index, span in limit_ranges(expr, {}):
            axis, value, extra = self.axis(index, span, inner)
            inner[index] = value
            self.open_axes[axis.index] = axis
            axes.append(axis)
            conditions += extra
        body = self._read(expr.function, inner)
        if conditions:
            body = body ** Iverson(And(*conditions)) if isinstance(expr, Product) else body * Iverson(And(*conditions))
        limits = [axis.limits for axis in reversed(axes)]
        return Product(body, *limits) if isinstance(expr, Product) else Sum(body, *limits)


def extent_symbol(size: Expr) -> Symbol:
    """The name of the largest value of a size that arrays hold."""
    names = sorted({base_name(entry) for entry in size.atoms(Indexed)})
    return Symbol("max_" + "_".join(names), integer=True, positive=True)


__all__ = ["Extent", "Range", "Reader", "Shape", "Slot", "Survey", "base_name", "check_name"]
