"""Naming what is used twice, so that it is computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sympy import Integer

from symem.codegen.ir.canonical import canonical
from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.nodes import Apply, Load, Node, Number, Range

_TWO = Number((), Integer(2))


def described(node: Node) -> str:
    """A name that says what a small node is: log_w, mu_squared."""
    if isinstance(node, Apply) and len(node.arguments) == 1 and isinstance(node.arguments[0], Load):
        stem = {"log_above_zero": "log", "log": "log", "gammaln": "log_gamma", "sqrt": "sqrt"}.get(
            node.operation
        )
        return f"{stem}_{_local(node.arguments[0])}" if stem else ""
    if isinstance(node, Apply) and node.operation == "**" and isinstance(node.arguments[0], Load):
        return f"{_local(node.arguments[0])}_squared" if node.arguments[1:] == (_TWO,) else ""
    return ""


def _local(load: Load) -> str:
    """Its name without that of the record it stands in."""
    return load.name.rpartition(".")[2]


def is_leaf(node: Node) -> bool:
    return isinstance(node, Load | Number)


def shared(names: Names, stem: str, nodes: Sequence[Node]) -> tuple[list[tuple[str, Node]], list[Node]]:
    """Sub-nodes that occur more than once, whatever their indices are called, named in an order in which they can be
    computed.
    """
    named: list[tuple[str, Node]] = []
    current = list(nodes)
    while True:
        counts: Counter[Any] = Counter()
        first: dict[Any, Node] = {}
        for node in (*current, *(node for _, node in named)):
            for part in node.walk():
                if not is_leaf(part) and not _cheap(part):
                    form = canonical(part).form
                    counts[form] += 1
                    first.setdefault(form, part)
        twice = [first[form] for form, count in counts.items() if count > 1]
        if not twice:
            return named, current
        largest = max(twice, key=lambda part: sum(1 for _ in part.walk()))
        name = names.take(described(largest)) if described(largest) else names.numbered(stem)
        current = [_replaced(node, largest, name) for node in current]
        named = [(each, _replaced(node, largest, name)) for each, node in named]
        named.insert(0, (name, largest))
        named = sorted(named, key=lambda pair: _depth(pair[0], named))


def _cheap(node: Node) -> bool:
    return isinstance(node, Range) or (isinstance(node, Apply) and node.operation == "neg")


def _depth(name: str, named: Sequence[tuple[str, Node]]) -> int:
    """How many named nodes must come before this one."""
    table = dict(named)
    inner = {part.name for part in table[name].walk() if isinstance(part, Load) and part.name in table}
    return 1 + max((_depth(each, named) for each in inner), default=0)


def _replaced(node: Node, old: Node, name: str) -> Node:
    """The node with a load in the place of all that is the old one up to the names of its indices."""
    wanted = canonical(old)

    def change(part: Node) -> Node:
        found = None if is_leaf(part) else canonical(part)
        if found is None or found.form != wanted.form:
            return part.mapped(change)
        return Load(part.axes, name, wanted.renamed(old.axes, found), part.sources)

    return change(node)
