"""Partial evaluation: a SymPy expression with the data put in, as a tree over what stays unknown.

`Specialiser` walks an expression, writes out its `Sum`s position by position, replaces data by numbers and
folds what is then constant. What is left are `Atom`s (one entry of a latent array), `Entry`s of parameter
arrays, and functions of them. When nothing is unknown the tree folds to one number: the same walk is the
evaluator of the formulas of a derivation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sympy import (
    Add,
    And,
    Basic,
    Expr,
    Indexed,
    Integer,
    Mul,
    Number,
    NumberSymbol,
    Or,
    Piecewise,
    Product,
    Sum,
    Symbol,
)
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from symem.language.matrices import is_matrix
from symem.verification.algebra import as_matrix
from symem.verification.functions import FUNCTIONS, ZERO_WINS
from symem.verification.matrix_rules import AMONG_MATRICES, MATRIX_HEADS

Bindings = Mapping[Symbol, int]


class UnknownSymbolError(LookupError):
    """An expression holds a symbol or a function to which nothing gives a value."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number."""

    value: Any


@dataclass(frozen=True, slots=True)
class Atom:
    """One entry of a latent array."""

    name: str
    index: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, a number or a matrix, of a parameter array, or of data at a position that a latent decides."""

    name: str
    index: tuple[Node, ...]
    matrix: bool = False


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of nodes."""

    function: str
    arguments: tuple[Node, ...]


Node = Constant | Atom | Entry | Apply

ZERO, ONE = Constant(0), Constant(1)


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Apply(arguments=arguments):
            return arguments
        case Entry(index=index):
            return index
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def atoms_of(node: Node) -> tuple[Atom, ...]:
    """The latent entries under a node, in order of appearance."""
    return tuple(dict.fromkeys(each for each in walk(node) if isinstance(each, Atom)))


def _folded(function: str, arguments: tuple[Node, ...]) -> Node:
    if all(isinstance(each, Constant) for each in arguments):
        with np.errstate(all="ignore"):
            return Constant(_number(FUNCTIONS[function](*(each.value for each in arguments))))  # type: ignore[union-attr]
    return Apply(function, arguments)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic | np.ndarray) and np.ndim(value) == 0 else value


def sum_of(terms: Iterable[Node]) -> Node:
    """A flat sum whose constants are one."""
    constant, rest = 0, []
    for term in terms:
        for part in term.arguments if isinstance(term, Apply) and term.function == "Add" else (term,):
            if isinstance(part, Constant):
                constant += part.value
            else:
                rest.append(part)
    parts = (*rest, Constant(constant)) if constant != 0 or not rest else tuple(rest)
    return parts[0] if len(parts) == 1 else Apply("Add", parts)


def product_of(factors: Iterable[Node]) -> Node:
    """A product whose constants are one; a constant zero takes the whole product with it."""
    given = tuple(factors)
    constants = tuple(each.value for each in given if isinstance(each, Constant))
    rest = tuple(each for each in given if not isinstance(each, Constant))
    scale = _number(FUNCTIONS[ZERO_WINS](1, *constants))
    if scale == 0 or not rest:
        return Constant(scale)
    parts = rest if scale == 1 else (Constant(scale), *rest)
    return parts[0] if len(parts) == 1 else Apply(ZERO_WINS, parts)


def split_terms(node: Node) -> Iterator[Node]:
    """The terms of a sum, also of a sum that stands under a factor free of latents."""
    if isinstance(node, Apply) and node.function == "Add":
        for part in node.arguments:
            yield from split_terms(part)
    elif isinstance(node, Apply) and node.function == ZERO_WINS:
        yield from _distributed(node)
    else:
        yield node


def _distributed(node: Apply) -> Iterator[Node]:
    busy = [each for each in node.arguments if atoms_of(each)]
    if len(busy) == 1 and isinstance(busy[0], Apply) and busy[0].function == "Add":
        outside = tuple(each for each in node.arguments if each is not busy[0])
        for part in busy[0].arguments:
            yield from split_terms(product_of((*outside, part)))
    else:
        yield node


@dataclass(frozen=True)
class Unseen:
    """The shape of a latent vector or matrix, and the names of the data and the mask of its seen entries."""

    shape: tuple[Any, ...]
    data: str = ""
    mask: str = ""


