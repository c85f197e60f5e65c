"""Where a value that several lines share is computed: once, just before the first line that reads it."""

from __future__ import annotations

from collections.abc import Sequence

from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.instructions import Assign, Statement, nodes_of, taken_from, with_nodes, woven
from symem.codegen.ir.nodes import Node
from symem.codegen.passes.hoisting import shared


def shared_by_rows(names: Names, statements: Sequence[Statement]) -> list[Statement]:
    """The statements on a chunk of rows, with what they have in common named."""
    own = [each for each in statements if nodes_of(each)]
    named, nodes = shared(names, "b", [nodes_of(each)[0] for each in own])
    changed = dict(zip(map(id, own), nodes, strict=True))
    waiting = [Assign(name, node, node.axes) for name, node in named]
    done: list[Statement] = []
    for each in statements:
        line = with_nodes(each, lambda _, each=each: changed[id(each)]) if id(each) in changed else each
        done += taken_from(waiting, line)
        done.append(line)
    return done


def ordered(named: Sequence[tuple[str, Node]], lines: Sequence[Assign]) -> list[Assign]:
    """Shared values among the lines, each after what it reads; those that only features read come last."""
    done = [each for each in woven(named, lines) if isinstance(each, Assign)]
    left = [Assign(name, node, node.axes) for name, node in named if name not in {each.name for each in done}]
    return [*done, *left]
