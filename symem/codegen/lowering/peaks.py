"""Modes as nodes: what does not depend on the unknowns is computed before, the rest is a function of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sympy import IndexedBase

from symem.codegen.ir.nodes import Axes, Load, Node, Number, Peak, Source
from symem.codegen.lowering.layouts import Layout, Reader
from symem.language.quadrature_rule import Mode

#: What a letter depends on.
_LETTER = frozenset({Source.LATENT})


def peak(lower: Reader, expr: Mode, axes: Axes, inside: Reader) -> Peak:
    """The node of a mode over these axes; `inside` reads formulas in which the letters have these axes."""
    letters = tuple(each.name for each in expr.unknowns)
    apart = _Given(frozenset(letters))
    there = {each: IndexedBase(each.name)[axes] if axes else each for each in expr.unknowns}
    written = (each.xreplace(there) for each in (expr.height, *expr.slopes, *expr.bends))
    formulas = tuple(apart(inside(each)) for each in written)
    apart.pass_on(formulas)
    given = tuple(apart.found)
    name = expr.name
    sizes = tuple(lower.size(axis) for axis in axes)
    return Peak(axes, given, tuple(apart.found.values()), name, letters, expr.component, formulas, sizes)


def letters_over(expr: Mode, axes: Axes) -> Mapping[str, Layout]:
    """The unknowns of a mode as arrays over these axes."""
    order = tuple(range(len(axes)))
    return {each.name: Layout(each.name, order, _LETTER) for each in expr.unknowns}


@dataclass
class _Given:
    """Takes out of nodes what reads no letter, by names."""

    letters: frozenset[str]
    found: dict[Node, str] = field(default_factory=dict)

    def __call__(self, node: Node) -> Node:
        if isinstance(node, Number) or (isinstance(node, Load) and node.name in self.letters):
            return node
        if self._is_apart(node):
            name = self._named(node)
            return Load(node.axes, name, node.axes, node.sources)
        return node.mapped(self)

    def pass_on(self, nodes: Iterable[Node]) -> None:
        """What nodes read still, such as the size of an array that is added up by keys, under its own name."""
        read = (each for node in nodes for each in node.walk() if isinstance(each, Load))
        for each in read:
            if each.name not in {*self.letters, *self.found.values()}:
                self.found[each] = each.name

    def _is_apart(self, node: Node) -> bool:
        return not any(isinstance(each, Load) and each.name in self.letters for each in node.walk())

    def _named(self, node: Node) -> str:
        if node not in self.found:
            self.found[node] = f"c_{len(self.found)}"
        return self.found[node]
