"""Partial evaluation: a SymPy expression with the data put in, as a tree over what stays unknown.

`Specialiser` writes out the `Sum`s of an expression position by position, replaces data by numbers and folds what is
then constant. What is left are `Atom`s (one entry of a latent array), `Entry`s of parameter arrays, and functions of
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import Basic, Expr, Product, Sum

from symem.errors import UnknownSymbolError
from symem.evaluation.rules import Algebra, Bindings
from symem.evaluation.scalar_functions import Head
from symem.evaluation.stacks import as_matrix, pick
from symem.evaluation.trees import (
    ONE,
    Atom,
    Constant,
    Entry,
    Node,
    applied,
    as_number,
    product_of,
    sum_of,
    walk,
)
from symem.language.matrices import is_matrix


@dataclass(frozen=True)
class Unseen:
    """The shape of a latent vector or matrix, and the names of the data and the mask of its seen entries."""

    shape: tuple[Any, ...]
    data: str = ""
    mask: str = ""


@dataclass(frozen=True)
class Specialiser(Algebra[Node]):
    """Puts numbers into expressions.

    Attributes:
    ----------
    arrays:
        Name -> number or array: data, sizes, and whatever else is known.
    parameters, latents:
        Names that stay unknown, as `Entry` and as `Atom`.
    vectors:
        Of latents that are vectors or matrices, what `Unseen` says.
    """

    arrays: Mapping[str, Any]
    parameters: frozenset[str] = frozenset()
    latents: frozenset[str] = frozenset()
    vectors: Mapping[str, Unseen] = field(default_factory=dict)
    #: Of latents that are shares of a whole, how many there are.
    shares: Mapping[str, Any] = field(default_factory=dict)

    def number(self, expression: Basic, bindings: Bindings | None = None) -> float:
        """The value of an expression in which everything is known."""
        node = self(expression, bindings)
        if not isinstance(node, Constant):
            raise UnknownSymbolError(f"{expression} depends on {[str(each) for each in walk(node)][-1]}.")
        return float(node.value)

    def integer(self, expression: Basic, bindings: Bindings | None = None) -> int:
        return round(self.number(expression, bindings))

    def positions(self, limits: Iterable[Any], bindings: Bindings) -> Iterator[Bindings]:
        """All positions of the indices of a `Sum`; SymPy's last limit is the outermost."""
        *inner, outer = limits
        index, low, high = outer
        for position in range(self.integer(low, bindings), self.integer(high, bindings) + 1):
            here = {**bindings, index: position}
            if inner:
                yield from self.positions(inner, here)
            else:
                yield here

    # -- the algebra -----------------------------------------------------------------------------------

    def constant(self, value: Any) -> Node:
        return Constant(value)

    def entry(self, name: str, places: tuple[Node, ...]) -> Node:
        if name not in self.latents:
            return self._known(name, places, matrix=False)
        if not _are_fixed(places):
            raise UnknownSymbolError(f"Latent {name} is indexed by another latent.")
        index = tuple(int(each.value) for each in places)  # type: ignore[union-attr]
        return self._share(name, *index) if name in self.shares else Atom(name, index)

    def _share(self, name: str, *index: int) -> Node:
        """A share as a function of numbers w in (0, 1), uniform where it is: (1 - s_k) Π s_l over l < k, s_l = w_l^(1/(K - 1 - l)).

        (Breaking a stick: Devroye 1986, section XI.4.)
        """
        *row, cell = index
        last = self.integer(self.shares[name]) - 1
        left = [
            self.apply("Pow", Atom(name, (*row, each)), Constant(1 / (last - each)))
            for each in range(min(cell + 1, last))
        ]
        own = [sum_of([ONE, product_of([Constant(-1), left.pop()])])] if cell < last else []
        return product_of([*own, *left])

    def letter(self, name: str, places: tuple[Node, ...]) -> Node:
        """One matrix of a named array; of a latent, made of its entries."""
        return (
            self._assembled(name, places) if name in self.vectors else self._known(name, places, matrix=True)
        )

    def _known(self, name: str, places: tuple[Node, ...], *, matrix: bool) -> Node:
        if name in self.parameters or (name in self.arrays and not _are_fixed(places)):
            return Entry(name, places, matrix)
        if name not in self.arrays:
            raise UnknownSymbolError(f"No value for {name}.")
        found = pick(self.arrays[name], tuple(each.value for each in places))  # type: ignore[union-attr]
        return Constant(as_matrix(found, 0) if matrix else as_number(found))

    def _assembled(self, name: str, places: tuple[Node, ...]) -> Node:
        rows, *columns = (range(self.integer(size)) for size in self.vectors[name].shape)
        ways = [(Constant(b),) for b in columns[0]] if columns else [()]
        made = [
            self.apply("Column", *(self._cell(name, (*places, Constant(a), *way)) for a in rows))
            for way in ways
        ]
        return self.apply("Beside", *made) if columns else made[0]

    def _cell(self, name: str, places: tuple[Node, ...]) -> Node:
        """An entry of a latent vector, or the datum where it was seen."""
        seen = self.vectors[name]
        if seen.mask and self.entry(seen.mask, places) == ONE:
            return self.entry(seen.data, places)
        return self.entry(name, places)

    def apply(self, head: Head, *arguments: Node) -> Node:
        return applied(head, arguments)

    def repeated(self, expression: Sum | Product, bindings: Bindings) -> Node:
        parts = (self(expression.function, here) for here in self.positions(expression.limits, bindings))
        if is_matrix(expression):
            return self.apply("MatrixSum", *parts)
        return product_of(parts) if isinstance(expression, Product) else sum_of(parts)

    def log_sum_exp(self, exponent: Expr, limits: Any, bindings: Bindings) -> Node:
        """In one piece, so that it neither overflows nor vanishes."""
        parts = [self(exponent, here) for here in self.positions(limits, bindings)]
        return self.apply("LogAddExp", *parts) if parts else super().log_sum_exp(exponent, limits, bindings)


def _are_fixed(places: tuple[Node, ...]) -> bool:
    return all(isinstance(each, Constant) for each in places)
