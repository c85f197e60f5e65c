"""Naming what is used twice, so that it is computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sympy import Expr, Integer, Symbol

from symem.codegen.ir.alike import form
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


def shared(
    names: Names, stem: str, nodes: Sequence[Node], sizes: Mapping[Symbol, Expr]
) -> tuple[list[tuple[str, Node]], list[Node]]:
    """Sub-nodes that occur more than once, be it with other letters, named in an order in which they can be computed."""
    named: list[tuple[str, Node]] = []
    current = list(nodes)
    while True:
        parts = [part for node in (*current, *(node for _, node in named)) for part in node.walk()]
        forms = {
            part: form(part, sizes) for part in dict.fromkeys(parts) if not is_leaf(part) and not _cheap(part)
        }
        counts = Counter(forms[part] for part in parts if part in forms)
        twice = [part for part, each in forms.items() if counts[each] > 1]
        if not twice:
            return named, current
        largest = max(twice, key=lambda part: sum(1 for _ in part.walk()))
        name = names.take(described(largest)) if described(largest) else names.numbered(stem)
        alike = {part for part in twice if forms[part] == forms[largest]}
        current = [_loaded(node, alike, name) for node in current]
        named = [(each, _loaded(node, alike, name)) for each, node in named]
        named.insert(0, (name, largest))
        named = sorted(named, key=lambda pair: _depth(pair[0], named))


def _cheap(node: Node) -> bool:
    return isinstance(node, Range) or (isinstance(node, Apply) and node.operation == "neg")


def _depth(name: str, named: Sequence[tuple[str, Node]]) -> int:
    """How many named nodes must come before this one."""
    table = dict(named)
    inner = {part.name for part in table[name].walk() if isinstance(part, Load) and part.name in table}
    return 1 + max((_depth(each, named) for each in inner), default=0)


def _loaded(node: Node, alike: Collection[Node], name: str) -> Node:
    """The node with an array of that name in the place of those."""
    if node in alike:
        return Load(node.axes, name, node.axes, node.sources)
    return node.mapped(lambda child: _loaded(child, alike, name))
