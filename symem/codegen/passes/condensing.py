"""Rows by their mean and covariance: where all that is summed over rows is at most quadratic in some of the data.

Rows that are the same in all other data then enter through the mean and the covariance of these alone, and a few rows
that have them stand for all: sigma points (Julier & Uhlmann 1997), which are exact for quadratics. Factor analysis is
so with all rows alike; a Normal law with missing entries, for every pattern in which they are missing; random
intercepts, for every group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sympy import Symbol

from symem.codegen.ir.instructions import Assign
from symem.codegen.ir.nodes import Apply, Contract, Fill, Load, Node, Number, Scatter, Take, Total
from symem.codegen.ir.program import Program
from symem.codegen.lowering.row_plate import observed


class _Other(Exception):  # noqa: N818 - no error: all rows are needed
    """A value that is not quadratic in the data."""


def condensed(program: Program) -> Program:
    """The data that enter so, by name; none, where not all numbers on the rows do."""
    model = program.derivation.model
    if program.counted is None or program.gathered is not None or model.weights or program.rises:
        return program
    arrays = [each for each in observed(model) if program.counted in each.sizes]
    names = tuple(each.name for each in arrays if not each.support.discrete)
    try:
        found = bool(names) and _Degrees(program, names).agree()
    except _Other:
        found = False
    return replace(program, condensed=names) if found else program


class _Degrees:
    """The degree in some of the data of all that a program computes of a chunk of rows; of sums over rows it is 0."""

    def __init__(self, program: Program, names: Sequence[str]) -> None:
        self.program = program
        self.named = {program.layouts[name].name: 1 for name in names}

    def agree(self) -> bool:
        program = self.program
        for line in (*program.fixed, *program.infer, *program.summarise):
            if not isinstance(line, Assign):
                return False
            self.named[line.name] = self.of(line.node)
        sums = all(self.named[each.name] == 0 for each in program.statistics)
        return sums and self.of(program.log_likelihood) == 0

    def of(self, node: Node) -> int:
        match node:
            case Load():
                return self.named.get(node.name, 0)
            case Apply():
                return self._apply(node)
            case Fill():
                return self.of(node.value)
            case Total():
                return self._total(self.of(node.value), node.over)
            case Contract():
                return self._total(self.of(node.left) + self.of(node.right), node.over)
            case Scatter() if not any(self.of(key) for _, key in node.keys):
                return self._total(self.of(node.value), node.over)
            case Take() if not any(self.of(each) for each in node.children[1:]):
                return self.of(node.base)
        return self._constant(node)

    def _apply(self, node: Apply) -> int:
        parts = [self.of(each) for each in node.arguments]
        match node.operation:
            case "neg" | "counted":
                return parts[0]
            case "+":
                return max(parts)
            case "*":
                return self._quadratic(sum(parts))
            case "/" if parts[1] == 0:
                return parts[0]
            case "**" if isinstance(node.arguments[1], Number) and node.arguments[1].value == 2:
                return self._quadratic(2 * parts[0])
        return self._constant(node)

    def _total(self, degree: int, over: Sequence[Symbol]) -> int:
        sizes = self.program.index_sizes
        on_rows = any(sizes.get(axis) == self.program.counted for axis in over)
        return 0 if self._quadratic(degree) and on_rows else degree

    def _quadratic(self, degree: int) -> int:
        if degree > 2:
            raise _Other
        return degree

    def _constant(self, node: Node) -> int:
        if any(self.of(child) for child in node.children):
            raise _Other
        return 0
