"""Nodes that are the same array but for the letters of their axes: x_a - μ_a and x_b - μ_b."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from sympy import Expr, Symbol

from symem.codegen.ir.nodes import Node

_Tree = TypeVar("_Tree")


def with_axes(tree: _Tree, names: Mapping[Symbol, Symbol]) -> _Tree:
    """A node, or a tuple of nodes and axes, with other letters for its axes."""
    found: Any = tree
    if isinstance(tree, Node):
        found = type(tree)(*(with_axes(getattr(tree, each.name), names) for each in fields(tree)))
    elif isinstance(tree, tuple):
        found = tuple(with_axes(each, names) for each in tree)
    elif isinstance(tree, Symbol):
        found = names.get(tree, tree)
    made: _Tree = found
    return made


def form(node: Node, sizes: Mapping[Symbol, Expr]) -> Node:
    """The node with letters that depend on nothing but sizes and order: equal for nodes that are alike."""
    names: dict[Symbol, Symbol] = {}
    for part in node.walk():
        for axis in part.axes:
            if axis in sizes and axis not in names:
                names[axis] = Symbol(f"{len(names)} of {sizes[axis]}")
    return with_axes(node, names)
