"""`paths`: the most probable labels of each chain or tree together, as far as the E-step is needed for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from symem.codegen.ir.instructions import Assign, Entry, Weigh, nodes_of
from symem.codegen.ir.nodes import Axes, Messages, Node, Path, TreeMessages, TreePath
from symem.codegen.lowering.scanned_chains import Scanned
from symem.codegen.numpy.array_tables import quoted
from symem.codegen.numpy.by_row import ByRow
from symem.codegen.numpy.fields_read import names_in
from symem.codegen.numpy.lines import Given, Line
from symem.codegen.numpy.wrapping import listed
from symem.language.leaves import places_of


class Decoding(ByRow):
    """Writes it for one program, of chains that depend on no other latent."""

    def body(self) -> list[str]:
        """The lines on which the paths rest, and the paths by name; none where there are no such chains."""
        paths = dict(self._paths())
        if not paths:
            return []
        values: list[tuple[Node, Axes]] = [(path, slots) for path, slots in paths.values()]
        lines: list[Line] = [*self._needed_for(*(node for node, _ in values))]
        product = any(isinstance(each, Weigh) for each in lines) and self.program.direct is None
        names = [quoted(name) for name in paths]
        given = Given(tuple(values), lambda texts: f"return {{{', '.join(_pairs(names, texts))}}}")
        if not self.records.given_to_log_joint:
            lines, given = self.lines.compact(lines, given)
        left = names_in([node for each in lines if not isinstance(each, Entry) for node in nodes_of(each)])
        left |= names_in(node for node, _ in given.values)
        natural = ["natural"] if self.program.features else []
        own = [*self.records.coefficients, *natural]
        body = self.records.taken_apart(own, "coefficients", {*left, *(natural if product else [])})
        body += self.records.reading(left - {*own, *self.records.made_in_rows()}, "rows")
        body += [text for each in lines if not isinstance(each, Entry) for text in self._exactly(each)]
        return body + listed("return {", _pairs(names, self.lines.texts(given)), "}")

    def _paths(self) -> Iterator[tuple[str, tuple[Path | TreePath, Axes]]]:
        """Each chain's path, and the order of its latent's slots."""
        chains = [each for each in self.program.derivation.posteriors if isinstance(each, Scanned)]
        found = [each.node for each in self.program.infer if isinstance(each, Assign)]
        for chain, node in zip(
            chains, (each for each in found if isinstance(each, Messages | TreeMessages)), strict=True
        ):
            if not chain.labels:
                said = {each.name: getattr(node, each.name) for each in fields(node) if each.name != "axes"}
                over = (node.places[0], *node.places[2:])
                kind = TreePath if isinstance(node, TreeMessages) else Path
                path = kind(over, **said, origin=int(chain.latent.support.first))
                yield chain.latent.name, (path, places_of(chain.atom))


def _pairs(names: list[str], texts: list[str]) -> list[str]:
    return [f"{name}: {text}" for name, text in zip(names, texts, strict=True)]
