"""Products and sums of named-axis arrays, in the order that costs least.

A product multiplies over the fewest axes first and keeps what depends on parameters alone apart from what
depends on data alone, so that each can be computed outside the loop it does not need. A sum of a product
becomes one matrix product wherever the algebra allows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

from sympy import Expr, Integer

from symem.codegen.ir.nodes import (
    ONE,
    Apply,
    Axes,
    Contract,
    Node,
    Number,
    Rank,
    Source,
    Total,
    union,
    without,
)

_ONCE = frozenset({Source.THETA, Source.STATISTIC})


def level(node: Node) -> int:
    """0: parameters and sizes; 1: data; 2: both."""
    if node.sources <= _ONCE:
        return 0
    return 1 if node.sources == {Source.ROWS} else 2


def apply(rank: Rank, operation: str, *arguments: Node) -> Node:
    return Apply(union(rank, arguments), operation, arguments)


def _fold(rank: Rank, operation: str, nodes: Sequence[Node]) -> Node:
    """The nodes combined level by level, and within a level over the fewest axes first."""
    parts = []
    for wanted in (0, 1, 2):
        same = [node for node in nodes if level(node) == wanted]
        if same:
            parts.append(_by_axes(rank, operation, same))
    parts.sort(key=lambda node: len(node.axes))
    return reduce(lambda a, b: apply(rank, operation, a, b), parts)


def _by_axes(rank: Rank, operation: str, nodes: Sequence[Node]) -> Node:
    groups: dict[Axes, list[Node]] = {}
    for node in nodes:
        groups.setdefault(node.axes, []).append(node)
    ordered = sorted(groups.items(), key=lambda item: (len(item[0]), [rank(axis) for axis in item[0]]))
    folded = [reduce(lambda a, b: apply(rank, operation, a, b), group) for _, group in ordered]
    return reduce(lambda a, b: apply(rank, operation, a, b), folded)


def negative(node: Node) -> Node:
    if isinstance(node, Apply) and node.operation == "neg":
        return node.arguments[0]
    return Apply(node.axes, "neg", (node,))


def add(rank: Rank, nodes: Iterable[Node]) -> Node:
    """The sum of the nodes, broadcast."""
    given = [node for node in nodes if node != Number((), Integer(0))]
    return _fold(rank, "+", given) if given else Number((), Integer(0))


def multiply(rank: Rank, nodes: Iterable[Node]) -> Node:
    """The product of the nodes, broadcast."""
    given = [node for node in nodes if node != ONE]
    return _fold(rank, "*", given) if given else ONE


def quotient(rank: Rank, coefficient: Expr, above: Sequence[Node], below: Sequence[Node]) -> Node:
    """coefficient * above / below, each level divided on its own, a sign riding on the smallest operand."""
    size = abs(coefficient)
    home = [node for node in (*above, *below) if level(node) == 0]
    if home and size.is_Rational:
        above = [Number((), Integer(size.p)), *above]
        below = [Number((), Integer(size.q)), *below] if size.q != 1 else below
    else:
        above = [Number((), size), *above]
    parts = [part for wanted in (0, 1, 2) if (part := _ratio(rank, above, below, wanted))]
    node = multiply(rank, parts)
    return node if coefficient > 0 else negated(rank, node)


def _ratio(rank: Rank, above: Sequence[Node], below: Sequence[Node], wanted: int) -> Node | None:
    top, bottom = _rooted(
        rank, *([node for node in side if level(node) == wanted] for side in (above, below))
    )
    if not bottom:
        return multiply(rank, top) if top else None
    return apply(rank, "/", multiply(rank, top), multiply(rank, bottom))


def _rooted(rank: Rank, above: list[Node], below: list[Node]) -> tuple[list[Node], list[Node]]:
    """sqrt(a) / sqrt(b) as sqrt(a / b), where one of them has all axes of the other."""
    roots = [
        [node for node in side if isinstance(node, Apply) and node.operation == "sqrt"]
        for side in (above, below)
    ]
    if [len(each) for each in roots] != [1, 1]:
        return above, below
    (top,), (bottom,) = roots
    axes = union(rank, [top, bottom])
    if axes not in (top.axes, bottom.axes):
        return above, below
    root = apply(rank, "sqrt", apply(rank, "/", *top.arguments, *bottom.arguments))
    return [*(node for node in above if node is not top), root], [
        node for node in below if node is not bottom
    ]


def negated(rank: Rank, node: Node) -> Node:
    """The negative; in a product over levels the sign goes to the operand with the fewest axes."""
    if isinstance(node, Apply) and node.operation == "*" and level(node) == 2:
        first, *rest = sorted(node.arguments, key=lambda part: (len(part.axes), level(part)))
        return apply(rank, "*", negative(first), *rest)
    return negative(node)


def total(value: Node, over: Axes) -> Node:
    """The sum over those of the axes that the value has."""
    held = tuple(axis for axis in value.axes if axis in over)
    if isinstance(value, Contract) and held and not set(held) & set(value.left.axes) & set(value.right.axes):
        axes = without(value.axes, held)
        return Contract(axes, total(value.left, held), total(value.right, held), value.over)
    return Total(without(value.axes, held), value, held) if held else value


def sum_of_product(rank: Rank, factors: Sequence[Node], over: Axes) -> Node:
    """The sum of a product over axes that its factors have.

    Factors free of the axes stay outside; axes that only one group of factors has are summed there; what
    is left becomes a contraction of two operands, or is multiplied out where they share a free axis.
    """
    outside = [node for node in factors if not set(node.axes) & set(over)]
    inside = [node for node in factors if set(node.axes) & set(over)]
    if not inside:
        return multiply(rank, outside)
    return multiply(rank, [*outside, _contracted(rank, _gathered(rank, inside, over), over)])


def _gathered(rank: Rank, nodes: Sequence[Node], over: Axes) -> list[Node]:
    """Factors of equal axes multiplied; then those that lie within another are multiplied into it, except
    that one whose axes are all summed stays an operand of its own.
    """
    groups: dict[Axes, list[Node]] = {}
    for node in nodes:
        groups.setdefault(node.axes, []).append(node)
    if len(groups) == 1 and set(nodes[0].axes) <= set(over) and len(nodes) > 1:
        return [nodes[0], multiply(rank, nodes[1:])]
    merged = [multiply(rank, group) for _, group in sorted(groups.items(), key=lambda g: -len(g[0]))]
    kept: list[Node] = []
    for node in merged:
        host = next((k for k, big in enumerate(kept) if _belongs(node, big, over)), None)
        if host is None:
            kept.append(node)
        else:
            kept[host] = multiply(rank, [kept[host], node])
    return kept


def _belongs(small: Node, big: Node, over: Axes) -> bool:
    return set(small.axes) <= set(big.axes) and not set(small.axes) <= set(over)


def _contracted(rank: Rank, nodes: list[Node], over: Axes) -> Node:
    """What is data alone is multiplied first, as features are."""
    if len(nodes) > 2:
        nodes = sorted(nodes, key=lambda node: (node.sources == {Source.ROWS}, [rank(a) for a in node.axes]))
    while len(nodes) > 2:
        nodes = [*nodes[:-2], multiply(rank, nodes[-2:])]
    if len(nodes) == 1:
        return total(nodes[0], over)
    left, right = _own_axes_summed(nodes[0], nodes[1], over), _own_axes_summed(nodes[1], nodes[0], over)
    shared = set(left.axes) & set(right.axes)
    common = tuple(axis for axis in left.axes if axis in shared and axis in over)
    batch = shared - set(over)
    if batch and common and all(set(side.axes) - shared for side in (left, right)):
        return contract(rank, left, right, common)
    if batch or not common:
        return total(multiply(rank, [left, right]), over)
    return contract(rank, left, right, common)


def _own_axes_summed(node: Node, other: Node, over: Axes) -> Node:
    return total(node, tuple(axis for axis in node.axes if axis in over and axis not in other.axes))


def contract(rank: Rank, left: Node, right: Node, over: Axes) -> Node:
    """The two operands so ordered that the free axes come out in the program's order, if they can."""
    first, second = without(left.axes, (*over, *right.axes)), without(right.axes, (*over, *left.axes))
    if first and second and rank(second[0]) < rank(first[0]):
        left, right = right, left
    return Contract(
        union(rank, [left, right]) if not over else without(union(rank, [left, right]), over),
        left,
        right,
        over,
    )


