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
from symem.verification.functions import FUNCTIONS
from symem.verification.matrix_rules import AMONG_MATRICES, MATRIX_HEADS
from symem.verification.trees import (
    ONE,
    Apply,
    Atom,
    Constant,
    Entry,
    Node,
    UnknownSymbolError,
    as_number,
    entry,
    folded,
    product_of,
    sum_of,
    walk,
)

Bindings = Mapping[Symbol, int]


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
        return Constant(as_number(entry(self.arrays[name], tuple(each.value for each in index))))  # type: ignore[union-attr]

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
        return folded(name, arguments)

    def bound(self, place: int) -> int:
        """The value of an index that is set to one place."""
        return place


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
    return folded(name, tuple(scope(each, bindings) for each in expression.args))


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
    return folded("Piecewise", tuple(scope(part, bindings) for pair in expression.args for part in pair.args))


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
