"""The bodies of a model's functions: statements of a program, with what each reads unpacked above them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sympy import Symbol

from symem.codegen.ir.instructions import Assign, Column, Entry, Normalise, Weigh, reads
from symem.codegen.ir.nodes import Apply, Axes, Contract, Load, Node, Total
from symem.codegen.ir.program import Program
from symem.codegen.lowering.row_plate import observed
from symem.codegen.numpy.feature_text import FeatureText
from symem.codegen.numpy.matrix_spelling import transposed
from symem.codegen.numpy.spelling import Spelling
from symem.codegen.numpy.wrapping import WIDTH, fitted, listed, short, tupled, unpacked

Lines = list[str]


class Bodies:
    """Writes the bodies of one program's functions."""

    def __init__(self, program: Program, indent: int = 4) -> None:
        self.program, self.indent = program, indent
        self.spell = Spelling(program.rank)
        model = program.derivation.model
        layouts = program.layouts
        self.parameters = {layouts[each.name].name: each.name for each in model.parameters}
        arrays = list(observed(model))
        sizes = [*program.sized, *(each.symbol for each in program.derivation.extents)]
        cut = [each for each in arrays if program.rows is None or program.rows in each.sizes]
        #: Local names of arrays and sizes, and the names under which a chunk has them.
        self.declared = {layouts[each.name].name: each.name for each in (*arrays, *sizes)}
        self.row_fields = [layouts[each.name].name for each in cut]
        self.fixed = [layouts[each.name].name for each in (*(a for a in arrays if a not in cut), *sizes)]
        self.prepared = [each.name for each in program.prepared]
        self.points_read = [each.point.name for each in program.points.references]
        self.sums = [each.name for each in program.sums_of_data]
        self.latents = self._latents()
        self.feature_text = (
            FeatureText(program.features, program.lower, self.spell) if program.features is not None else None
        )

    def _latents(self) -> tuple[str, ...]:
        """What the E-step hands on: what the statistics read of it, and what is shown."""
        made = [*self.program.handed_on]
        for statement in self.program.infer:
            made.append(statement.weight if isinstance(statement, Normalise) else statement.name)
            made += [statement.normaliser] if isinstance(statement, Normalise) else []
        summed = self.summed_latents(made)
        shown = [name for name in made if name in self.program.reported and name not in summed]
        return tuple(dict.fromkeys([*summed, *shown]))

    def summed_latents(self, made: Iterable[str]) -> Lines:
        """Those that the statistics read."""
        read = self.names_in(self.statistic_nodes())
        if self.has_products and self.program.features:
            read.add(self.program.features.weight)
        return [name for name in made if name in read]

    @property
    def old(self) -> dict[str, str]:
        """Parameters that the M-step reads as they were, by the names it has for them."""
        layouts = self.program.m_step_layouts
        names = [each.name for each in self.program.derivation.model.parameters]
        return {layouts[f"old_{name}"].name: name for name in names if f"old_{name}" in layouts}

    # -- statements ---------------------------------------------------------------------------------

    def part_name(self) -> str:
        """A name for a part of a long line."""
        return self.program.names.numbered("t")

    def fitted(self, start: str, text: str) -> Lines:
        return fitted(start, text, self.part_name, self.indent)

    def assign(self, line: Assign) -> Lines:
        return self.fitted(f"{line.name} = ", self.text(line.node, line.axes))

    def returned(self, texts: Sequence[str], call: str = "") -> Lines:
        """The lines that return these values: as they are, or as arguments of a call."""
        if len(texts) == 1 and not call:
            return self.fitted("return ", texts[0])
        before, items = self.items(texts)
        flat = f"return {', '.join(items)}"
        return (
            [*before, flat]
            if not call and len(flat) <= 106
            else [*before, *listed(f"return {call}(", items, ")")]
        )

    def items(self, texts: Iterable[str]) -> tuple[Lines, Lines]:
        """Values that fit a line each, and the lines that must stand before."""
        pairs = [short(text, self.part_name) for text in texts]
        return [line for before, _ in pairs for line in before], [text for _, text in pairs]

    def entry(self, line: Entry) -> Lines:
        shape = tupled(self.spell(size) for size in line.fresh or ())
        made = [f"{line.name} = np.empty({shape})"] if line.fresh else []
        places = ", ".join(":" if isinstance(place, Symbol) else str(place) for place in line.place)
        axes = tuple(place for place in line.place if isinstance(place, Symbol))
        return [*made, *self.fitted(f"{line.name}[{places}] = ", self.text(line.node, axes))]

    def update(self, line: Assign | Entry) -> Lines:
        return self.entry(line) if isinstance(line, Entry) else self.assign(line)

    def text(self, node: Node, axes: Axes) -> str:
        """The node with its dimensions in the wanted order."""
        return self.spell.tight(node) + transposed(node.axes, axes) if node.axes != axes else self.spell(node)

    # -- what is read -------------------------------------------------------------------------------

    def reading(self, nodes: Iterable[Node], record: str, *, done: Iterable[str] = ()) -> Lines:
        """What the nodes read of parameters, and of the record that has data and sizes."""
        read = set().union(*(reads(node) for node in nodes)) - set(done)
        return self.reading_names(read, record)

    def reading_names(self, read: Iterable[str], record: str) -> Lines:
        read = set(read)
        names = list(self.parameters)
        theta = [(local, f"theta.{self.parameters[local]}") for local in names if local in read]
        if len(theta) == len(names) > 1:
            lines = [f"{', '.join(names)} = theta"]
        else:
            lines = unpacked(theta)
        return lines + unpacked((name, value) for name, value in self._held(record).items() if name in read)

    def _held(self, record: str) -> dict[str, str]:
        """Local names of all that stands in a record of rows or of data, and how it is read there."""
        own = [name for name in self.declared if record != "data" or name in self.fixed]
        found = {name: f'{record}["{self.declared[name]}"]' for name in own}
        if record == "rows":
            found |= {name: f'rows["{name}"]' for name in self.prepared} | {"length": "rows.length"}
        return found | {name: f'{record}["{name}"]' for name in (*self.sums, *self.points_read)}

    def used_latents(self, nodes: Iterable[Node]) -> Lines:
        read = set().union(*(reads(node) for node in nodes))
        return [name for name in self.latents if name in read]

    def unpacked_latents(self, used: Iterable[str]) -> Lines:
        """`latents` taken apart, as far as it is used."""
        used = set(used)
        names = [name if name in used else "_" for name in self.latents]
        flat = f"{tupled(names) if len(names) == 1 else ', '.join(names)} = latents"
        if not used or (names.count("_") <= 1 and len(flat) < WIDTH - 4):
            return [flat] if used else []
        return unpacked((name, f"latents[{d}]") for d, name in enumerate(self.latents) if name in used)

    # -- the E-step ---------------------------------------------------------------------------------

    def needed(self, nodes: Iterable[Node]) -> list[Assign]:
        """Those lines of what parameters alone decide that the nodes rest on."""
        wanted = set().union(*(reads(node) for node in nodes))
        found: list[Assign] = []
        for line in reversed(self.program.coefficients):
            if line.name in wanted:
                wanted |= reads(line.node)
                found.append(line)
        return found[::-1]

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """What `coefficients` gives: what rows read of it."""
        read = set().union(*(reads(node) for node in self._row_nodes())) | set(self.program.handed_on)
        return tuple(line.name for line in self.program.coefficients if line.name in read)

    def coefficients(self) -> Lines:
        names = self.coefficient_names
        lines = self.needed([line.node for line in self.program.coefficients if line.name in names])
        lines = [line for line in self.program.coefficients if line in lines or line.name in names]
        return self._computed(lines, [], "data") + self.returned_tuple(names)

    def _computed(self, lines: Sequence[Assign], nodes: Sequence[Node], record: str) -> Lines:
        body = self.reading([*(line.node for line in lines), *nodes], record)
        return body + [text for line in lines for text in self.assign(line)]

    def returned_tuple(self, texts: Sequence[str]) -> Lines:
        """The lines that return a tuple of these values, of one too."""
        if len(texts) == 1:
            before, last = short(texts[0], self.part_name)
            return [*before, f"return ({last},)"]
        return self.returned(texts) if texts else ["return ()"]

    def natural(self) -> Lines:
        """The coefficients of the features, side by side."""
        features, text = self.program.features, self.feature_text
        assert features is not None
        assert text is not None
        sizes = [self.program.lower.size(axis) for axis in features.labels]
        body = self._computed(self.needed(features.coefficients), [*features.coefficients, *sizes], "data")
        shape = tupled(self.spell(size) for size in sizes)
        if features.has_entries:
            before, blocks = self.items(map(text.coefficient, range(len(features.coefficients))))
            return [*body, *before, *listed("return _stacked(", [shape, *blocks], ")")]
        body.append(
            f"natural = np.empty({tupled([*map(self.spell, sizes), str(len(features.coefficients))])})"
        )
        dots = ", ".join(":" for _ in features.labels)
        for place, node in enumerate(features.coefficients):
            value = self.spell.aligned(node, features.labels)
            body += self.fitted(f"natural[{dots}, {place}] = ", value)
        return [*body, "return natural"]

    @property
    def given_to_log_joint(self) -> tuple[str, ...]:
        """What the log weights read of what the E-step has computed before them."""
        node = self.program.direct
        if node is None:
            return ()
        read = self.names_in([node, *(line.node for line in self.needed([node]))])
        return tuple(name for name in dict.fromkeys(self._made_in_rows()) if name in read)

    def log_joint(self) -> Lines:
        """The log weights with their squares completed."""
        node = self.program.direct
        assert node is not None
        done = self.given_to_log_joint
        return [
            *self.reading([*(line.node for line in self.needed([node])), node], "rows", done=done),
            *(text for line in self.needed([node]) for text in self.assign(line)),
            *self.fitted("return ", self.spell(node)),
        ]

    def features(self) -> Lines:
        """From a chunk's arrays to its features, one after the other."""
        features, text = self.program.features, self.feature_text
        assert features is not None
        assert text is not None
        body = self.reading([*features.features, *text.sizes], "rows")
        return body + [line for place in range(len(features.features)) for line in text.fill(place)]

    def width(self) -> Lines:
        """How many features there are."""
        assert self.feature_text is not None
        sizes = {self.program.layouts[name].name: name for name in self._size_names()}
        read = self.names_in(self.feature_text.sizes)
        body = unpacked((local, f'sizes["{name}"]') for local, name in sizes.items() if local in read)
        return [*body, f"return {self.feature_text.total_width()}"]

    def _size_names(self) -> list[str]:
        return [each.name for each in self.program.sized]

    def names_in(self, nodes: Iterable[Node]) -> set[str]:
        """All that the nodes read."""
        return set().union(*(reads(node) for node in nodes))

    def points(self) -> Lines:
        """A point for every function of data that is measured from one."""
        body, values = [], []
        for each in self.program.points.references:
            variable = self.program.derivation.model.variables[each.datum]
            local = self.program.layouts[each.datum].name
            body += unpacked([(local, f'arrays["{each.datum}"]')])
            axis = variable.sizes.index(self.program.rows)
            values.append(f'"{each.point.name}": _point({self.spell(_as_given(each.function))}, {axis})')
        return list(dict.fromkeys(body)) + listed("return {", values, "}")

    def prepare(self) -> Lines:
        """What is computed of a chunk's arrays once, by name."""
        lines = self.program.prepared
        body = self.reading([line.node for line in lines], "rows", done=self.prepared)
        body += [text for line in lines for text in self.assign(line)]
        return body + listed("return {", [f'"{name}": {name}' for name in self.prepared], "}")

    def _row_nodes(self) -> list[Node]:
        ends = [self.program.log_likelihood, *self._shared()]
        return [*self._infer_nodes(), *self.statistic_nodes(), *ends]

    def _shared(self) -> list[Node]:
        features = self.program.features
        return [features.shared] if features is not None and features.shared is not None else []

    def _infer_nodes(self) -> list[Node]:
        nodes = [each.node for each in self.program.infer if isinstance(each, Assign)]
        return nodes + [each.rest for each in self.program.infer if isinstance(each, Weigh) and each.rest]

    def statistic_nodes(self) -> list[Node]:
        return [each.node for each in self.program.summarise if isinstance(each, Assign)]

    @property
    def has_products(self) -> bool:
        """Whether some statistics come with the matrix product of weights and features."""
        return any(isinstance(each, Column) for each in self.program.summarise)

    def e_step(self) -> Lines:
        """The posterior in a chunk, and the log-likelihood."""
        value = self.program.log_likelihood
        ends = [value, *self._shared()]
        names = [*self.coefficient_names, *(["natural"] if self.program.features else [])]
        body = [f"{tupled(names) if len(names) == 1 else ', '.join(names)} = coefficients"] if names else []
        done = {*names, *self._made_in_rows()}
        body += self.reading([*self._infer_nodes(), *ends], "rows", done=done)
        for statement in self.program.infer:
            body += self._statement(statement)
        guarded = [
            each.normaliser for each in self.program.infer if isinstance(each, Normalise) and each.guarded
        ]
        refused = [name for name in guarded if name in self.names_in([value])]
        body += [f"_refuse_impossible({name}, rows.first)" for name in refused]
        value_text = self.spell(value)
        if self.program.features and self.program.features.shared is not None:
            shared = self.spell(self.program.features.shared)
            value_text += (
                f" + {shared}" if self.program.direct is None else f" + ({shared} if exact else 0.0)"
            )
        latents = tupled(self.latents)
        if len(latents) > WIDTH - 20:
            summed = self.summed_latents(self.latents)
            shown = [name for name in self.latents if name not in summed]
            body += [f"expected = {', '.join(summed)}", f"shown = {', '.join(shown)}"]
            latents = "expected + shown"
        return body + self.returned([latents, value_text])

    def _made_in_rows(self) -> list[str]:
        return [each.normaliser if isinstance(each, Normalise) else each.name for each in self.program.infer]

    def _statement(self, statement: Assign | Weigh | Normalise) -> Lines:
        if isinstance(statement, Assign):
            return self._fresh(statement) if statement.name in self._overwritten else self.assign(statement)
        if isinstance(statement, Normalise):
            helper = "_guarded_softmax" if statement.guarded else "_softmax"
            return [f"{statement.normaliser} = {helper}({statement.weight}, {statement.axis})"]
        product = "_weights(natural, rows)"
        direct = f"log_joint({', '.join(['theta', 'rows', *self.given_to_log_joint])})"
        test = [] if self.program.direct is None else ["exact = _is_exact(natural, rows)"]
        if statement.rest is None:
            chosen = product if self.program.direct is None else f"{product} if exact else {direct}"
            return [*test, f"{statement.name} = {chosen}"]
        features = self.program.features
        assert features is not None
        rest = self.spell.aligned(statement.rest, (*features.labels, features.row))
        added = [f"{statement.name} = {product}", *self.fitted(f"{statement.name} += ", rest)]
        if self.program.direct is None:
            return added
        inner = [f"    {line}" for line in added]
        return [*test, "if exact:", *inner, "else:", f"    {statement.name} = {direct}"]

    @property
    def _overwritten(self) -> set[str]:
        return {each.weight for each in self.program.infer if isinstance(each, Normalise)}

    def _fresh(self, line: Assign) -> Lines:
        """Log weights are normalised in place, so they must not share memory with anything."""
        if isinstance(line.node, Apply | Contract | Total):
            return self.assign(line)
        return self.fitted(f"{line.name} = ", f"np.array({self.text(line.node, line.axes)})")

    # -- the statistics -----------------------------------------------------------------------------

    def summarise(self) -> Lines:
        """The statistics of a chunk."""
        program, nodes = self.program, self.statistic_nodes()
        used = set(self.used_latents(nodes))
        own = {each.name for each in program.summarise}
        products = []
        if self.has_products:
            assert program.features is not None
            assert self.feature_text is not None
            used.add(program.features.weight)
            products = [f"products = {program.features.weight} @ rows.features.T"]
            nodes = [*nodes, *self.feature_text.sizes]
        body = self.unpacked_latents(used) + self.reading(nodes, "rows", done=used | own) + products
        for line in program.summarise:
            body += self._column(line) if isinstance(line, Column) else self.assign(line)
        sizes = ["rows.length" if name == str(program.rows) else f'rows["{name}"]' for name in program.sizes]
        values = [each.name for each in program.statistics]
        return body + self.returned([*values, *sizes, "log_likelihood"], "Statistics")

    def moments(self) -> Lines:
        """The statistics of all rows, and whether a scatter among them has lost its digits."""
        program, found = self.program, self.program.gathered
        assert found is not None
        assert self.feature_text is not None
        nodes = [line.node for line in found.lines if isinstance(line, Assign)]
        body = self.reading(
            [*nodes, *self.feature_text.sizes], "data", done={each.name for each in found.lines}
        )
        for line in found.lines:
            body += self._column(line) if isinstance(line, Column) else self.assign(line)
        tests = " or ".join(f"_loses_digits({scatter}, {excess})" for scatter, excess in found.lost)
        values = [*(each.name for each in program.statistics), *(f'data["{name}"]' for name in program.sizes)]
        made = self.fitted("found = ", f"Statistics({', '.join([*values, 'log_likelihood'])})")
        return [*body, *made, f"return found, {tests}"]

    def _column(self, line: Column) -> Lines:
        assert self.feature_text is not None
        return [f"{line.name} = {self.feature_text.moment(line.place)}"]

    def merge(self) -> Lines:
        """Sums add up, means are pooled, and scatters have what lies between the parts beside them."""
        program = self.program
        sizes = [
            f"a.{name} + b.{name}" if size == str(program.rows) else f"a.{name}"
            for size, name in ((size, self._size_field(size)) for size in program.sizes)
        ]
        body = [text for line in program.merged for text in self.assign(line)]
        values = [*(line.name for line in program.merged), *sizes, "a.log_likelihood + b.log_likelihood"]
        return body + self.returned(values, "Statistics")

    def _size_field(self, name: str) -> str:
        return self.program.layouts[name].name

    # -- what needs no rows -------------------------------------------------------------------------

    def sums_of_data(self) -> Lines:
        """What is summed over the rows of a chunk, once per fit."""
        lines = self.program.sums_of_data
        body = self.reading([line.node for line in lines], "rows", done=self.sums)
        body += [text for line in lines for text in self.assign(line)]
        return body + listed("return {", [f'"{name}": {name}' for name in self.sums], "}")

    def collapsed(self) -> Lines:
        """Statistics and log-likelihood on sums of the data."""
        found = self.program.collapsed
        assert found is not None
        body = self.reading(
            [*(line.node for line in found.lines), found.log_likelihood],
            "data",
            done={line.name for line in found.lines},
        )
        body += [text for line in found.lines for text in self.assign(line)]
        body += self.fitted("log_likelihood = ", self.spell(found.log_likelihood))
        values = [each.name for each in self.program.statistics]
        values += [f'data["{name}"]' for name in self.program.sizes]
        return body + self.returned([*values, "float(log_likelihood)"], "Statistics")

    def constant(self) -> Lines:
        node = self.program.log_likelihood_once
        return self.reading([node], "data") + self.fitted("return ", self.spell(node))

    def log_prior(self) -> Lines:
        node, lines = self.program.log_prior, self.program.of_prior
        assert node is not None
        body = self.reading(
            [node, *(line.node for line in lines)], "data", done={line.name for line in lines}
        )
        body += [text for line in lines for text in self.assign(line)]
        return body + self.fitted("return ", self.spell(node))

    # -- the M-step ---------------------------------------------------------------------------------

    @property
    def known(self) -> list[str]:
        """What the M-step needs besides the statistics, by local names."""
        read = self._m_step_reads()
        fields = {each.name for each in self.program.statistics} | {
            *map(self._size_field, self.program.sizes)
        }
        return [name for name in (*self.row_fields, *self.fixed) if name in read and name not in fields]

    def _m_step_reads(self) -> set[str]:
        lines = self.program.m_step
        nodes = [line.node for line in lines]
        nodes += [size for line in lines if isinstance(line, Entry) for size in line.fresh or ()]
        return set().union(*(reads(node) for node in nodes))

    def m_step(self) -> Lines:
        program = self.program
        read = self._m_step_reads()
        fields = [each.name for each in program.statistics] + [*map(self._size_field, program.sizes)]
        body = unpacked((name, f"statistics.{name}") for name in fields if name in read)
        if self.old:
            body.append("theta = _as_record(Parameters, theta)")
            body += unpacked((local, f"theta.{name}") for local, name in self.old.items())
        for name in self.known:
            body.append(f'{name} = known["{self.declared[name]}"]')
        body += [text for line in program.m_step for text in self.update(line)]
        order = [program.layouts[each.name].name for each in program.derivation.model.parameters]
        return body + self.returned(order, "Parameters")


def _as_given(node: Node) -> Node:
    """A function of each number of an array, whatever the order of its dimensions."""
    return replace(node, axes=(), stored=()) if isinstance(node, Load) else node.mapped(_as_given)
