"""What the spelling of each kind of node needs of the spelling of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sympy import Symbol

from symem.codegen.ir.nodes import Axes, Node

#: The strength of what needs no brackets.
ATOM = 5


class Speller(Protocol):
    """Spells any node, and remembers which helpers and equations it used."""

    helpers: set[str]
    equations: dict[str, str]

    @property
    def rank(self) -> Callable[[Symbol], object]:
        """The order of axes."""

    def __call__(self, node: Node) -> str:
        """The node by itself."""

    def tight(self, node: Node) -> str:
        """The node as it takes an attribute."""

    def aligned(self, node: Node, axes: Axes) -> str:
        """The node with new axes where it lacks some, so that it broadcasts over `axes`."""

    def turned(self, node: Node, axes: Axes) -> str:
        """The node with its dimensions in that order."""
