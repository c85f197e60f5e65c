"""The bodies of a solver's functions: statements of a program, with what each reads unpacked above them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sympy import Symbol

from symem.codegen.ir.instructions import Assign, Entry, Normalise, Statistic, Weigh
from symem.codegen.ir.nodes import Apply, Axes, Contract, Load, Node, Total
from symem.codegen.ir.program import Program
from symem.codegen.lowering.row_plate import observed
from symem.codegen.numpy.feature_text import FeatureText
from symem.codegen.numpy.matrix_spelling import transposed
from symem.codegen.numpy.spelling import Spelling
from symem.codegen.numpy.wrapping import wrapped


@dataclass(frozen=True)
class Function:
    """The lines of a body and the names that it reads from each record."""

    lines: tuple[str, ...]


class Bodies:
    """Writes the bodies of one program's functions."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.spell = Spelling(program.lower.rank)
        model = program.derivation.model
        layouts = program.layouts
        self.parameters = {layouts[each.name].name: each.name for each in model.parameters}
        arrays = list(observed(model))
        kept = (*arrays, *program.sized, *(each.symbol for each in program.derivation.extents))
        self.declared = {layouts[each.name].name: each.name for each in kept}
        cut = [each for each in arrays if program.rows is None or program.rows in each.sizes]
        self.row_fields = [layouts[each.name].name for each in cut]
        self.fixed = [layouts[each.name].name for each in arrays if each not in cut]
        self.fixed += [layouts[each.name].name for each in program.sized]
        self.fixed += [layouts[each.symbol.name].name for each in program.derivation.extents]
        self.prepared = [each.name for each in program.prepared]
        self.sums = [each.name for each in program.collapsed.sums] if program.collapsed else []
        self.latents = self._latents()
        self.feature_text = (
            FeatureText(program.features, program.lower, self.spell)
            if program.features is not None and program.features.has_entries
            else None
        )

    def _latents(self) -> tuple[str, ...]:
        """What the posterior hands on: all that it computes, in order."""
        names: list[str] = list(self.program.handed_on)
        defined = {layout.name for layout in self.program.layouts.values()}
        for statement in self.program.infer:
            if isinstance(statement, Assign) and statement.name in defined:
                names.append(statement.name)
            if isinstance(statement, Normalise):
                names.append(statement.normaliser)
            if isinstance(statement, Weigh):
                names.append(statement.name)
        return tuple(dict.fromkeys(names))

    @property
    def old(self) -> dict[str, str]:
        """Parameters that the M-step reads as they were, by the names it has for them."""
        layouts = self.program.m_step_layouts
        names = [each.name for each in self.program.derivation.model.parameters]
        return {layouts[f"old_{name}"].name: name for name in names if f"old_{name}" in layouts}

    # -- unpacking --------------------------------------------------------------------------------------

    def _unpacked(
        self, nodes: Iterable[Node], *, records: Sequence[str], always: Iterable[str] = ()
    ) -> list[str]:
        read = {part.name for node in nodes for part in node.walk() if isinstance(part, Load)} | set(always)
        lines = []
        sources = {
            "theta": self.parameters,
            "data": {name: name for name in (*self.fixed, *self.sums)},
            "rows": {name: name for name in (*self.row_fields, *self.prepared, "length")},
        }
        for record in records:
            used = [(local, name) for local, name in sources[record].items() if local in read]
            lines += [f"{local} = {record}.{name}" for local, name in used]
        return lines

    def _used_latents(self, nodes: Iterable[Node]) -> list[str]:
        read = {part.name for node in nodes for part in node.walk() if isinstance(part, Load)}
        return [name for name in self.latents if name in read]

    # -- bodies -----------------------------------------------------------------------------------------

    def assign(self, line: Assign) -> str:
        return wrapped(f"{line.name} = ", self.text(line.node, line.axes))

    def entry(self, line: Entry) -> list[str]:
        shape = ", ".join(self.spell(size) for size in line.fresh or ())
        made = [f"{line.name} = np.empty(({shape},))"] if line.fresh else []
        places = ", ".join(":" if isinstance(place, Symbol) else str(place) for place in line.place)
        axes = tuple(place for place in line.place if isinstance(place, Symbol))
        return [*made, f"{line.name}[{places}] = {self.text(line.node, axes)}"]

    def update(self, line: Assign | Entry) -> list[str]:
        return self.entry(line) if isinstance(line, Entry) else [self.assign(line)]

    def text(self, node: Node, axes: Axes) -> str:
        """The node with its dimensions in the wanted order."""
        return self.spell.tight(node) + transposed(node.axes, axes) if node.axes != axes else self.spell(node)

    def prepare(self) -> list[str]:
        """From a chunk's arrays to what is computed of them once."""
        return [self.assign(line) for line in self.program.prepared]

    def feature_lines(self) -> list[str]:
        features = self.program.features
        if features is None or features.has_entries:
            return []
        lines = [f"features = np.empty(({len(features.features)}, length))"]
        lines += [f"features[{r}] = {self.spell(node)}" for r, node in enumerate(features.features)]
        own = [(r, node.name) for r, node in enumerate(features.features) if isinstance(node, Load)]
        return lines + [f"{name} = features[{r}]" for r, name in own if name in self.row_fields]

    def fill(self) -> list[str]:
        """From a chunk's arrays to its features, one after the other."""
        features = self.program.features
        if features is None or not features.has_entries:
            return []
        assert self.feature_text is not None
        places = range(len(features.features))
        nodes = [*features.features, *self.feature_text.sizes]
        lines = self._unpacked(nodes, records=("data", "rows"))
        return [*lines, "features = rows.features", *(self.feature_text.fill(r) for r in places)]

    def prepare_reads(self) -> set[str]:
        nodes = [line.node for line in self.program.prepared]
        nodes += self.program.features.features if self.program.features and not self.feature_text else ()
        return {part.name for node in nodes for part in node.walk() if isinstance(part, Load)}

    def coefficients(self) -> tuple[list[str], list[str]]:
        """(body, names returned)."""
        lines = self.program.coefficients
        features = self.program.features
        nodes = [line.node for line in lines] + list(features.coefficients if features else ())
        body = self._unpacked(nodes, records=("theta", "data"))
        body += [self.assign(line) for line in lines]
        names = [line.name for line in lines if self._read_in_rows(line.name)]
        if features:
            body += self._natural(features.labels, features.coefficients)
            if self.program.direct is not None:
                body += ["if np.abs(natural).dot(data.peaks).max() > _LOSES_DIGITS:", "    natural = None"]
            names.append("natural")
        return body, names

    def _natural(self, labels: Axes, coefficients: Sequence[Node]) -> list[str]:
        shape = ", ".join(self.spell(self.program.lower.size(axis)) for axis in labels)
        body = self._unpacked([self.program.lower.size(axis) for axis in labels], records=("data",))
        if self.feature_text is not None:
            blocks = map(self.feature_text.coefficient, range(len(coefficients)))
            return [
                *body,
                "natural = _stacked(",
                f"    ({shape},),",
                *(f"    {each}," for each in blocks),
                ")",
            ]
        body.append(f"natural = np.empty(({shape}, {len(coefficients)}))")
        dots = ", ".join(":" for _ in labels)
        return body + [
            f"natural[{dots}, {r}] = {self.spell.aligned(node, labels)}"
            for r, node in enumerate(coefficients)
        ]

    def _read_in_rows(self, name: str) -> bool:
        if name in self.program.handed_on:
            return True
        return any(
            isinstance(part, Load) and part.name == name for node in self._row_nodes() for part in node.walk()
        )

    def _row_nodes(self) -> list[Node]:
        return [*self._infer_nodes(), *self._statistic_nodes(), self.program.log_likelihood]

    def _infer_nodes(self) -> list[Node]:
        nodes = [each.node for each in self.program.infer if isinstance(each, Assign)]
        nodes += [each.rest for each in self.program.infer if isinstance(each, Weigh) and each.rest]
        return [*nodes, self.program.direct] if self.program.direct is not None else nodes

    def _statistic_nodes(self) -> list[Node]:
        return [each.rows for each in self.program.statistics if each.rows is not None]

    def infer(self) -> list[str]:
        body = self._unpacked(self._infer_nodes(), records=("theta", "data", "rows"))
        for statement in self.program.infer:
            body += self._statement(statement)
        return body

    def _statement(self, statement: Assign | Weigh | Normalise) -> list[str]:
        if isinstance(statement, Assign):
            return [self._fresh(statement) if statement.name in self._overwritten else self.assign(statement)]
        if isinstance(statement, Normalise):
            helper = "_guarded_softmax" if statement.guarded else "_softmax"
            self.spell.helpers.add(helper)
            return [f"{statement.normaliser} = {helper}({statement.weight}, {statement.axis})"]
        product = f"{statement.name} = np.matmul(natural, rows.features, out=rows.buffer)"
        lines = [product]
        if statement.rest is not None:
            features = self.program.features
            assert features is not None
            rest = self.spell.aligned(statement.rest, (*features.labels, features.row))
            lines.append(wrapped(f"{statement.name} += ", rest))
        if self.program.direct is None:
            return lines
        direct = wrapped(f"{statement.name} = ", self.spell(self.program.direct), indent=8)
        return ["if natural is None:", f"    {direct}", "else:", *(f"    {line}" for line in lines)]

    @property
    def _overwritten(self) -> set[str]:
        return {each.weight for each in self.program.infer if isinstance(each, Normalise)}

    def _fresh(self, line: Assign) -> str:
        """Log weights are normalised in place, so they must not share memory with anything."""
        made = isinstance(line.node, Apply | Contract | Total)
        return self.assign(line) if made else f"{line.name} = np.array({self.text(line.node, line.axes)})"

    def summarise(self) -> tuple[list[str], list[str], list[str]]:
        """(latents read, body, values returned)."""
        nodes = self._statistic_nodes()
        own = [each for each in self.program.statistics if each.rows is not None]
        body = self._unpacked(nodes, records=("theta", "data", "rows"))
        values = []
        reads = set(self._used_latents(nodes))
        if any(each.moment is not None for each in self.program.statistics):
            assert self.program.features is not None
            reads.add(self.program.features.weight)
            values.append(f"{self.program.features.weight} @ rows.features.T")
        for each in own:
            assert each.rows is not None
            values.append(self.text(each.rows, each.axes))
        return [name for name in self.latents if name in reads], body, values

    def log_likelihood(self) -> tuple[list[str], str]:
        node = self.program.log_likelihood
        body = self._unpacked([node], records=("theta", "data", "rows"))
        guarded = {
            each.normaliser for each in self.program.infer if isinstance(each, Normalise) and each.guarded
        }
        body += [
            f"_refuse_impossible({name}, rows.first)"
            for name in self._used_latents([node])
            if name in guarded
        ]
        return body, wrapped("", self.spell(node))

    def collected(self) -> list[str]:
        """From the totals over chunks to the fields of Statistics."""
        own = [each for each in self.program.statistics if each.rows is not None]
        columns = [each for each in self.program.statistics if each.moment is not None]
        places = {each.name: f"total[{k + bool(columns)}]" for k, each in enumerate(own)}
        for each in columns:
            assert self.program.features is not None
            labels = self.program.features.labels
            column = f"total[0][{', '.join(':' for _ in labels)}, {each.moment}]"
            places[each.name] = self.feature_text.moment(each.moment or 0) if self.feature_text else column
        return [self._field(each, places.get(each.name)) for each in self.program.statistics]

    def _field(self, statistic: Statistic, place: str | None) -> str:
        declared = tuple(getattr(statistic.definition.symbol, "indices", ()))
        text = f"{place}{transposed(statistic.axes, declared)}" if place else ""
        if statistic.once is None:
            return text or "0.0"
        once = self.text(statistic.once, declared)
        return f"{text} + {once}" if text else once

    def once_reads(self) -> list[str]:
        nodes = [each.once for each in self.program.statistics if each.once is not None]
        nodes += self.feature_text.sizes if self.feature_text else []
        return self._unpacked(nodes, records=("data",))

    def sums_of_data(self) -> tuple[list[str], list[str]]:
        """(body, values) of what is summed over the rows of a chunk, once per fit."""
        lines = self.program.collapsed.sums if self.program.collapsed else ()
        body = self._unpacked([line.node for line in lines], records=("data", "rows"))
        return body, [self.text(line.node, line.axes) for line in lines]

    def collapsed(self) -> tuple[list[str], list[str], str]:
        """(body, statistics, log-likelihood) on sums of the data."""
        found = self.program.collapsed
        if found is None:
            return [], [], ""
        nodes = [line.node for line in (*found.lines, *found.statistics)]
        sizes = [self.program.layouts[name].name for name in self.program.sizes]
        body = self._unpacked([*nodes, found.value], records=("theta", "data"))
        body += [self.assign(line) for line in found.lines]
        fields = []
        for line, each in zip(found.statistics, self.program.statistics, strict=True):
            slots = tuple(getattr(each.definition.symbol, "indices", ()))
            fields.append(wrapped("", self.text(line.node, slots), indent=8))
        body.append(wrapped("value = ", self.spell(found.value)))
        return body, [*fields, *(f"data.{name}" for name in sizes)], "value"

    def log_likelihood_once(self) -> tuple[list[str], str]:
        node = self.program.log_likelihood_once
        return self._unpacked([node], records=("theta", "data")), self.spell(node)

    def log_prior(self) -> tuple[list[str], str]:
        node = self.program.log_prior
        assert node is not None
        lines = self.program.of_prior
        body = self._unpacked([node, *(line.node for line in lines)], records=("theta", "data"))
        return [*body, *map(self.assign, lines)], self.spell(node)

    def recentred(self) -> tuple[list[str], list[str]]:
        """(body, fields that change) of moving statistics to another centre."""
        program = self.program
        read = {
            part.name for line in program.recentred for part in line.node.walk() if isinstance(part, Load)
        }
        fields = [each.name for each in program.statistics] + [
            program.layouts[name].name for name in program.sizes
        ]
        body = [f"{name} = statistics.{name}" for name in fields if name in read]
        return body, [f"{line.name}={self.text(line.node, line.axes)}" for line in program.recentred]

    def m_step(self) -> tuple[list[str], list[str], list[str]]:
        """(body, parameters in declared order, known arrays read)."""
        program = self.program
        nodes = [line.node for line in program.m_step]
        nodes += [size for line in program.m_step if isinstance(line, Entry) for size in line.fresh or ()]
        read = {part.name for node in nodes for part in node.walk() if isinstance(part, Load)}
        fields = [each.name for each in program.statistics if each.name in read]
        sizes = [program.layouts[name].name for name in program.sizes]
        fields += [name for name in sizes if name in read]
        known = [name for name in (*self.row_fields, *self.fixed) if name in read and name not in fields]
        body = [f"{local} = theta.{name}" for local, name in self.old.items()]
        body += [f"{name} = statistics.{name}" for name in fields]
        body += [f'{name} = known["{self.declared[name]}"]' for name in known]
        body += [text for line in program.m_step for text in self.update(line)]
        order = [program.layouts[each.name].name for each in program.derivation.model.parameters]
        return body, order, known


def index_names(symbols: Iterable[Symbol]) -> list[str]:
    return [symbol.name for symbol in symbols]


def tuple_text(names: Iterable[str]) -> str:
    """Names as Python writes a tuple of them."""
    listed = list(names)
    return f"({listed[0]},)" if len(listed) == 1 else ", ".join(listed) or "()"
