"""Iterations without the data: where all that is summed over rows is at most quadratic in them.

Then the data enter through their mean and covariance alone, and a few rows that have these stand for all: sigma points
(Julier & Uhlmann 1997), which are exact for quadratics. Factor analysis is so, and every model whose posterior means
are affine in the data and whose posterior variances do not depend on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sympy import Symbol

from symem.codegen.ir.instructions import Assign
from symem.codegen.ir.nodes import Apply, Contract, Fill, Load, Node, Number, Source, Total
from symem.codegen.ir.program import LENGTH, Program
from symem.codegen.lowering.row_plate import observed
from symem.derivation import Probabilities


@dataclass(frozen=True)
class Kind:
    """A value of every row, of that degree in its data; or, without rows, a sum over rows or what does not change."""

    degree: int = 0
    on_rows: bool = False
    summed: bool = False


_CONSTANT, _SUM = Kind(), Kind(summed=True)


class _Other(Exception):  # noqa: N818 - no error: all rows are needed
    """A value of another kind."""


def condensed(program: Program) -> Program:
    """Whether a few rows may stand for all."""
    tables = any(isinstance(each, Probabilities) for each in program.derivation.posteriors)
    seen = [each for each in observed(program.derivation.model) if program.rows in each.sizes]
    plain = all(not each.support.discrete and not each.missing for each in seen)
    if program.plain or program.rows is None or tables or not plain or program.gathered is not None:
        return program
    try:
        found = _Kinds(program).agree()
    except _Other:
        found = False
    return replace(program, few_rows=found)


class _Kinds:
    """The kinds of all that a program computes of a chunk of rows."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.named: dict[str, Kind] = {}

    def agree(self) -> bool:
        program = self.program
        for line in (*program.fixed, *program.infer, *program.summarise):
            if not isinstance(line, Assign):
                return False
            self.named[line.name] = self.of(line.node)
        sums = {each.name for each in program.statistics} - set(program.averages)
        added = all(self.named[name].summed for name in sums)
        return added and self.of(program.log_likelihood).summed

    def of(self, node: Node) -> Kind:
        if isinstance(node, Number):
            return _CONSTANT
        if isinstance(node, Load):
            return self._load(node)
        if isinstance(node, Apply):
            return self._apply(node)
        if isinstance(node, Fill):
            return self._spread(self.of(node.value), node.axes)
        if isinstance(node, Total):
            return self._total(self.of(node.value), node.over)
        if isinstance(node, Contract):
            return self._total(self._product([self.of(node.left), self.of(node.right)]), node.over)
        if any(self.of(child) != _CONSTANT for child in node.children):
            raise _Other
        return _CONSTANT

    def _load(self, node: Load) -> Kind:
        if node.name in self.named:
            return self.named[node.name]
        if node.name == LENGTH.name:
            return _SUM
        return Kind(1, on_rows=True) if Source.ROWS in node.sources else _CONSTANT

    def _apply(self, node: Apply) -> Kind:
        parts = [self.of(each) for each in node.arguments]
        if all(part == _CONSTANT for part in parts):
            return _CONSTANT
        match node.operation:
            case "neg":
                return parts[0]
            case "+":
                return self._sum(parts)
            case "*":
                return self._product(parts)
            case "/" if parts[1] == _CONSTANT:
                return parts[0]
            case "**" if isinstance(node.arguments[1], Number) and node.arguments[1].value == 2:
                return self._product([parts[0], parts[0]])
            case "mean_of" if parts[0].summed and parts[1].summed:
                return _CONSTANT
        raise _Other

    def _sum(self, parts: Sequence[Kind]) -> Kind:
        if all(part.summed for part in parts):
            return _SUM
        if any(part.summed for part in parts):
            raise _Other
        return Kind(max(part.degree for part in parts), on_rows=True)

    def _product(self, parts: Sequence[Kind]) -> Kind:
        degree = sum(part.degree for part in parts)
        sums = [part for part in parts if part.summed]
        if degree > 2 or (sums and (len(sums) > 1 or any(part.on_rows for part in parts))):
            raise _Other
        return _SUM if sums else Kind(degree, on_rows=any(part.on_rows for part in parts))

    def _spread(self, kind: Kind, axes: Sequence[Symbol]) -> Kind:
        return replace(kind, on_rows=kind.on_rows or any(map(self._is_row, axes)))

    def _total(self, kind: Kind, over: Sequence[Symbol]) -> Kind:
        return _SUM if kind.on_rows and any(map(self._is_row, over)) else kind

    def _is_row(self, axis: Symbol) -> bool:
        return self.program.index_sizes.get(axis) == self.program.rows
