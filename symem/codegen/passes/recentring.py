"""Statistics about another centre, so that those of two parts of the data can be merged."""

from __future__ import annotations

from dataclasses import replace

from symem.codegen.ir.instructions import Assign
from symem.codegen.ir.program import NOTHING, Program
from symem.codegen.lowering.lower import Layout, Lowering
from symem.language.leaves import name_of


def recentred(program: Program) -> Program:
    """The statistics that change with the centre, and the sizes that this reads."""
    moved, own = program.translation, program.apart
    if moved is None:
        return program
    order = (0, 1) if own else (0,) if moved.centre.shape else ()
    layouts = {**program.m_step_layouts, moved.step.name: Layout("step", order, NOTHING)}
    lower = Lowering(layouts, program.rank, program.index_sizes)
    lines = []
    for definition in program.expected:
        value = (own or moved).recentred[name_of(definition.symbol)]
        if value != definition.symbol:
            axes = tuple(getattr(definition.symbol, "indices", ()))
            node = lower.over(value, program.axes(definition))
            lines.append(Assign(layouts[name_of(definition.symbol)].name, node, axes))
    sizes = program.sizes_read(line.node for line in lines)
    return replace(program, recentred=tuple(lines), sizes=tuple(sorted({*program.sizes, *sizes})))
