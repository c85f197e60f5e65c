"""Where a value that several lines share is computed: once, just before the first line that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symem.codegen.ir.instructions import Assign, Statement, live, nodes_of, taken_from, with_nodes, woven
from symem.codegen.ir.nodes import Node
from symem.codegen.ir.program import Program
from symem.codegen.ir.shared_values import shared


def scheduled(program: Program) -> Program:
    """Shared values of a chunk of rows, of what parameters alone decide, and of the coefficients of features."""
    program = replace(program, infer=tuple(_shared_by_rows(program)))
    lines = [*_live_fixed(program), *program.coefficients]
    if program.features is None:
        return replace(program, coefficients=tuple(lines))
    nodes = [*(each.node for each in lines), *program.features.coefficients]
    named, nodes = shared(program.names, "c", nodes)
    lines = [Assign(each.name, node, node.axes) for each, node in zip(lines, nodes, strict=False)]
    features = replace(program.features, coefficients=tuple(nodes[len(lines) :]))
    return replace(program, features=features, coefficients=tuple(_ordered(named, lines)))


def _shared_by_rows(program: Program) -> list[Statement]:
    """The statements on a chunk of rows, with what they have in common named."""
    statements = program.infer
    own = [each for each in statements if nodes_of(each)]
    nodes = [nodes_of(each)[0] for each in own]
    named, nodes = shared(program.names, "b", nodes)
    changed = dict(zip(map(id, own), nodes, strict=True))
    waiting = [Assign(name, node, node.axes) for name, node in named]
    done: list[Statement] = []
    for each in statements:
        line = with_nodes(each, lambda _, each=each: changed[id(each)]) if id(each) in changed else each
        done += taken_from(waiting, line)
        done.append(line)
    return done


def _ordered(named: Sequence[tuple[str, Node]], lines: Sequence[Assign]) -> list[Assign]:
    """Shared values among the lines, each after what it reads; those that only features read come last."""
    done = [each for each in woven(named, lines) if isinstance(each, Assign)]
    left = [Assign(name, node, node.axes) for name, node in named if name not in {each.name for each in done}]
    return [*done, *left]


def _live_fixed(program: Program) -> list[Assign]:
    """Those definitions of parameters alone that something reads."""
    nodes = [node for each in program.infer for node in nodes_of(each)]
    nodes += [each.node for each in program.coefficients]
    nodes += list(program.features.coefficients) if program.features else []
    nodes += program.nodes_of_chunk
    nodes += [program.direct] if program.direct is not None else []
    return [each for each in live(program.fixed, nodes, program.reported) if isinstance(each, Assign)]
