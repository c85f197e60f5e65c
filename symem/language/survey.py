"""The survey of a model: which names occur, in which slots of which arrays, over which ranges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sympy import Basic, Expr, Idx, Indexed, S, Symbol

from symem.errors import NameClashError, PlateError, ShapeError
from symem.language.matrices import ENTRY, MatrixArray, MatrixEntry
from symem.language.ranges import Environment, Range, atoms_in_scope, split_index
from symem.language.symbol_names import stated_name
from symem.language.transcription import dimensions, entries_on_diagonals, stated_array, transcribed


@dataclass
class Slot:
    """One index position of an array: the range that stands in it, the labels, the numbers, numbers in terms of sizes as
    T - 1, the offsets i + c.
    """

    range: Range | None = None
    labels: list[Expr] = field(default_factory=list)
    literals: list[int] = field(default_factory=list)
    ends: list[Expr] = field(default_factory=list)
    offsets: dict[Expr, Expr] = field(default_factory=dict)

    @property
    def shifted(self) -> bool:
        """Whether an index stands here with a number added, as t - 1 does."""
        return any(offset != 0 for offset in self.offsets)


@dataclass
class Survey:
    """Which names occur, in which slots, over which ranges.

    Args:
        slots: name -> one `Slot` for each index; empty for a scalar.
        declared: name -> the symbol that the user wrote.
        indices: name -> the `Idx` of the declarations and its range.
        size_names: the symbols that bound a range.
        bounding: the arrays of which an entry does, T[j].
        index_names: the indices that occur.
        on_diagonals: the vectors that stand inside diag(…).
        diagonals: the vectors that stand inside diag(…) -> how long they are.
    """

    slots: dict[str, list[Slot]] = field(default_factory=dict)
    declared: dict[str, Any] = field(default_factory=dict)
    indices: dict[str, tuple[Idx, Range]] = field(default_factory=dict)
    size_names: set[str] = field(default_factory=set)
    bounding: set[str] = field(default_factory=set)
    index_names: set[str] = field(default_factory=set)
    on_diagonals: set[str] = field(default_factory=set)
    diagonals: dict[str, Expr] = field(default_factory=dict)

    def take(self, expr: Expr, env: Environment) -> None:
        """Take note of every symbol of an expression.

        Raises:
            PlateError: an index is free, or two ranges meet in one slot.
            NameClashError: two different symbols have one name.
        """
        for atom, scope in atoms_in_scope(entries_on_diagonals(transcribed(expr), self.on_diagonals), env):
            if isinstance(atom, Indexed):
                self._take_array(atom, scope)
            elif atom in scope:
                self._take_index(atom, scope)
            elif isinstance(atom, Idx):
                raise PlateError(
                    f"The index {atom.label} is free in {expr}: sum over it, or give it to the variable on the left."
                )
            else:
                self._take_name(str(atom.name), atom, 0)

    def stated(self, name: str, otherwise: Any) -> Any:
        """What the user wrote of that name: an array, a scalar, vectors or matrices."""
        found = self.declared.get(name, otherwise)
        slots = self.slots.get(name, [])
        if isinstance(found, MatrixArray):
            return stated_array(str(found.label), found.dimensions, plated=bool(slots))
        if name in self.diagonals:
            return stated_array(name, (self.diagonals[name], S.One), plated=len(slots) > 1)
        return found

    def take_size(self, size: Expr) -> None:
        """The symbols of a size that only a label's range shows."""
        for atom in size.free_symbols:
            self.size_names.add(str(atom.name))
            self._take_name(str(atom.name), atom, 0)

    def part_ends(self) -> None:
        """Places such as T - 1 are no labels, once it is known what a size is."""
        sizes = self.size_names | self.bounding
        for slot in (slot for slots in self.slots.values() for slot in slots):
            ends = [place for place in slot.labels if _names_outside(place) <= sizes]
            slot.ends += ends
            slot.labels = [place for place in slot.labels if place not in ends]

    def check_indices(self) -> None:
        """No index is called as a variable is.

        Raises:
            NameClashError: one is.
        """
        for name in sorted(self.index_names & set(self.slots)):
            raise NameClashError(f"{name!r} names both an index and a symbol: rename one of them.")

    def _take_index(self, index: Basic, scope: Environment) -> None:
        self.index_names.add(stated_name(index))
        ends = scope[index].lower.atoms(Indexed) | scope[index].upper.atoms(Indexed)
        self.bounding |= {stated_name(entry) for entry in ends}
        for atom in _bare_symbols(scope[index].lower) | _bare_symbols(scope[index].upper):
            if atom not in scope:
                self.size_names.add(str(atom.name))
                self._take_name(str(atom.name), atom, 0)

    def _take_name(self, name: str, symbol: Any, arity: int) -> None:
        known = self.declared.setdefault(name, symbol)
        if known != symbol:
            check_dimensions(name, known, symbol)
            raise NameClashError(
                f"Two different symbols are called {name!r}: they print alike, so rename one of them "
                f"(symbols of one name with different assumptions are different symbols)."
            )
        slots = self.slots.setdefault(name, [Slot() for _ in range(arity)])
        if len(slots) != arity:
            raise PlateError(f"{name} stands with {len(slots)} indices in one place and {arity} in another.")

    def _take_array(self, atom: Indexed, scope: Environment) -> None:
        name = stated_name(atom)
        self._take_name(name, atom.base, len(atom.indices))
        if isinstance(atom, MatrixEntry):
            for dimension in atom.dimensions:
                self.take_size(dimension)
        elif ENTRY in atom.indices:
            self.diagonals[name] = scope[ENTRY].size
        for slot, place in zip(self.slots[name], atom.indices, strict=True):
            self._take_place(name, slot, place, scope)

    def _take_place(self, name: str, slot: Slot, place: Expr, scope: Environment) -> None:
        found = split_index(place, scope)
        if found:
            index, offset = found
            self._take_index(index, scope)
            base = _base_range(scope[index], scope)
            slot.offsets[offset] = place
            moved = Range(base.lower + offset, base.upper + offset)
            slot.range = _joined(name, slot.range, moved, shifted=slot.shifted)
        elif place.is_Integer:
            slot.literals.append(int(place))
        else:
            slot.labels.append(place)


