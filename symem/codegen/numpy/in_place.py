"""Elementwise formulas of rows in steps that write where the step before has: large arrays that are made only to be read once
cost more than the arithmetic on them.
"""

from __future__ import annotations

from collections.abc import Iterator

from symem.codegen.ir.instructions import Assign
from symem.codegen.ir.nodes import Apply, Node, Source
from symem.codegen.numpy.lines import Lines

#: What NumPy writes over the array that it reads.
_OF_ONE = frozenset(["exp", "expm1", "log", "log1p", "sqrt", "abs", "sin", "cos", "tanh"])


def in_place(lines: Lines, line: Assign) -> list[str]:
    """The lines of an assignment; several where each writes over the array of the one before."""
    node = line.node
    if line.axes != node.axes or Source.ROWS not in node.sources or len(node.axes) < 2:
        return lines.assign(line)
    steps = list(_steps(lines, line.name, node))
    if len(steps) < 2:
        return lines.assign(line)
    return [text for start, rest in steps for text in lines.fitted(start, rest)]


def _steps(lines: Lines, name: str, node: Node) -> Iterator[tuple[str, str]]:
    """The start and the rest of each line."""
    spell = lines.spell
    inner = _first(node)
    if inner is None:
        yield f"{name} = ", spell(node)
        return
    assert isinstance(node, Apply)
    yield from _steps(lines, name, inner)
    if node.operation == "*":
        for other in node.arguments:
            if other is not inner:
                yield f"{name} *= ", spell.aligned(other, node.axes)
    elif node.operation == "counted":
        more = "".join(f", {spell(each)}" for each in node.arguments[1:])
        spell.helpers.add("_times_counts")
        yield f"{name} = ", f"_times_counts({name}{more})"
    else:
        yield "", f"np.{node.operation}({name}, out={name})"


def _first(node: Node) -> Node | None:
    """What is made first, of the shape of the whole, to be written over; None where nothing is."""
    if not isinstance(node, Apply):
        return None
    if node.operation in _OF_ONE or node.operation == "counted":
        return node.arguments[0] if _is_made(node.arguments[0], node) else None
    if node.operation == "*":
        return next((each for each in node.arguments if _is_made(each, node)), None)
    return None


def _is_made(node: Node, whole: Node) -> bool:
    return (
        isinstance(node, Apply)
        and node.operation in {*_OF_ONE, "*", "+", "-", "counted"}
        and node.axes == whole.axes
    )
