"""∂Q/∂θ as statements over the names of statistics and parameters: at the θ of the E-step it is the score."""

from __future__ import annotations

from dataclasses import replace

from sympy import Symbol

from symem.codegen.ir.instructions import Assign, Entry, woven
from symem.codegen.ir.nodes import Node
from symem.codegen.ir.program import Program
from symem.codegen.ir.shared_values import shared
from symem.codegen.lowering.entrywise import factors_of
from symem.codegen.lowering.lower import Lowering
from symem.codegen.passes.maximisation import OfStatistics
from symem.derivation import Definition
from symem.language.leaves import name_of, places_of


def sloped(program: Program) -> Program:
    """The slopes of Q in every parameter, and the sizes that they read."""
    return program if program.plain or not program.derivation.scores else _Slopes(program).entered()


class _Slopes(OfStatistics):
    """Writes the slopes of one program."""

    def entered(self) -> Program:
        program, derivation = self.program, self.derivation
        steps: list[tuple[Definition, tuple[object, ...] | None]] = []
        for score in derivation.scores:
            for each in factors_of(derivation, score.definition.symbol):
                self.place_factor(each)
                steps.append((each, None))
            steps.append((score.definition, places_of(score.definition.symbol)))
        lower = Lowering(self.layouts, program.rank, dict(program.index_sizes))
        nodes = [lower.over(each.value, program.axes(each)) for each, _ in steps]
        named, nodes = shared(program.names, "c", nodes)
        lines, made = list[Assign | Entry](), dict[str, str]()
        for (each, places), node in zip(steps, nodes, strict=True):
            name = name_of(each.symbol)
            if places is None:
                lines.append(Assign(self.layouts[name].name, node, places_of(each.symbol)))
                continue
            fresh = name not in made
            made[name] = made.get(name) or program.names.take(name)
            lines.append(self._slope(lower, made[name], each, node, fresh=fresh))
        read = [*nodes, *(node for _, node in named)]
        return replace(
            program,
            slopes=woven(named, lines),
            slope_names=made,
            sizes=tuple(sorted({*program.sizes, *self.sizes_read(read)})),
        )

    def _slope(
        self, lower: Lowering, name: str, slope: Definition, node: Node, *, fresh: bool
    ) -> Assign | Entry:
        places = places_of(slope.symbol)
        if all(isinstance(place, Symbol) for place in places):
            return Assign(name, node, places)
        variable = self.derivation.model.variables[name_of(slope.symbol).removeprefix("slope_")]
        return Entry(name, places, node, tuple(lower(size) for size in variable.sizes) if fresh else None)
