"""Nodes with other letters for their axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from sympy import Symbol

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