def merged(rank: Rank, nodes: Iterable[Node]) -> list[Node]:
    """A @ x - B @ x as (A - B) @ x, where x is data and A, B are parameters."""
    kept: list[Node] = []
    groups: dict[tuple[Node, Axes], list[Node]] = {}
    for node in nodes:
        split = _by_data(node)
        if split is None:
            kept.append(node)
        else:
            groups.setdefault((split[1], _summed_axes(node)), []).append(split[0])
    for (data, over), weights in groups.items():
        kept.append(contract(rank, add(rank, weights), data, over))
    return kept


def _summed_axes(node: Node) -> Axes:
    """The axes that a contraction, or its negative, sums over."""
    inner = node.arguments[0] if isinstance(node, Apply) else node
    assert isinstance(inner, Contract)
    return inner.over


def _by_data(node: Node) -> tuple[Node, Node] | None:
    """(parameters, data) of a contraction or its negative, the sign with the parameters."""
    if isinstance(node, Apply) and node.operation == "neg":
        inner = _by_data(node.arguments[0])
        return (negative(inner[0]), inner[1]) if inner else None
    if isinstance(node, Contract) and {level(node.left), level(node.right)} == {0, 1}:
        weights, data = (node.left, node.right) if level(node.left) == 0 else (node.right, node.left)
        return weights, data
    return None
