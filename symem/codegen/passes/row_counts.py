"""Rows that count: in every sum over rows each is taken as often as it counts, so that one row may stand for many.

Where data are not cut into rows, as latents couple them, the observations may count all the same: those on a plate that
no latent and no parameter has, and that is only summed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sympy import Expr, Integer, Symbol

from symem.codegen.ir.instructions import Assign, nodes_of, reads, with_nodes
from symem.codegen.ir.nodes import (
    Apply,
    Axes,
    Contract,
    DiagonalOf,
    Fill,
    Load,
    Node,
    Number,
    Range,
    Scatter,
    Source,
    Take,
    Total,
    union,
    without,
)
from symem.codegen.ir.program import COUNT, LENGTH, ROWS, Program
from symem.codegen.lowering.row_plate import observed


def with_counts(program: Program) -> Program:
    """Every sum over rows, of rows that count."""
    if program.plain:
        return program
    size = program.rows if program.rows is not None else _only_summed(program)
    if size is None:
        return program
    count = _Counting(program, size)
    features, gathered = program.features, program.gathered
    if features is not None and features.shared is not None:
        features = replace(features, shared=count(features.shared))
    if gathered is not None:
        gathered = replace(
            gathered, sums=tuple(replace(each, node=count(each.node)) for each in gathered.sums)
        )
    return replace(
        program, counted=size, features=features, gathered=gathered, log_likelihood=count(program.log_likelihood),
        infer=tuple(with_nodes(each, count) for each in program.infer),
        rises=tuple(
            replace(each, of_rows=tuple(replace(line, node=count(line.node)) for line in each.of_rows)) for each in program.rises
        ),
        summarise=tuple(
            replace(each, node=count(each.node)) if isinstance(each, Assign) else each for each in program.summarise
        ),
    )  # fmt: skip


class _Counting:
    """A node with counts in its sums over the axes of one size."""

    def __init__(self, program: Program, size: Expr) -> None:
        self._program, self._size = program, size

    def __call__(self, node: Node) -> Node:
        if node == LENGTH:
            return COUNT
        node = node.mapped(self)
        if not isinstance(node, Total | Contract | Scatter):
            return node
        rows = tuple(axis for axis in node.over if self._program.index_sizes.get(axis) == self._size)
        return self._in_sum(node, rows) if rows else node

    def _in_sum(self, node: Total | Contract | Scatter, rows: Axes) -> Node:
        if isinstance(node, Contract):
            if _weight(node.right, rows) < _weight(node.left, rows):
                return replace(node, right=self._counted(node.right, rows))
            return replace(node, left=self._counted(node.left, rows))
        first = tuple(axis for axis in node.over if axis not in rows)
        if isinstance(node, Total) and first and _beside(node.value, rows):
            node = Total(node.axes, Total(without(node.value.axes, first), node.value, first), rows)
        return replace(node, value=self._counted(node.value, rows))

    def _counted(self, value: Node, rows: Axes) -> Node:
        axes = union(self._program.rank, [value, Load(rows, "", rows, frozenset())])
        behind = len(axes) - 1 - axes.index(rows[0])
        return Apply(axes, "counted", (value, ROWS, *([Number((), Integer(behind))] if behind else [])))


def _weight(node: Node, rows: Axes) -> tuple[bool, int, int]:
    """By what it is decided which of two factors is counted: rather not data alone, as they are kept as they are; rows
    that lie last, few entries.
    """
    return node.sources == {Source.ROWS}, _beside(node, rows), len(node.axes)


def _beside(node: Node, rows: Axes) -> int:
    """How many axes lie behind that of the rows."""
    return len(node.axes) - 1 - node.axes.index(rows[0]) if rows[0] in node.axes else 0


def _only_summed(program: Program) -> Expr | None:
    """The size of a plate of observations that nothing but sums runs over."""
    model = program.derivation.model
    arrays = observed(model)
    held = {size for each in (*model.latents, *model.parameters) for size in each.sizes}
    sizes = dict.fromkeys(size for each in arrays for size in each.sizes if isinstance(size, Symbol))
    return next((each for each in sizes if each not in held and _is_only_summed(program, each)), None)


def _is_only_summed(program: Program, size: Expr) -> bool:
    arrays = [each for each in observed(program.derivation.model) if size in each.sizes]
    names = {program.layouts[each.name].name for each in arrays}
    if any(each.sizes.count(size) > 1 for each in arrays):
        return False
    lines = [
        *program.infer,
        *program.fixed,
        *(each for each in program.summarise if isinstance(each, Assign)),
    ]
    nodes = [program.log_likelihood, *(node for each in lines for node in nodes_of(each))]
    later = [program.log_likelihood_once, *([program.log_prior] if program.log_prior is not None else [])]
    if any(names & reads(node) for node in later):
        return False
    return not any(_reads_places(part, names, size, program) for node in nodes for part in node.walk())


def _reads_places(node: Node, names: Iterable[str], size: Expr, program: Program) -> bool:
    """Whether a node reads single places of the plate, or its length beyond a number of observations."""
    if isinstance(node, Take | DiagonalOf):
        return node.base.name in names
    made = isinstance(node, Fill | Range) and any(program.index_sizes.get(axis) == size for axis in node.axes)
    kept = isinstance(node, Scatter) and any(program.index_sizes.get(axis) == size for axis in node.axes)
    return made or kept
