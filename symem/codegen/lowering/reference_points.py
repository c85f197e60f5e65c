"""Functions of data measured from a point near most of their values, in which squares keep their digits.

The point is a median of the data, so that one wild row does not move it. A square (f - μ)² becomes (u + (c - μ))² with
u = f - c: multiplied out, nothing in it is larger than it must be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sympy import Dummy, Expr, Function, Indexed, IndexedBase, Pow, Symbol

from symem.codegen.ir.nodes import Load, Node
from symem.language.leaves import name_of


@dataclass(frozen=True)
class Reference:
    """`about` := function - point for every row of data.

    `letter` is the function with its array's name in the place of the entry, `datum` that name.
    """

    letter: Expr
    datum: str
    function: Node
    point: Load
    about: Load


@dataclass(frozen=True)
class Points:
    """The references of a program, as rewriting rules; `rows` are the indices that run along rows."""

    references: tuple[Reference, ...] = ()
    rows: frozenset[Symbol] = frozenset()

    def centred(self, value: Expr) -> Expr:
        """The value in u + c for every function f of data."""
        return self._replaced(value, {each: u + c for each, u, c in self._found(value)})

    def about(self, value: Expr) -> Expr:
        """The value in u, as if the points were 0."""
        return self._replaced(value, {each: u for each, u, _ in self._found(value)})

    def point(self, function: Expr) -> Expr | None:
        """The point of a function of data, None if it has none."""
        return next((c for each, _, c in self._found(function) if each == function), None)

    def _replaced(self, value: Expr, table: Mapping[Expr, Expr]) -> Expr:
        """A reciprocal is no difference from a point, and keeps its digits as it is."""
        reciprocals = [each for each in value.atoms(Pow) if each.exp.is_negative and each.base in table]
        kept = {each: Dummy() for each in reciprocals}
        return value.xreplace(kept).xreplace(table).xreplace({new: old for old, new in kept.items()})

    def _found(self, value: Expr) -> Iterator[tuple[Expr, Expr, Expr]]:
        """(f, u, c) for every function that has a point."""
        table = {each.letter: each for each in self.references}
        for each in value.atoms(Indexed, Function):
            reference = table.get(letter_of(each)) if len(each.atoms(Indexed)) == 1 else None
            if reference is not None:
                (atom,) = each.atoms(Indexed)
                places = tuple(index for index in atom.indices if index not in self.rows)
                u = IndexedBase(reference.about.name, real=True)[atom.indices]
                name = reference.point.name
                yield each, u, IndexedBase(name, real=True)[places] if places else Symbol(name, real=True)


def letter_of(function: Expr) -> Expr:
    """A function of one array's entry, with the array's name in its place."""
    (atom,) = function.atoms(Indexed)
    return function.xreplace({atom: Symbol(name_of(atom))})
