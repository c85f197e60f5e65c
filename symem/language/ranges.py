"""What indices run over, in the user's symbols, and which of them are in scope where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Expr, Idx, Indexed, Product, S, Sum, Symbol, oo

from symem.errors import PlateError
from symem.language.matrices import ENTRY, Diagonal


@dataclass(frozen=True)
class Range:
    """What an index runs over, ends included, in the user's symbols."""

    lower: Expr
    upper: Expr

    @property
    def size(self) -> Expr:
        return self.upper - self.lower + 1


Environment = Mapping[Basic, Range]


def own_range(index: Idx) -> Range:
    """The range that an `Idx` carries.

    Raises:
        PlateError: it carries none, or an empty one.
    """
    if index.lower is None or index.upper is None:
        raise PlateError(f"The index {index.label} has no range: write Idx({str(index.label)!r}, n).")
    return checked(index, Range(index.lower, index.upper))


def checked(index: Basic, span: Range) -> Range:
    """A range that is finite and may hold a value.

    Raises:
        PlateError: an end is infinite, or no value lies between the ends.
    """
    if span.lower.has(oo, -oo) or span.upper.has(oo, -oo):
        raise PlateError(
            f"The index {index} runs from {span.lower} to {span.upper}: a plate must end, at n, say."
        )
    if span.size.is_number and span.size.is_positive is False:
        raise PlateError(f"The index {index} runs from {span.lower} to {span.upper}, over no value at all.")
    return span


def limit_ranges(expr: Expr) -> list[tuple[Basic, Range]]:
    """The limits of a `Sum` or `Product`, outermost first.

    Raises:
        PlateError: an index has no range.
    """
    found = []
    for index, *ends in reversed(expr.limits):
        if len(ends) == 2:
            found.append((index, checked(index, Range(*ends))))
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


def free_indices(expr: Expr, own: tuple[Idx, ...] = ()) -> tuple[Idx, ...]:
    """The indices of an expression that neither `own` nor a `Sum` inside binds, the innermost first."""
    bound = {limit[0] for inner in expr.atoms(Sum, Product) for limit in inner.limits}
    return tuple(sorted(expr.atoms(Idx) - set(own) - bound, key=lambda index: (-_depth(index), str(index))))


def _depth(index: Idx) -> int:
    """How many indices the range of an index hangs on, one on the other: those come further out."""
    ends = (end for end in (index.lower, index.upper) if end is not None)
    return max((1 + _depth(outer) for end in ends for outer in end.atoms(Idx)), default=0)


def atoms_in_scope(expr: Any, env: Environment) -> Iterator[tuple[Expr, Environment]]:
    """Every `Indexed`, `Symbol` and `Idx` of an expression with the indices that are in scope there."""
    if isinstance(expr, (Sum, Product)):
        inner = dict(env)
        for index, span in limit_ranges(expr):
            for end in (span.lower, span.upper):
                yield from atoms_in_scope(end, inner)
            inner[index] = span
        yield from atoms_in_scope(expr.function, inner)
    elif isinstance(expr, Diagonal):
        entry, size = expr.args
        yield from atoms_in_scope(size, env)
        yield from atoms_in_scope(entry, {**env, ENTRY: Range(S.Zero, size - 1)})
    elif isinstance(expr, Indexed):
        yield expr, env
        for place in expr.indices:
            yield from atoms_in_scope(place, env)
    elif isinstance(expr, (Idx, Symbol)):
        yield expr, env
    else:
        for argument in getattr(expr, "args", ()):
            yield from atoms_in_scope(argument, env)
