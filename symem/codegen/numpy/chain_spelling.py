"""Forward-backward, and upward-downward on trees, as calls of the runtime, and their parts."""

from __future__ import annotations

from symem.codegen.ir.nodes import (
    Axes,
    Item,
    Messages,
    Node,
    Path,
    Smoother,
    TreeMessages,
    TreePath,
    TreeSmoother,
)
from symem.codegen.numpy.matrix_spelling import transposed
from symem.codegen.numpy.speller import ATOM, Speller


def messages(spell: Speller, node: Messages) -> tuple[str, int]:
    return _called(spell, "_forward_backward", node), ATOM


def path(spell: Speller, node: Path) -> tuple[str, int]:
    text = _called(spell, "_most_probable_path", node)
    return (f"({text} + {node.origin})" if node.origin else text), ATOM


def _called(spell: Speller, function: str, node: Messages) -> str:
    weight, step = _tables(spell, function, node)
    ends = [_spread(spell, each[0], node.start) if each else "None" for each in (node.first, node.last)]
    lengths = [_spread(spell, each, node.start[1:]) for each in node.length]
    return f"{function}({', '.join((weight, step, *ends, *lengths))})"


def _tables(spell: Speller, function: str, node: Messages | TreeMessages) -> tuple[str, str]:
    """Log weights over (place, label, *plates), log-steps over (label, label) or over (place, label, label, *plates)."""
    spell.helpers.add(function)
    alike = set(node.step.axes) == set(node.pairs[1:3])
    step = spell.turned(node.step, node.pairs[1:3]) if alike else _spread(spell, node.step, node.pairs)
    return _spread(spell, node.weight, node.places), step


def tree_messages(spell: Speller, node: TreeMessages) -> tuple[str, int]:
    return _called_on_tree(spell, "_upward_downward", node), ATOM


def tree_path(spell: Speller, node: TreePath) -> tuple[str, int]:
    text = _called_on_tree(spell, "_most_probable_on_tree", node)
    return (f"({text} + {node.origin})" if node.origin else text), ATOM


def _called_on_tree(spell: Speller, function: str, node: TreeMessages) -> str:
    weight, step = _tables(spell, function, node)
    first = _spread(spell, node.first[0], node.places) if node.first else "None"
    return f"{function}({weight}, {step}, {first}, {spell(node.parent)})"


def smoother(spell: Speller, node: Smoother) -> tuple[str, int]:
    """Precision and shift over (place, *chains, …), links over (step, *chains, …), of the first state over (*chains, …)."""
    return _smoothed(spell, node, "_smoothed_vectors" if node.vectors else "_smoothed_numbers")


def tree_smoother(spell: Speller, node: TreeSmoother) -> tuple[str, int]:
    """The same over (place, *plates, …), and the parents."""
    return _smoothed(
        spell, node, "_vectors_on_trees" if node.vectors else "_numbers_on_trees", spell(node.parent)
    )


def _smoothed(spell: Speller, node: Smoother, function: str, *more: str) -> tuple[str, int]:
    spell.helpers.add(function)
    pairs = zip(node.read, node.over, strict=True)
    texts = (_spread(spell, each, axes) if each.axes else spell(each) for each, axes in pairs)
    return f"{function}({', '.join((*texts, *more))})", ATOM


def item(_spell: Speller, node: Item) -> tuple[str, int]:
    """Of what does not vary along an axis that is no axis of the node, the one that is there."""
    kept = tuple(axis for axis in node.stored if axis in node.axes)
    places = (
        "" if kept == node.stored else f"[{', '.join(':' if a in node.axes else '0' for a in node.stored)}]"
    )
    return f"{node.base.name}[{node.number}]{places}{transposed(kept, node.axes)}", ATOM


def _spread(spell: Speller, node: Node, axes: Axes) -> str:
    """The node over these axes, 1 long where it lacks one."""
    held = tuple(axis for axis in axes if axis in node.axes)
    text = spell.turned(node, held)
    if held == axes:
        return text
    places = ", ".join(":" if axis in held else "None" for axis in axes)
    return f"{text}[{places}]"
