"""Array expressions with named axes: what stands between an indexed formula and a line of NumPy.

A node is an array whose dimensions are index symbols, kept in one order for the whole program (labels
first, data plates last), so that two nodes combine by aligning names. Nothing here is text yet. `sources`
says what a node depends on, which decides when it is computed: once per fit, once per iteration, or for
every chunk of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar

from sympy import Expr, Integer, Symbol

Axes = tuple[Symbol, ...]
Rank = Callable[[Symbol], Any]


class Source(Enum):
    """What a value depends on. Sizes and constants depend on nothing."""

    THETA = "theta"
    ROWS = "rows"
    LATENT = "latent"
    STATISTIC = "statistic"


Sources = frozenset[Source]


@dataclass(frozen=True)
class Node:
    """An array over `axes`, in the program's order."""

    axes: Axes
    #: The fields that hold what it is made of, and those that hold sizes, which no change reaches.
    parts: ClassVar[tuple[str, ...]] = ()
    beside: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def children(self) -> tuple[Node, ...]:
        held = (getattr(self, name) for name in (*self.parts, *self.beside))
        return tuple(chain.from_iterable(each if isinstance(each, tuple) else (each,) for each in held))

    @cached_property
    def sources(self) -> Sources:
        return frozenset().union(*(child.sources for child in self.children))

    def mapped(self, change: Callable[[Node], Node]) -> Node:
        """The node with its children changed."""
        if not self.parts:
            return self
        changed: dict[str, Any] = {}
        for name in self.parts:
            held = getattr(self, name)
            changed[name] = tuple(map(change, held)) if isinstance(held, tuple) else change(held)
        return replace(self, **changed)

    def walk(self) -> Iterator[Node]:
        """The node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Number(Node):
    """A number, or a closed expression of numbers such as log(2 pi)/2."""

    value: Expr


ZERO, ONE = Number((), Integer(0)), Number((), Integer(1))


@dataclass(frozen=True)
class Load(Node):
    """A named array; `stored` is the index that runs along each of its dimensions as they lie in memory."""

    name: str
    stored: Axes
    origin: Sources
    integer: bool = False

    @cached_property
    def sources(self) -> Sources:
        return self.origin


@dataclass(frozen=True)
class Range(Node):
    """The values of an index, used as numbers."""

    size: Node
    beside: ClassVar[tuple[str, ...]] = ("size",)


@dataclass(frozen=True)
class Apply(Node):
    """An elementwise operation on aligned arguments."""

    operation: str
    arguments: tuple[Node, ...]
    parts: ClassVar[tuple[str, ...]] = ("arguments",)


@dataclass(frozen=True)
class Total(Node):
    """The sum of a value over some of its axes."""

    value: Node
    over: Axes
    parts: ClassVar[tuple[str, ...]] = ("value",)


@dataclass(frozen=True)
class LogTotal(Node):
    """The logarithm of the sum of exp(value) over some of its axes."""

    value: Node
    over: Axes
    parts: ClassVar[tuple[str, ...]] = ("value",)


@dataclass(frozen=True)
class Contract(Node):
    """The sum of left * right over axes that both have; others that both have stay, as a stack of matrix products."""

    left: Node
    right: Node
    over: Axes
    parts: ClassVar[tuple[str, ...]] = ("left", "right")


@dataclass(frozen=True)
class Take(Node):
    """A named array read at computed places: one index symbol (the whole slot) or node per dimension."""

    base: Load
    places: tuple[Symbol | Node, ...]

    @cached_property
    def children(self) -> tuple[Node, ...]:
        return (self.base, *(place for place in self.places if isinstance(place, Node)))

    def mapped(self, change: Callable[[Node], Node]) -> Node:
        places = tuple(change(place) if isinstance(place, Node) else place for place in self.places)
        return Take(self.axes, self.base, places)


@dataclass(frozen=True)
class Scatter(Node):
    """The sum of value over `over`, each entry added where its keys point: the bracket [x_i = v] under a sum."""

    value: Node
    keys: tuple[tuple[Symbol, Node], ...]
    over: Axes
    sizes: tuple[Node, ...]

    @cached_property
    def children(self) -> tuple[Node, ...]:
        return (self.value, *(node for _, node in self.keys), *self.sizes)

    def mapped(self, change: Callable[[Node], Node]) -> Node:
        keys = tuple((axis, change(node)) for axis, node in self.keys)
        return Scatter(self.axes, change(self.value), keys, self.over, self.sizes)


@dataclass(frozen=True)
class Fill(Node):
    """A value repeated along the axes that it lacks."""

    value: Node
    sizes: tuple[Node, ...]
    parts: ClassVar[tuple[str, ...]] = ("value",)
    beside: ClassVar[tuple[str, ...]] = ("sizes",)


@dataclass(frozen=True)
class Solve(Node):
    """The b of sum over `column` of matrix * b = vector at every `row`, read at `component`."""

    matrix: Node
    vector: Node
    row: Symbol
    column: Symbol
    component: Symbol
    parts: ClassVar[tuple[str, ...]] = ("matrix", "vector")


@dataclass(frozen=True)
class Root(Node):
    """Where a function that falls in u vanishes: the new value of a parameter, `of` that name. The function and its slope
    are written in u and, for what is given, c_0, c_1, …
    """

    given: tuple[Node, ...]
    of: str
    function: Node
    slope: Node
    parts: ClassVar[tuple[str, ...]] = ("given",)


@dataclass(frozen=True)
class Peak(Node):
    """Where a function of `letters` is largest, `component` of it, for all entries at once: of that `name`, its height, its
    slopes and its bends are written in the letters and, for what is given, in loads of the names in `as_given`.
    """

    given: tuple[Node, ...]
    as_given: tuple[str, ...]
    name: str
    letters: tuple[str, ...]
    component: int
    formulas: tuple[Node, ...]
    sizes: tuple[Node, ...]
    parts: ClassVar[tuple[str, ...]] = ("given",)
    beside: ClassVar[tuple[str, ...]] = ("sizes",)


@dataclass(frozen=True)
class Messages(Node):
    """What forward-backward gives of chains, as a tuple: of log weights over `places`, of log-steps over `pairs`, and of
    what is said of the first label, or of the last, over `start`; how many places each chain has, where that differs.
    """

    weight: Node
    step: Node
    first: tuple[Node, ...]
    last: tuple[Node, ...]
    length: tuple[Node, ...]
    places: Axes
    pairs: Axes
    start: Axes
    parts: ClassVar[tuple[str, ...]] = ("weight", "step", "first", "last", "length")


@dataclass(frozen=True)
class Path(Messages):
    """The most probable labels of chains together, over `axes`: the places and the chains; counted from `origin`."""

    origin: int = 0


@dataclass(frozen=True)
class TreeMessages(Node):
    """What upward-downward gives of trees, as a tuple: of log weights over `places`, of log-steps over `pairs`, of what is said
    of the label of a root, over `places`, and of the parents.
    """

    weight: Node
    step: Node
    first: tuple[Node, ...]
    parent: Node
    places: Axes
    pairs: Axes
    parts: ClassVar[tuple[str, ...]] = ("weight", "step", "first", "parent")


@dataclass(frozen=True)
class TreePath(TreeMessages):
    """The most probable labels of trees together, over `axes`: the places and the plates; counted from `origin`."""

    origin: int = 0


@dataclass(frozen=True)
class Smoother(Node):
    """What a scan forward and back gives of chains of states, as a tuple: of what it reads, each over those axes; of vectors or
    of numbers.
    """

    read: tuple[Node, ...]
    over: tuple[Axes, ...]
    vectors: bool
    parts: ClassVar[tuple[str, ...]] = ("read",)


@dataclass(frozen=True)
class TreeSmoother(Smoother):
    """What a pass up and down gives of trees of states, as a tuple: of what it reads, and of the parents."""

    parent: Node
    parts: ClassVar[tuple[str, ...]] = ("read", "parent")


@dataclass(frozen=True)
class Item(Node):
    """A part of a tuple, kept over `stored`."""

    base: Load
    number: int
    stored: Axes
    parts: ClassVar[tuple[str, ...]] = ("base",)


@dataclass(frozen=True)
class Factor(Node):
    """A matrix function, such as the Cholesky factor, of a matrix over `row` and `column`, for all other axes at once."""

    operation: str
    matrix: Node
    row: Symbol
    column: Symbol
    parts: ClassVar[tuple[str, ...]] = ("matrix",)


@dataclass(frozen=True)
class DiagonalOf(Node):
    """The entries of a named array where `second` equals `first`."""

    base: Load
    first: Symbol
    second: Symbol
    parts: ClassVar[tuple[str, ...]] = ("base",)


def union(rank: Rank, nodes: Iterable[Node]) -> Axes:
    """All axes of the nodes, in the program's order."""
    return tuple(sorted({axis for node in nodes for axis in node.axes}, key=rank))


def without(axes: Axes, over: Iterable[Symbol]) -> Axes:
    gone = set(over)
    return tuple(axis for axis in axes if axis not in gone)