@dataclass(frozen=True)
class Specialiser:
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

    def __call__(self, expression: Basic, bindings: Bindings | None = None) -> Node:
        return self._node(expression, bindings or {})

    def number(self, expression: Basic, bindings: Bindings | None = None) -> float:
        """The value of an expression in which everything is known."""
        node = self._node(expression, bindings or {})
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

    def _node(self, expression: Basic, bindings: Bindings) -> Node:
        rules = _MATRIX_RULES if is_matrix(expression) else _RULES
        for kind in type(expression).__mro__:
            rule = rules.get(kind)
            if rule is not None:
                return rule(self, expression, bindings)
        raise UnknownSymbolError(f"No value for {expression} of type {type(expression).__name__}.")

    def lookup(self, name: str, index: tuple[Node, ...]) -> Node:
        """An entry of a named array."""
        fixed = all(isinstance(each, Constant) for each in index)
        if name in self.latents:
            if not fixed:
                raise UnknownSymbolError(f"Latent {name} is indexed by another latent.")
            return Atom(name, tuple(int(each.value) for each in index))  # type: ignore[union-attr]
        if name in self.parameters or (name in self.arrays and not fixed):
            return Entry(name, index)
        if name not in self.arrays:
            raise UnknownSymbolError(f"No value for {name}.")
        return Constant(_number(entry(self.arrays[name], tuple(each.value for each in index))))  # type: ignore[union-attr]

    def letter(self, name: str, index: tuple[Node, ...]) -> Node:
        """One matrix of a named array; of a latent, made of its entries."""
        if name in self.vectors:
            return self._assembled(name, index)
        fixed = all(isinstance(each, Constant) for each in index)
        if name in self.parameters or (name in self.arrays and not fixed):
            return Entry(name, index, matrix=True)
        if name not in self.arrays:
            raise UnknownSymbolError(f"No value for {name}.")
        values = entry(self.arrays[name], tuple(each.value for each in index))  # type: ignore[union-attr]
        return Constant(as_matrix(values, 0))

    def _assembled(self, name: str, index: tuple[Node, ...]) -> Node:
        sizes = tuple(self.integer(size) for size in self.vectors[name].shape)
        if len(sizes) == 1:
            return self.apply("Column", *(self._cell(name, (*index, Constant(a))) for a in range(sizes[0])))
        columns = [
            self.apply(
                "Column", *(self._cell(name, (*index, Constant(a), Constant(b))) for a in range(sizes[0]))
            )
            for b in range(sizes[1])
        ]
        return self.apply("Beside", *columns)

    def _cell(self, name: str, index: tuple[Node, ...]) -> Node:
        """An entry of a latent vector, or the datum where it was seen."""
        seen = self.vectors[name]
        if seen.mask and self.lookup(seen.mask, index) == ONE:
            return self.lookup(seen.data, index)
        return self.lookup(name, index)

    def apply(self, name: str, *arguments: Node) -> Node:
        return _folded(name, arguments)

    def bound(self, place: int) -> int:
        """The value of an index that is set to one place."""
        return place


def entry(array: Any, index: tuple[Any, ...]) -> Any:
    """array[index] for index arrays; positions outside the array give NaN, never a wrapped entry.

    Axes that the index leaves open, those of vectors and matrices, follow.
    """
    values = np.asarray(array)
    if not index:
        return values
    places = tuple(np.asarray(np.rint(each), dtype=int) for each in index)
    outside = [(place < 0) | (place >= size) for place, size in zip(places, values.shape, strict=False)]
    safe = tuple(np.where(out, 0, place) for out, place in zip(outside, places, strict=False))
    never = np.logical_or.reduce(np.broadcast_arrays(*outside))
    found = values[safe]
    return np.where(never.reshape(never.shape + (1,) * (found.ndim - never.ndim)), np.nan, found)


Rule = Callable[[Specialiser, Any, Bindings], Node]


def _symbol(scope: Specialiser, symbol: Symbol, bindings: Bindings) -> Node:
    return Constant(bindings[symbol]) if symbol in bindings else scope.lookup(symbol.name, ())


def _indexed(scope: Specialiser, expression: Indexed, bindings: Bindings) -> Node:
    index = tuple(scope(each, bindings) for each in expression.indices)
    return scope.lookup(str(expression.base.label), index)


def _sum(scope: Specialiser, expression: Sum, bindings: Bindings) -> Node:
    terms = (scope(expression.function, here) for here in scope.positions(expression.limits, bindings))
    return scope.apply("MatrixSum", *terms) if is_matrix(expression) else sum_of(terms)


def _product(scope: Specialiser, expression: Product, bindings: Bindings) -> Node:
    return product_of(
        scope(expression.function, here) for here in scope.positions(expression.limits, bindings)
    )


def _function(scope: Specialiser, expression: Expr, bindings: Bindings) -> Node:
    name = type(expression).__name__
    if name not in FUNCTIONS:
        raise UnknownSymbolError(f"No numeric meaning for the function {name}.")
    return _folded(name, tuple(scope(each, bindings) for each in expression.args))


def _connective(*, absorbing: bool) -> Rule:
    """A conjunction or disjunction without the conditions that are settled."""

    def rule(scope: Specialiser, expression: Basic, bindings: Bindings) -> Node:
        parts = [scope(each, bindings) for each in expression.args]
        settled = [bool(each.value) for each in parts if isinstance(each, Constant)]
        open_parts = tuple(each for each in parts if not isinstance(each, Constant))
        if absorbing in settled or not open_parts:
            return Constant(absorbing if absorbing in settled else not absorbing)
        return open_parts[0] if len(open_parts) == 1 else Apply(type(expression).__name__, open_parts)

    return rule


def _piecewise(scope: Specialiser, expression: Expr, bindings: Bindings) -> Node:
    return _folded(
        "Piecewise", tuple(scope(part, bindings) for pair in expression.args for part in pair.args)
    )


_RULES: Mapping[type, Rule] = {
    **MATRIX_HEADS,
    Integer: lambda _scope, number, _bindings: Constant(int(number)),
    Number: lambda _scope, number, _bindings: Constant(float(number)),
    NumberSymbol: lambda _scope, number, _bindings: Constant(float(number)),
    BooleanTrue: lambda _scope, _true, _bindings: Constant(value=True),
    BooleanFalse: lambda _scope, _false, _bindings: Constant(value=False),
    Symbol: _symbol,
    Indexed: _indexed,
    Sum: _sum,
    Product: _product,
    Add: lambda scope, total, bindings: sum_of(scope(each, bindings) for each in total.args),
    Mul: lambda scope, product, bindings: product_of(scope(each, bindings) for each in product.args),
    Piecewise: _piecewise,
    And: _connective(absorbing=False),
    Or: _connective(absorbing=True),
    Basic: _function,
}

_MATRIX_RULES: Mapping[type, Rule] = {**_RULES, **AMONG_MATRICES}
