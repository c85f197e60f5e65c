"""Naming what is used twice, so that it is computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sympy import Integer

from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.nodes import Apply, Load, Node, Number, Range

_TWO = Number((), Integer(2))


def described(node: Node) -> str:
    """A name that says what a small node is: log_w, mu_squared."""
    if isinstance(node, Apply) and len(node.arguments) == 1 and isinstance(node.arguments[0], Load):
        stem = {"log_above_zero": "log", "log": "log", "gammaln": "log_gamma", "sqrt": "sqrt"}.get(
            node.operation
        )
        return f"{stem}_{node.arguments[0].name}" if stem else ""
    if isinstance(node, Apply) and node.operation == "**" and isinstance(node.arguments[0], Load):
        return f"{node.arguments[0].name}_squared" if node.arguments[1:] == (_TWO,) else ""
    return ""


def is_leaf(node: Node) -> bool:
    return isinstance(node, Load | Number)


def shared(names: Names, stem: str, nodes: Sequence[Node]) -> tuple[list[tuple[str, Node]], list[Node]]:
    """Sub-nodes that occur more than once, named in an order in which they can be computed."""
    named: list[tuple[str, Node]] = []
    current = list(nodes)
    while True:
        counts = Counter(
            part for node in current for part in node.walk() if not is_leaf(part) and not _cheap(part)
        )
        counts.update(
            part for _, node in named for part in node.walk() if not is_leaf(part) and not _cheap(part)
        )
        twice = [part for part, count in counts.items() if count > 1]
        if not twice:
            return named, current
        largest = max(twice, key=lambda part: sum(1 for _ in part.walk()))
        name = names.take(described(largest)) if described(largest) else names.numbered(stem)
        load = Load(largest.axes, name, largest.axes, largest.sources)
        current = [_replaced(node, largest, load) for node in current]
        named = [(each, _replaced(node, largest, load)) for each, node in named]
        named.insert(0, (name, largest))
        named = sorted(named, key=lambda pair: _depth(pair[0], named))


def _cheap(node: Node) -> bool:
    return isinstance(node, Range) or (isinstance(node, Apply) and node.operation == "neg")


def _depth(name: str, named: Sequence[tuple[str, Node]]) -> int:
    """How many named nodes must come before this one."""
    table = dict(named)
    inner = {part.name for part in table[name].walk() if isinstance(part, Load) and part.name in table}
    return 1 + max((_depth(each, named) for each in inner), default=0)


def _replaced(node: Node, old: Node, new: Node) -> Node:
    return new if node == old else node.mapped(lambda child: _replaced(child, old, new))
