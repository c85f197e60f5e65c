"""`paths`: the most probable labels of each chain together, as far as the E-step is needed for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from symem.codegen.ir.instructions import Assign, live, nodes_of
from symem.codegen.ir.nodes import Axes, Messages, Node, Path
from symem.codegen.lowering.scanned_chains import ScannedChain
from symem.codegen.numpy.array_tables import quoted
from symem.codegen.numpy.e_step_lines import EStepLines
from symem.codegen.numpy.fields_read import names_in
from symem.codegen.numpy.lines import Given, Line
from symem.language.leaves import places_of


class Decoding(EStepLines):
    """Writes it for one program, of chains that depend on no other latent."""

    def body(self) -> list[str]:
        """The lines on which the paths rest, and the paths by name; none where there are no such chains."""
        paths = dict(self._paths())
        if not paths:
            return []
        values: list[tuple[Node, Axes]] = [(path, slots) for path, slots in paths.values()]
        lines: list[Line] = [*live(self.program.infer, [node for node, _ in values], set())]
        names = [quoted(name) for name in paths]
        given = Given(tuple(values), lambda texts: f"return {{{', '.join(_pairs(names, texts))}}}")
        kept, ended = self.lines.compact(lines, given)
        left = [node for each in kept for node in nodes_of(each)] + [node for node, _ in ended.values]
        own = self.records.coefficients
        body = self.records.taken_apart(own, "coefficients", names_in(left))
        body += self.records.reading(names_in(left) - {*own, *self.records.made_in_rows()}, "rows")
        for each in kept:
            assert isinstance(each, Assign)
            body += self._statement(each)
        return [*body, *self._end(ended)]

    def _paths(self) -> Iterator[tuple[str, tuple[Path, Axes]]]:
        """Each chain's path, and the order of its latent's slots."""
        chains = [each for each in self.program.derivation.posteriors if isinstance(each, ScannedChain)]
        found = [each.node for each in self.program.infer if isinstance(each, Assign)]
        for chain, node in zip(chains, (each for each in found if isinstance(each, Messages)), strict=True):
            if not chain.labels:
                said = {each.name: getattr(node, each.name) for each in fields(node) if each.name != "axes"}
                over = (node.places[0], *node.places[2:])
                path = Path(over, **said, origin=int(chain.latent.support.first))
                yield chain.latent.name, (path, places_of(chain.atom))


def _pairs(names: list[str], texts: list[str]) -> list[str]:
    return [f"{name}: {text}" for name, text in zip(names, texts, strict=True)]
