"""Where the functions of a module find what they read: parameters, chunks of rows, what all rows share."""

from __future__ import annotations

from collections.abc import Iterable

from symem.codegen.ir.instructions import Assign, Column, Normalise, nodes_of, reads
from symem.codegen.ir.nodes import Load, Node
from symem.codegen.ir.program import Program
from symem.codegen.lowering.row_plate import observed
from symem.codegen.numpy.wrapping import WIDTH, tupled, unpacked


class Records:
    """The local names of one program, and the records under whose fields they are handed to functions."""

    def __init__(self, program: Program) -> None:
        self.program = program
        model, layouts = program.derivation.model, program.layouts
        self.parameters = {layouts[each.name].name: each.name for each in model.parameters}
        arrays = list(observed(model))
        sizes = [*program.sized, *(each.symbol for each in program.derivation.extents)]
        cut = [each for each in arrays if program.rows is None or program.rows in each.sizes]
        #: Local names of arrays and sizes, and the names under which a chunk has them.
        self.declared = {layouts[each.name].name: each.name for each in (*arrays, *sizes)}
        self.row_fields = [layouts[each.name].name for each in cut]
        self.fixed = [layouts[each.name].name for each in (*(a for a in arrays if a not in cut), *sizes)]
        self.points = [each.point.name for each in program.points.references]
        of_rows = [each.about.name for each in program.points.references]
        self.of_rows = [*of_rows, *(each.name for each in program.prepared)]
        self.sums = [each.name for each in program.sums_of_data]
        #: What the E-step hands on to the statistics.
        self.latents = self._latents()

    def _latents(self) -> tuple[str, ...]:
        read = names_in([*self.statistic_nodes(), *self.program.nodes_of_rises])
        if (self.has_products or self.program.gathered is not None) and self.program.features:
            read.add(self.program.features.weight)
        made = [*self.program.handed_on, *self.made_in_rows()]
        made += [each.weight for each in self.program.infer if isinstance(each, Normalise)]
        return tuple(name for name in dict.fromkeys(made) if name in read)

    def made_in_rows(self) -> list[str]:
        """What the statements of the E-step compute, in their order."""
        return [each.normaliser if isinstance(each, Normalise) else each.name for each in self.program.infer]

    def statistic_nodes(self) -> list[Node]:
        return [each.node for each in self.program.summarise if isinstance(each, Assign)]

    @property
    def has_products(self) -> bool:
        """Whether some statistics come with the matrix product of weights and features."""
        return any(isinstance(each, Column) for each in self.program.summarise)

    def row_nodes(self) -> list[Node]:
        """What is computed of a chunk of rows."""
        nodes = [node for each in self.program.infer for node in nodes_of(each)]
        return [
            *nodes,
            *self.statistic_nodes(),
            self.program.log_likelihood,
            *self.shared(),
            *self.of_each_row(),
        ]

    @property
    def gives_rows(self) -> bool:
        """Whether the E-step has the log-likelihood of each row by name, so that it gives that."""
        program = self.program
        return isinstance(program.log_likelihoods, Load) and program.features is None

    @property
    def log_likelihood(self) -> Node:
        """What the E-step gives: by row where it has it so, else the sum."""
        by_row = self.program.log_likelihoods
        return by_row if by_row is not None and self.gives_rows else self.program.log_likelihood

    def of_each_row(self) -> list[Node]:
        """What each row adds to the log-likelihood, and what of it the features leave out."""
        features = self.program.features
        beside = features.shared_by_row if features is not None and self.program.direct is None else None
        return [node for node in (self.program.log_likelihoods, beside) if node is not None]

    def shared(self) -> list[Node]:
        """The terms of the log-likelihood that the features leave out."""
        features = self.program.features
        return [features.shared] if features is not None and features.shared is not None else []

    @property
    def coefficients(self) -> tuple[str, ...]:
        """What is computed of the parameters for all chunks, as far as rows read it."""
        read = names_in(self.row_nodes()) | set(self.program.handed_on)
        return tuple(line.name for line in self.program.coefficients if line.name in read)

    @property
    def given_to_log_joint(self) -> tuple[str, ...]:
        """What the log weights read of what the E-step has computed before them."""
        node = self.program.direct
        if node is None:
            return ()
        read = names_in([node, *(line.node for line in self.needed([node]))])
        return tuple(name for name in dict.fromkeys(self.made_in_rows()) if name in read)

    def needed(self, nodes: Iterable[Node]) -> list[Assign]:
        """Those lines of what parameters alone decide that the nodes rest on."""
        wanted = names_in(nodes)
        found: list[Assign] = []
        for line in reversed(self.program.coefficients):
            if line.name in wanted:
                wanted |= reads(line.node)
                found.append(line)
        return found[::-1]

    @property
    def old(self) -> list[str]:
        """Parameters that the M-step reads as they were."""
        names = [each.name for each in self.program.derivation.model.parameters]
        return [name for name in names if f"old_{name}" in self.program.m_step_layouts]

    # -- lines that unpack them ------------------------------------------------------------------------

    def reading(self, read: Iterable[str], record: str) -> list[str]:
        """Names for what is read of parameters, and of the record that has data and sizes."""
        read = set(read)
        names = list(self.parameters)
        theta = [(local, f"theta.{self.parameters[local]}") for local in names if local in read]
        if len(theta) == len(names) > 1:
            lines = [f"{', '.join(names)} = theta"]
        else:
            lines = unpacked(theta)
        return lines + unpacked((name, value) for name, value in self._held(record).items() if name in read)

    def _held(self, record: str) -> dict[str, str]:
        """Local names of all that stands in a record of rows or of data, and how it is read there.

        Where the data cannot be cut, no array is taken out of what rows share.
        """
        whole = record != "data" or self.program.rows is None
        own = [name for name in self.declared if whole or name in self.fixed]
        found = {name: f'{record}["{self.declared[name]}"]' for name in own}
        if record == "rows":
            found |= {name: f'rows["{name}"]' for name in self.of_rows} | {
                "length": "rows.length",
                "count": "rows.count",
            }
        return found | {name: f'{record}["{name}"]' for name in (*self.sums, *self.points)}

    def taken_apart(self, names: Iterable[str], record: str, used: Iterable[str]) -> list[str]:
        """A tuple taken apart, as far as it is used."""
        used = set(used)
        left = [name if name in used else "_" for name in names]
        flat = f"{tupled(left) if len(left) == 1 else ', '.join(left)} = {record}"
        return [flat] if set(left) - {"_"} and len(flat) < WIDTH - 4 else self._in_parts(left, record)

    def _in_parts(self, names: list[str], record: str) -> list[str]:
        return unpacked((name, f"{record}[{d}]") for d, name in enumerate(names) if name != "_")


def names_in(nodes: Iterable[Node]) -> set[str]:
    """All that the nodes read."""
    return set().union(*(reads(node) for node in nodes))