def check_dimensions(name: str, one: Any, other: Any) -> None:
    """A name stands for matrices of one shape, or for numbers.

    Raises:
        ShapeError: it stands for both, or for matrices of two shapes.
    """
    shapes = [dimensions(each.dimensions) for each in (one, other) if isinstance(each, MatrixArray)]
    if len(shapes) == 2 and shapes[0] != shapes[1]:
        raise ShapeError(
            f"{name} stands for {shapes[0]} matrices in one place and for {shapes[1]} ones in another: one name, one shape."
        )
    if len(shapes) == 1:
        raise ShapeError(
            f"{name} stands inside diag(…) or as an array of numbers in one place, and as a {shapes[0]} matrix in another: "
            f"give the entries on a diagonal a name of their own."
        )


def _names_outside(place: Expr) -> set[str]:
    """The symbols and arrays of a slot, but what stands inside the arrays."""
    return {stated_name(each) for each in _bare_symbols(place) | place.atoms(Indexed)}


def _bare_symbols(end: Basic) -> set[Symbol]:
    """The symbols of an end of a range that stand neither in an array nor as an index."""
    if isinstance(end, Symbol):
        return {end}
    if isinstance(end, (Idx, Indexed)):
        return set()
    return {symbol for argument in end.args for symbol in _bare_symbols(argument)}


def _base_range(span: Range, scope: Environment) -> Range:
    """The widest range, where an end depends on another index."""
    lower = span.lower.subs(
        {index: scope[index].lower for index in span.lower.free_symbols if index in scope}
    )
    inner = [index for index in span.upper.free_symbols if index in scope and not span.upper.atoms(Indexed)]
    upper = span.upper.subs({index: scope[index].upper for index in inner})
    outer = [scope[index].lower for index in span.lower.free_symbols if index in scope]
    return Range(min(lower, *outer, key=order) if outer else lower, upper)


def _joined(name: str, seen: Range | None, new: Range, *, shifted: bool) -> Range:
    """The range that holds both: the wider one, or for a shifted index, t - 1, their union.

    Two plain ranges of one size that start apart are two codings of one plate.

    Raises:
        PlateError: neither holds the other.
    """
    if seen is None or seen == new:
        return new
    if seen.lower.is_Integer and new.lower.is_Integer and (seen.upper - new.upper).is_Integer:
        if shifted:
            return Range(
                min(seen.lower, new.lower), max(seen.upper, new.upper, key=lambda e: order(e - new.upper))
            )
        wider, other = (seen, new) if order(seen.upper - new.upper) >= 0 else (new, seen)
        if wider.lower <= other.lower and wider.size != other.size:
            return wider
        if other.upper == wider.upper:
            return other
    raise PlateError(
        f"Two ranges meet in one slot of {name}: {seen.lower}..{seen.upper} and {new.lower}..{new.upper}. "
        f"Use one size for both, or two arrays."
    )


def order(value: Expr) -> float:
    """The place of a number on the line; symbols count as 0."""
    return float(value) if value.is_number else 0.0
