"""Moving computations out of the loop they do not need: what reads data alone, once per fit; parameters alone, once
per iteration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.instructions import Assign, reads, with_nodes
from symem.codegen.ir.nodes import Apply, Load, Node, Range, Source
from symem.codegen.ir.program import LENGTH, Program
from symem.codegen.ir.shared_values import described, is_leaf
from symem.codegen.lowering.entries import is_entry


class Hoist:
    """Replaces the largest sub-nodes that pass `test` by loads of new names, each computed once."""

    def __init__(self, names: Names, stem: str, test: Callable[[Node], bool]) -> None:
        self._names = names
        self._stem = stem
        self._test = test
        self._found: dict[Node, Load] = {}

    def __call__(self, node: Node) -> Node:
        if is_leaf(node):
            return node
        if self._test(node):
            return self._named(node)
        return node.mapped(self)

    def _named(self, node: Node) -> Node:
        if isinstance(node, Apply) and node.operation == "neg":
            return node.mapped(self)
        if node not in self._found:
            name = self._names.take(described(node)) if described(node) else self._names.numbered(self._stem)
            self._found[node] = Load(node.axes, name, node.axes, node.sources)
        return self._found[node]

    @property
    def lines(self) -> tuple[Assign, ...]:
        """The lines that compute what was replaced."""
        return tuple(Assign(load.name, node, node.axes) for node, load in self._found.items())


def hoisted(program: Program) -> Program:
    """What reads data alone goes to `prepared`, what reads parameters alone to `coefficients`."""
    data = Hoist(program.names, "r", lambda node: _is_of_data(program, node))
    theta = Hoist(program.names, "c", _is_of_parameters)
    infer = tuple(with_nodes(each, lambda node: theta(data(node))) for each in program.infer)
    summarise = tuple(
        replace(each, node=data(each.node)) if isinstance(each, Assign) else each
        for each in program.summarise
    )
    features = program.features
    if features is not None and features.shared is not None:
        features = replace(features, shared=data(features.shared))
    value = data(program.log_likelihood)
    direct = data(program.direct) if program.direct is not None else None
    return replace(
        program, infer=infer, summarise=summarise, log_likelihood=value, direct=direct,
        features=features, prepared=(*program.prepared, *data.lines), coefficients=theta.lines,
    )  # fmt: skip


def _is_of_data(program: Program, node: Node) -> bool:
    """Data alone, beyond their number, and no larger than data: label axes only where rows have been summed out."""
    if node.sources != {Source.ROWS} or reads(node) <= {LENGTH.name}:
        return False
    on_rows = any(program.index_sizes.get(axis) == program.rows for axis in node.axes)
    entries = sum(map(is_entry, node.axes))
    return not on_rows or (
        entries <= 1 and all(program.rank.plate(axis) > 0 or is_entry(axis) for axis in node.axes)
    )


def _is_of_parameters(node: Node) -> bool:
    return node.sources <= {Source.THETA} and not isinstance(node, Range)
