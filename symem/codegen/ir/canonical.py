"""Nodes up to the names of their indices: two are the same value if they differ in these alone.

The names are numbered in the order in which they are met. Operands of what is commutative are met in an order that
does not depend on names, so that (AᵀA)_ab c_a over a and (AᵀA)_ab c_b over b are one value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache
from typing import Any

from sympy import Symbol

from symem.codegen.ir.nodes import Apply, Axes, Contract, Load, Node, Number

_COMMUTATIVE = frozenset({"+", "*"})


class Canonical:
    """The form of a node, equal for equal values, and its indices in the order of their numbers."""

    def __init__(self, node: Node) -> None:
        self._numbers: dict[Symbol, int] = {}
        self.form = self._of(node)
        self.indices = tuple(self._numbers)

    def renamed(self, axes: Axes, like: Canonical) -> Axes:
        """These indices as a node of the same form names them."""
        return tuple(like.indices[self._numbers[axis]] for axis in axes)

    def _of(self, value: Any) -> Any:
        if isinstance(value, Number):
            return value
        if isinstance(value, Symbol):
            return self._numbers.setdefault(value, len(self._numbers))
        if isinstance(value, Node):
            return self._node(value)
        return tuple(map(self._of, value)) if isinstance(value, tuple) else value

    def _node(self, node: Node) -> Any:
        operands = _operands(node)
        parts = tuple(map(self._of, sorted(operands, key=self._met) if operands else ()))
        taken = {"axes", "arguments", "left", "right"} if operands else {"axes"}
        rest = tuple(self._of(getattr(node, each.name)) for each in fields(node) if each.name not in taken)
        self._of(node.axes)
        return type(node).__name__, parts, rest

    def _met(self, node: Node) -> Any:
        """Where an operand comes: by what it is, then by which of its indices have been met."""
        return blind(node), tuple(self._numbers.get(axis, len(self._numbers)) for axis in _stored(node))


@lru_cache(maxsize=20_000)
def canonical(node: Node) -> Canonical:
    """The canonical form of a node."""
    return Canonical(node)


def _operands(node: Node) -> tuple[Node, ...]:
    """What may be exchanged."""
    if isinstance(node, Contract) or (isinstance(node, Apply) and node.operation in _COMMUTATIVE):
        return node.children
    return ()


def _stored(node: Node) -> Iterable[Symbol]:
    return (axis for part in node.walk() if isinstance(part, Load) for axis in part.stored)


def blind(value: Any) -> str:
    """What a node is, its indices aside."""
    if isinstance(value, Number):
        return str(value.value)
    if isinstance(value, Symbol):
        return "·"
    if isinstance(value, Node):
        parts = sorted(map(blind, _operands(value)))
        rest = [] if parts else [blind(getattr(value, each.name)) for each in fields(value)]
        return f"{type(value).__name__}{getattr(value, 'operation', '')}({', '.join([*parts, *rest])})"
    return f"[{', '.join(map(blind, value))}]" if isinstance(value, tuple) else str(value)
