"""All positions at which a law holds, and expressions over them as the text of arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, Idx, Product, S, Sum, Symbol, exp, log

from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.nodes import Axes, Node, Source
from symem.codegen.lowering.distinct_indices import Indices
from symem.codegen.lowering.entries import Entries
from symem.codegen.lowering.entry_places import place
from symem.codegen.lowering.layouts import Layout
from symem.codegen.lowering.lower import Lowering
from symem.codegen.lowering.product_order import ProductOrder
from symem.codegen.numpy.lines import Lines
from symem.codegen.numpy.spelling import Spelling
from symem.codegen.numpy.wrapping import tupled
from symem.derivation import Definition
from symem.language.leaves import name_of, places_of
from symem.language.matrices import is_matrix
from symem.language.model import Model
from symem.language.plates import Axis
from symem.language.supports import Positive


class UnsaidError(Exception):
    """The model does not say how its data arise, or by a law that has no sampler."""


class Order:
    """The order of axes: the positions as they are declared, then whatever is summed."""

    def __init__(self) -> None:
        self.first: Axes = ()

    def __call__(self, index: Symbol) -> tuple[int, str]:
        return (self.first.index(index) if index in self.first else len(self.first), index.name)


@dataclass
class Scope:
    """Where arrays are kept, the nodes that have been read, and the statements so far."""

    model: Model
    writer: Lines
    names: Names
    layouts: dict[str, Layout]
    rank: Order
    nodes: list[Node] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    made: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.spell = Spelling(self.rank, self.writer.spell.helpers)

    def sized(self, size: Expr) -> str:
        """A size as text."""
        node = Lowering(self.layouts, self.rank, {})(size)
        self.nodes.append(node)
        return self.spell(node)

    def looped(self, axis: Axis) -> str:
        """The name of an index that runs over its places one after another."""
        name = self.names.take(axis.index.name)
        self.layouts[axis.index.name] = Layout(name, (), frozenset({Source.ROWS}), integer=True)
        self.made.add(name)
        return name

    def write(self, start: str, text: str) -> None:
        """One more statement."""
        self.statements += self.writer.fitted(start, text)

    def defined(self, definition: Definition, lower: Lowering) -> None:
        """A matrix that is computed as a whole, by a name of its own."""
        name = self.names.take(name_of(definition.symbol))
        slots = places_of(definition.symbol)
        node = lower.over(definition.value, tuple(sorted(slots, key=self.rank)))
        layout = Layout.along(name, definition.symbol, frozenset({Source.THETA}), node.axes)
        self.layouts[name_of(definition.symbol)] = layout
        self.nodes.append(node)
        self.write(f"{name} = ", self.spell(node))
        self.made.add(name)


class Positions:
    """All positions of what a declaration gives, and expressions over them as text."""

    def __init__(self, scope: Scope, declaration: Any, limits: Iterable[Any] = ()) -> None:
        self.scope, self.model, self.declaration = scope, scope.model, declaration
        self.indices = Indices(())
        self.own: list[Any] = []
        self.axes: Axes = tuple(self.indices.symbol(index, high + 1) for index, _, high in limits)
        self.cell_slot: int | None = None
        self.loop: Axis | None = None
        self.places: list[Symbol] = []
        if declaration is not None:
            self.variable = self.model.variables[name_of(declaration.entries[0])]
            self._open()
        scope.rank.first = self.axes
        self.lower = Lowering(scope.layouts, scope.rank, self.indices.sizes)
        order = ProductOrder(self.indices.sizes, lambda _size: 4, frozenset())
        self.entries = Entries(self.indices.sizes, scope.names.take, order=order)

    def _open(self) -> None:
        """Its indices as axes; that of the cells of a Multinomial apart."""
        own, cell = list(self.declaration.own), self.declaration.cell
        plates = len(self.variable.sizes) - (0 if self.variable.of_numbers else len(self.variable.shape))
        stated = getattr(self.declaration.entries[0], "indices", ())
        if len(own) != plates and len(stated) != plates:
            raise UnsaidError(f"{self.variable.name} is declared as rows of a single one")
        slots = [slot for slot, each in enumerate(stated) if each in own] or range(plates)
        if cell is not None:
            self.cell_slot = own.index(cell) if own[-1] != cell else None
        self.own = [index for index in own if index != cell]
        formula = self.model.formula(S.Zero, own, {})
        axes = []
        for index, axis, slot in zip(own, formula.axes, slots, strict=False):
            size = self.variable.sizes[slot]
            ragged = axis.size.free_symbols & {each.index for each in formula.axes}
            if axis.size != size and not ragged:
                raise UnsaidError(f"{self.variable.name} is declared for a part of its plate")
            if index == self.declaration.place_by_place:
                self.loop = Axis(axis.index, size)
                self.places.append(axis.index)
            elif index != cell:
                axes.append(self.indices.symbol(axis.index, size))
                self.places.append(axes[-1])
        self.axes = tuple(axes)

    @property
    def shape(self) -> str:
        """The sizes of the axes as a tuple."""
        nodes = [self.lower.size(axis) for axis in self.axes]
        self.scope.nodes += nodes
        return tupled(map(self.scope.spell, nodes))

    def internal(self, expr: Any, beside: Sequence[Any] = ()) -> Any:
        """A user's expression in internal symbols, over the positions and `beside`."""
        formula = self.model.formula(expr, [*self.own, *beside], {})
        own = self.places or self.axes
        names = dict(zip([axis.index for axis in formula.axes], own, strict=False))
        for axis in formula.axes[len(own) :]:
            names[axis.index] = self.indices.symbol(axis.index, axis.size)
        axes = tuple(each for each in names.values() if self.loop is None or each != self.loop.index)
        return self.indices.expr(formula.value, names), axes

    def node(self, value: Any) -> Node:
        """An expression in internal symbols as an array."""
        before = len(self.entries.made)
        value = self.entries.scalar(_without_products(value)) if isinstance(value, Expr) else value
        return self._lowered(value, before)

    def _lowered(self, value: Any, before: int) -> Node:
        for definition in self.entries.made[before:]:
            self.scope.defined(definition, self.lower)
        node = self.lower(value)
        self.scope.nodes.append(node)
        return node

    def __call__(self, expr: Any, *, label: bool = False) -> str:
        """A number at each position; a label of vectors with a dimension for their entries."""
        value, axes = self.internal(expr)
        more = (
            (place(self.variable.shape[0], 1),)
            if label and self.variable.shape and not self.variable.of_numbers
            else ()
        )
        return self.scope.spell.aligned(self.node(value), (*axes, *more))

    def over(self, value: Expr, axes: Axes) -> str:
        """An array over exactly these axes."""
        self.scope.rank.first = axes
        node = self.lower.over(_without_products(value), axes)
        self.scope.nodes.append(node)
        return self.scope.spell(node)

    def probabilities(self, arguments: Sequence[Expr]) -> str:
        """Of the cells, on the last axis."""
        if len(arguments) > 1:
            return f"_beside({', '.join(map(self, arguments))})"
        bound = {limit[0] for inner in arguments[0].atoms(Sum) for limit in inner.limits}
        (index,) = arguments[0].atoms(Idx) - bound - set(self.own)
        value, axes = self.internal(arguments[0], [index])
        self.scope.rank.first = axes
        return self.scope.spell.aligned(self.node(value), axes)

    def of_vector(self, distribution: Any) -> Iterator[str]:
        """The arguments of a law of vectors: its mean, a matrix, numbers."""
        size = self.variable.shape[0]
        row, column = place(size, 1), place(size, 2)
        self.indices.sizes.update({row: size, column: size})
        for argument, support in zip(
            distribution.arguments, distribution.family.parameters.values(), strict=True
        ):
            value, axes = self.internal(argument)
            before = len(self.entries.made)
            if not is_matrix(value) and isinstance(support, Positive):
                yield self.scope.spell.aligned(self.node(value), axes)
            elif not is_matrix(value) and value == 0:
                yield "0.0"
            elif support.kind == "real":
                entry = self.entries.entry(value, row, S.Zero)
                yield self._spelt(self._lowered(entry, before), axes, (row,))
            else:
                entry = self.entries.entry(value, row, column)
                yield self._spelt(self._lowered(entry, before), axes, (row, column))

    def _spelt(self, node: Node, axes: Axes, entries: Axes) -> str:
        """With its entries last, all of them."""
        return self.scope.spell.aligned(node, (*axes, *entries))


def _without_products(value: Expr) -> Expr:
    """Products over an index as exponentials of sums of logarithms."""
    return value.replace(
        lambda each: isinstance(each, Product), lambda each: exp(Sum(log(each.function), *each.limits))
    )
