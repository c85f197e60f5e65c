"""What is drawn for a latent where a fit begins: numbers at the scale of the data, inside their bounds, or shares of a total."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sympy import Expr, Indexed, Symbol

from symem.codegen.ir.nodes import Load, Node, Source
from symem.codegen.ir.program import Program
from symem.codegen.lowering.layouts import Layout
from symem.codegen.lowering.lower import Lowering
from symem.codegen.numpy.fields_read import Records
from symem.codegen.numpy.latent_scales import finite_ends, has_own_scale
from symem.codegen.numpy.lines import Lines
from symem.codegen.numpy.wrapping import fitted, tupled
from symem.derivation import CellCounts, DirichletShares, MemberCounts, Posterior, Shared
from symem.language.leaves import name_of, places_of
from symem.language.model import Variable


class LatentDraws:
    """Adds to `lines` those that draw latents, and to `read` what these take; `lower` reads a latent as what was drawn."""

    def __init__(
        self, program: Program, writer: Lines, records: Records, lines: list[str], read: set[str]
    ) -> None:
        self.program, self.writer, self.records = program, writer, records
        self.model = program.derivation.model
        self.lines, self.read = lines, read
        self.names = {each.name: program.names.take(f"drawn_{each.name}") for each in self.model.latents}
        self._done: set[str] = set()
        layouts = dict(program.layouts)
        for latent in self.model.latents:
            layouts[latent.name] = Layout.declared(self.names[latent.name], latent, Source.LATENT)
        self.lower = Lowering(layouts, program.lower.rank, program.lower.sizes, program.lower.rows)

    def draw(self, posterior: Posterior) -> None:
        """The line that draws the latent of a posterior, once."""
        drawn = self.names[posterior.latent.name]
        if drawn in self._done:
            return
        self._done.add(drawn)
        places = places_of(posterior.atom)
        sizes = [self.program.lower.size(index) for index in places if isinstance(index, Symbol)]
        self.read |= loads_in(sizes)
        if isinstance(posterior, Shared):
            self._share(posterior, [*map(self.writer.spell, sizes)], places)
            return
        if isinstance(posterior, DirichletShares):
            shape = tupled(map(self.writer.spell, sizes))
            self.lines.append(
                f"{drawn} = _random_table(rng, {shape}, {places.index(posterior.outcome.index)})"
            )
            return
        low, high = (self._bound(end, places) for end in finite_ends(posterior))
        named = {"pool": self._pool(posterior.latent), "low": low, "high": high}
        more = "".join(f", {name}={text}" for name, text in named.items() if text != "None")
        call = (
            f'_drawn(rng, "{posterior.latent.support.drawn}", {tupled(map(self.writer.spell, sizes))}{more})'
        )
        self.lines += fitted(f"{drawn} = ", call, self.writer.part_name)

    def _share(self, posterior: Shared, shape: list[str], places: tuple[Expr, ...]) -> None:
        """Counts of a known total: random shares of it, which add up to it."""
        trials = self._bound(posterior.trials, places)
        if isinstance(posterior, CellCounts):
            drawn, cell = self.names[posterior.latent.name], places.index(posterior.outcome.index)
            self.lines.append(f"{drawn} = {trials} * _random_table(rng, {tupled(shape)}, {cell})")
            return
        members = [
            self.names[each.latent.name]
            for each in self.program.derivation.posteriors
            if isinstance(each, MemberCounts)
            and each.log_normaliser.symbol == posterior.log_normaliser.symbol
        ]
        self._done |= set(members)
        shares = f"_random_table(rng, {tupled([str(len(members)), *shape])}, 0)"
        self.lines += fitted(f"{', '.join(members)} = ", f"{trials} * {shares}", self.writer.part_name)

    def _bound(self, end: Expr | None, places: tuple[Expr, ...]) -> str:
        if end is None or any(name_of(atom) in self._theta for atom in end.atoms(Indexed, Symbol)):
            return "None"
        axes = tuple(
            sorted((index for index in places if isinstance(index, Symbol)), key=self.program.lower.rank)
        )
        node = self.lower.over(end, axes) if end.free_symbols else self.lower(end)
        self.read |= loads_in([node])
        return (
            self.writer.text(node, tuple(i for i in places if i in node.axes))
            if node.axes
            else self.writer.spell(node)
        )

    @property
    def _theta(self) -> set[str]:
        return {each.name for each in self.model.parameters}

    def _pool(self, latent: Variable) -> str:
        """Observed values at whose scale to draw: the datum's own for a missing entry, else the first real array."""
        own = latent.name.removesuffix("_missing")
        if own == latent.name and has_own_scale(self.model, latent):
            return "None"
        real = [each.name for each in self.model.data if not each.support.discrete]
        names = [name for name in (own, *real) if name in self.model.variables and name != latent.name]
        locals_ = [self.program.layouts[name].name for name in names]
        kept = [name for name in locals_ if name in self.records.row_fields]
        if not kept:
            return "None"
        self.read.add(kept[0])
        return kept[0]

    def without_aliases(self) -> list[str]:
        """The lines, where what is drawn for one name alone has that name at once."""
        lines = list(self.lines)
        for drawn in self.names.values():
            readers = [line for line in lines if re.search(rf"\b{drawn}\b", line.partition(" = ")[2])]
            if len(readers) == 1 and readers[0].endswith(f" = {drawn}"):
                name = readers[0].removesuffix(f" = {drawn}")
                lines.remove(readers[0])
                lines = [_renamed_target(line, drawn, name) for line in lines]
            elif not readers:
                lines = [_renamed_target(line, drawn, "_") for line in lines]
        return lines


def loads_in(nodes: Iterable[Node]) -> set[str]:
    """The names of the arrays that nodes read."""
    return {part.name for node in nodes for part in node.walk() if isinstance(part, Load)}


def _renamed_target(line: str, old: str, new: str) -> str:
    """A line that assigns to another name."""
    target, equals, value = line.partition(" = ")
    return re.sub(rf"\b{old}\b", new, target) + equals + value
