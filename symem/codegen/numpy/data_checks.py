"""What data ask of one another, as lines: bounds that other data set, and sizes that their values show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from sympy import Expr, Indexed, Piecewise, Symbol, oo

from symem.codegen.ir.instructions import reads
from symem.codegen.ir.nodes import Node
from symem.codegen.ir.program import Program
from symem.codegen.lowering.lower import Lowering
from symem.codegen.lowering.row_plate import observed
from symem.codegen.numpy.array_tables import bounds_of, quoted
from symem.codegen.numpy.latent_scales import chosen_by_label
from symem.codegen.numpy.lines import Lines
from symem.codegen.numpy.wrapping import fitted, unpacked
from symem.derivation import Recognised
from symem.language.leaves import name_of


class Checks:
    """Writes the lines of one program, over the checked arrays and the sizes."""

    def __init__(self, program: Program, writer: Lines) -> None:
        self.program, self.writer = program, writer
        self.model = program.derivation.model

    def lines(self) -> list[str]:
        calls = [*self._bounds(), *self._crossings(), *self._extents()]
        read = self._from_arrays(node for nodes, _ in calls for node in nodes)
        return [*read, *(line for _, call in calls for line in fitted("", call, self.writer.part_name))]

    def _bounds(self) -> Iterator[tuple[list[Node], str]]:
        """Data that other data or numbers bound, such as a count below a known total."""
        for variable in (*self.model.data, *self.model.known):
            bound = bounds_of(variable, self.model)
            if bound is not None:
                places = bound.places(self.program.lower.sizes)
                ends = [self.program.lower(end) for end in bound.ends]
                low, high = (self.writer.spell.aligned(node, places) for node in ends)
                name, wanted = quoted(variable.name), quoted(bound.wanted)
                yield ends, f"_refuse_outside({name}, arrays, {low}, {high}, {wanted})"

    def _crossings(self) -> Iterator[tuple[list[Node], str]]:
        """The ends of a latent's interval, where data may let them cross."""
        for posterior in self.program.derivation.posteriors:
            known = isinstance(posterior, Recognised) and not chosen_by_label(posterior, *posterior.bounds)
            if isinstance(posterior, Recognised) and known and self._may_cross(*posterior.bounds):
                places = tuple(axis.index for axis in posterior.axes)
                ends = [self.program.lower(end) for end in posterior.bounds]
                low, high = (self.writer.spell.aligned(node, places) for node in ends)
                meets = "<=" if posterior.latent.support.discrete else "<"
                name = quoted(posterior.latent.name.removesuffix("_missing"))
                yield ends, f"_refuse_crossed({name}, {low} {meets} {high})"

    def _may_cross(self, low: Expr, high: Expr) -> bool:
        """Whether both ends are finite and told by data, in some case, and nothing says which is the larger."""
        if low.has(Piecewise) or high.has(Piecewise):
            pairs = product(_cases(low), _cases(high))
            return any(self._may_cross(one, other) for one, other in pairs)
        read = {name_of(atom) for atom in low.atoms(Indexed, Symbol) | high.atoms(Indexed, Symbol)}
        hidden = {each.name for each in (*self.model.latents, *self.model.parameters)}
        told = any(each.name in read for each in (*self.model.data, *self.model.known)) and not read & hidden
        return told and not {low, high} & {oo, -oo} and not (high - low).is_positive

    def _extents(self) -> Iterator[tuple[list[Node], str]]:
        """Sizes that data show: the largest of a value over all positions."""
        program = self.program
        lower = Lowering(program.layouts, program.rank, dict(program.index_sizes))
        for extent in program.derivation.extents:
            lower.sizes |= {axis.index: axis.size for axis in extent.axes}
            node = lower(extent.value)
            yield [node], f"_show_size(sizes, {quoted(extent.symbol.name)}, {self.writer.spell(node)})"

    def _from_arrays(self, nodes: Iterable[Node]) -> list[str]:
        """Checked arrays and sizes under the names that the nodes read."""
        read = set().union(*(reads(node) for node in nodes))
        layouts = self.program.layouts
        sources = {layouts[each.name].name: f"arrays[{quoted(each.name)}]" for each in observed(self.model)}
        sources |= {layouts[each.name].name: f"sizes[{quoted(each.name)}]" for each in self.program.sized}
        return unpacked((name, sources[name]) for name in sorted(read & sources.keys()))


def _cases(end: Expr) -> list[Expr]:
    return [value for value, _ in end.args] if isinstance(end, Piecewise) else [end]
