"""What an ascent needs: Q over the parameters of a concave part, its slopes and its second derivatives, at any point.

Each is a sum over rows, chunk by chunk, beside what statistics and parameters give once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sympy import Add, Expr

from symem.codegen.ir.instructions import Assign
from symem.codegen.ir.nodes import Node, Source
from symem.codegen.ir.program import LENGTH, Program, Rise
from symem.codegen.lowering.layouts import Layout
from symem.codegen.lowering.lower import Lowering
from symem.derivation import Ascent, Climbed, Definition
from symem.errors import NotDerivedError
from symem.language.leaves import name_of, places_of

_OF_ROWS = frozenset({Source.ROWS, Source.LATENT})


def ascending(program: Program) -> Program:
    """The concave parts of Q, by the functions that the runtime climbs."""
    updates = program.derivation.updates
    parts = dict.fromkeys(update.within for update in updates if isinstance(update, Ascent))
    if not parts:
        return program
    if program.plain:
        names = ", ".join(sorted({name_of(each) for part in parts for each in part.parameters}))
        raise NotDerivedError(
            f"{names} are found by Newton's method over the rows, which the plain style has not."
        )
    reading = _Reading(program)
    return replace(program, rises=tuple(map(reading.rise, parts)))


class _Reading:
    """Reads the parts of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        layouts = dict(program.layouts)
        for each in program.statistics:
            order = tuple(range(len(each.axes)))
            name = f"s.{each.name}"
            layouts[name_of(each.definition.symbol)] = Layout(name, order, frozenset({Source.STATISTIC}))
        rows = (program.rows, LENGTH) if program.rows is not None else None
        self._lower = Lowering(layouts, program.rank, program.index_sizes, rows, program.lower.tables)

    def rise(self, part: Climbed) -> Rise:
        plates = tuple(sum(not place.is_Integer for place in places_of(each)) for each in part.parameters)
        height = Definition(part.part, (), part.part)
        arrays = (height, *part.slopes, *part.curvatures)
        return Rise(
            tuple((name_of(each), tuple(map(_place, places_of(each)))) for each in part.parameters),
            plates,
            tuple(self._lines(arrays, of_rows=True)) if any(map(self._reads_rows, arrays)) else (),
            tuple(self._lines(arrays, of_rows=False)),
            tuple((each.kind, each.beside) for each in part.charts),
            part.one_step,
        )

    def _lines(self, arrays: Iterable[Definition], *, of_rows: bool) -> Iterator[Assign]:
        for number, each in enumerate(arrays):
            axes = tuple(axis.index for axis in each.axes)
            chosen = Add(*(t for t in Add.make_args(each.value) if self._is_of_rows(t) == of_rows))
            name = f"{'rows' if of_rows else 'once'}_{number}"
            yield Assign(name, self._lower.over(chosen, tuple(sorted(axes, key=self.program.rank))), axes)

    def _reads_rows(self, array: Definition) -> bool:
        return any(map(self._is_of_rows, Add.make_args(array.value)))

    def _is_of_rows(self, term: Expr) -> bool:
        node: Node = self._lower(term)
        return bool(node.sources & _OF_ROWS)


def _place(place: Expr) -> int | None:
    return int(place) if place.is_Integer else None
