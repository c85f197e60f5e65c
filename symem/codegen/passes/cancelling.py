"""The differences in the updates, of which little may be left: S_yy - 2 b S_xy + b² S_xx, where y stands far from 0.

What a positive parameter is, or a denominator, has no sign of its own: where it is a small difference of large
sums, its digits are rounding. A runtime that knows the terms can say so. Of a root that no formula gives it can say how
steeply its equation falls there; it is told by the root itself, before what its equation is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from symem.codegen.ir.instructions import Difference
from symem.codegen.ir.nodes import Apply, Contract, Fill, Load, Node, Number, Root, Total
from symem.codegen.ir.program import Program

_POSITIVE = frozenset({"positive", "definite"})


def told_apart(program: Program) -> Program:
    """The terms of the differences in the updates of the M-step, by the parameters that they are of."""
    lines = {line.name: line.node for line in program.m_step}
    found: list[Difference] = []
    for variable in program.derivation.model.parameters:
        kind = variable.support.kind
        for line in program.m_step:
            if line.name == program.layouts[variable.name].name and not program.plain:
                sums = _differences(line.node, lines, positive=kind in _POSITIVE)
                if isinstance(line.node, Root):
                    own = Load(line.node.axes, line.name, line.node.axes, line.node.sources)
                    found.append(
                        Difference(
                            variable.name, replace(line.node, given=(own, *line.node.given)), matrix=False
                        )
                    )
                plates = set(line.node.axes[:-2])
                found += (
                    Difference(variable.name, each, kind == "definite" and len({*each.axes} - plates) > 1)
                    for each in sums
                )
    return replace(program, differences=tuple(dict.fromkeys(found)))


def _differences(node: Node, lines: Mapping[str, Node], *, positive: bool) -> Iterator[Node]:
    """The sums with terms of either sign that a value is a product or a quotient of."""
    if isinstance(node, Load) and node.name in lines:
        yield from _differences(lines[node.name], lines, positive=positive)
    elif isinstance(node, Fill):
        yield from _differences(node.value, lines, positive=positive)
    elif isinstance(node, Apply) and node.operation == "/":
        yield from _differences(node.arguments[0], lines, positive=positive)
        yield from _differences(node.arguments[1], lines, positive=True)
    elif isinstance(node, Apply) and node.operation in {"*", "sqrt", "**", "neg"}:
        for each in node.arguments:
            yield from _differences(each, lines, positive=positive)
    elif positive and len(set(map(is_negative, terms(node)))) > 1:
        yield node


def terms(node: Node) -> list[Node]:
    """The terms of a sum."""
    if isinstance(node, Apply) and node.operation == "+":
        return [term for each in node.arguments for term in terms(each)]
    return [node]


def is_negative(node: Node) -> bool:
    """Whether a minus stands before a term."""
    if isinstance(node, Number):
        return bool(node.value.is_negative)
    if isinstance(node, Apply) and node.operation == "neg":
        return not is_negative(node.arguments[0])
    if isinstance(node, Apply) and node.operation in {"*", "/"}:
        return sum(map(is_negative, node.arguments)) % 2 == 1
    if isinstance(node, Contract):
        return is_negative(node.left) != is_negative(node.right)
    return isinstance(node, Total) and is_negative(node.value)
