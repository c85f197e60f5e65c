"""The functions of statistics and parameters: what a chunk gives, what two parts give together, and the M-step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symem.codegen.ir.instructions import Assign, Column, Difference, Entry, Gathered
from symem.codegen.ir.nodes import ZERO, Axes, Load, Node, Root
from symem.codegen.ir.program import Program
from symem.codegen.numpy.array_tables import quoted
from symem.codegen.numpy.fields_read import Records, names_in
from symem.codegen.numpy.function_text import DATA, LATENTS, ROWS, Function
from symem.codegen.numpy.lines import Given, Lines
from symem.codegen.numpy.root_spelling import steepness
from symem.codegen.numpy.wrapping import WIDTH, listed, unpacked
from symem.codegen.passes.cancelling import terms


class MStep:
    """Writes them for one program."""

    def __init__(self, program: Program, lines: Lines, records: Records) -> None:
        self.program, self.lines, self.records = program, lines, records

    def __iter__(self) -> Iterator[Function]:
        given = [ROWS, LATENTS, ("log_likelihood", "Any")]
        sentence = "The statistics of a chunk of rows."
        yield Function("summarise", given, "Statistics", sentence, self._summarise())
        if self.program.gathered is not None:
            given = [("products", "Any"), DATA, ("log_likelihood", "Any")]
            sentence = "Those of all rows from weights times features, and whether a scatter lost its digits."
            body = self._of_all(self.program.gathered)
            yield Function("moments", given, "tuple[Statistics, bool]", sentence, body)
        if merged := self._merge():
            two = [("a", "Statistics"), ("b", "Statistics")]
            sentence = "The statistics of two parts of the data together."
            yield Function("merge", two, "Statistics", sentence, merged)
        yield self._m_step()
        if self.program.differences:
            sentence = "Of differences in the updates, the share that is left."
            yield Function("shares", self._given(), "list[tuple[str, Any]]", sentence, self._shares())

    def size_field(self, name: str) -> str:
        """The field of the statistics that holds a size."""
        return self.program.layouts[name].name

    # -- statistics -------------------------------------------------------------------------------------

    def _summarise(self) -> list[str]:
        """The statistics of a chunk."""
        program, records = self.program, self.records
        columns = [each for each in program.summarise if isinstance(each, Column)]
        lines = [each for each in program.summarise if isinstance(each, Assign)]
        given = Given(
            tuple(
                (Load(each.axes, each.name, each.axes, frozenset()), each.axes) for each in program.statistics
            ),
            lambda texts: f"return Statistics({', '.join([*texts, *self._sizes(), 'log_likelihood'])})",
            open=program.rows is None and not columns,
            on_lines=lambda texts: len(
                self.lines.returned([*texts, *self._sizes(), "log_likelihood"], "Statistics")
            ),
        )
        kept, given = self.lines.compact(lines, given)
        nodes = [each.node for each in kept if isinstance(each, Assign)]
        read = names_in([*nodes, *(node for node, _ in given.values)])
        own = {each.name for each in program.summarise}
        weight = program.features.weight if columns and program.features is not None else ""
        body = records.taken_apart(records.latents, "latents", {*read, weight})
        body += records.reading(read - own - set(records.latents), "rows")
        body += self._apart(columns, f"_moments({weight}, rows)")
        body += [text for line in kept for text in self.lines.update(line)]
        values = [*self.lines.texts(given), *self._sizes(), "log_likelihood"]
        return [*body, *self.lines.returned(values, "Statistics")]

    def _sizes(self) -> list[str]:
        rows = str(self.program.rows)
        return ["rows.count" if name == rows else f'rows["{name}"]' for name in self.program.sizes]

    def _apart(self, columns: list[Column], products: str) -> list[str]:
        """Those statistics that come with the matrix product of weights and features."""
        features = self.program.features
        if not columns or features is None:
            return []
        names = {each.place: each.name for each in columns}
        places = [names.get(place, "_") for place in range(len(features.features))]
        more = [f"{each.name} = {names[each.place]}" for each in columns if names[each.place] != each.name]
        return [f"{', '.join(places)} = {products}", *more]

    def _of_all(self, found: Gathered) -> list[str]:
        """The statistics of all rows, and whether a scatter among them has lost its digits."""
        program = self.program
        columns = [each for each in found.lines if isinstance(each, Column)]
        lines = [each for each in found.lines if isinstance(each, Assign)]
        read = names_in(each.node for each in lines) - {each.name for each in found.lines}
        body = [*self.records.reading(read, "data"), *self._apart(columns, "products")]
        body += [text for line in lines for text in self.lines.assign(line)]
        tests = " or ".join(f"_loses_digits({scatter}, {excess})" for scatter, excess in found.lost)
        values = [*(each.name for each in program.statistics), *(f'data["{name}"]' for name in program.sizes)]
        made = f"Statistics({', '.join([*values, 'log_likelihood'])})"
        flat = f"return {made}, {tests}"
        if self.lines.indent + len(flat) <= WIDTH:
            return [*body, flat]
        return [*body, f"found = {made}", f"return found, {tests}"]

    def _merge(self) -> list[str]:
        """Sums add up, means are pooled, and scatters have what lies between the parts; nothing where all add up."""
        program, added = self.program, {*self.program.added}
        if program.rows is None and program.sized:
            return ["raise DataError(_NO_PARTS)"]
        lines = [line for line in program.merged if line.name not in added]
        kept = [name for name in map(self.size_field, program.sizes) if name != self._row_field()]
        names = [each.name for each in lines]
        given = Given(
            tuple((Load(each.axes, each.name, each.axes, frozenset()), each.axes) for each in lines),
            lambda texts: f"return _added(a, b)._replace({', '.join(_named(names, texts))})",
        )
        left, given = self.lines.compact(lines, given)
        body = [text for line in left for text in self.lines.update(line)]
        changes = [*_named(names, self.lines.texts(given)), *(f"{name}=a.{name}" for name in kept)]
        if program.log_likelihood_once != ZERO:
            changes += ["log_likelihood=a.log_likelihood + b.log_likelihood - b.once", "once=a.once"]
        return [*body, *listed("return _added(a, b)._replace(", changes, ")")] if changes else []

    def _row_field(self) -> str:
        rows = self.program.rows
        return "" if rows is None or str(rows) not in self.program.layouts else self.size_field(str(rows))

    # -- parameters -------------------------------------------------------------------------------------

    @property
    def known(self) -> list[str]:
        """What the M-step needs besides the statistics, by local names."""
        lines = self.program.m_step
        nodes = [line.node for line in lines]
        nodes += [size for line in lines if isinstance(line, Entry) for size in line.fresh or ()]
        read = names_in(nodes)
        return [name for name in (*self.records.row_fields, *self.records.fixed) if name in read]

    def _given(self) -> list[tuple[str, str]]:
        """What the M-step is given."""
        given = [("s", "Statistics"), *([("theta", "Any")] if self.records.old else []), ("/", "")]
        return [*given, *([("**known", "Any")] if self.known else [])]

    def _shares(self) -> list[str]:
        """The lines of the M-step that the differences rest on, and the share that is left of each."""
        differences, lines = self.program.differences, self.lines
        wanted = names_in(each.node for each in differences)
        needed: list[Assign | Entry] = []
        for line in reversed(self.program.m_step):
            if line.name in wanted:
                needed.append(line)
                nodes = [line.node, *((line.fresh or ()) if isinstance(line, Entry) else ())]
                wanted |= names_in(nodes)
        body = (
            ["theta = _as_record(Parameters, theta)"]
            if any(each.startswith("theta.") for each in wanted)
            else []
        )
        body += self._read_known(name for name in self.known if name in wanted)
        body += [text for line in reversed(needed) for text in lines.update(line)]
        before, items = lines.items(
            f"({quoted(each.parameter)}, {self._share(each)})" for each in differences
        )
        return [*body, *before, *listed("return [", items, "]")]

    def _read_known(self, names: Iterable[str]) -> list[str]:
        return unpacked((name, f'known["{self.records.declared[name]}"]') for name in names)

    def _share(self, difference: Difference) -> str:
        """Of a matrix, that of its diagonal: other entries may be 0. Of a root, how steeply its equation falls."""
        node = difference.node
        if isinstance(node, Root):
            return steepness(self.lines.spell, node)
        texts = ", ".join(self.lines.spell.aligned(each, node.axes) for each in terms(node))
        return f"np.diagonal(_share({texts}), 0, -2, -1)" if difference.matrix else f"_share({texts})"

    def _m_step(self) -> Function:
        records, program = self.records, self.program
        given = self._given()
        known = [records.declared[name] for name in self.known]
        needs = f" and {', '.join(known)}" if known else ""
        sentence = (
            f"The conditional maximisers of Q in their order, given the statistics{needs} and theta before it."
            if records.old
            else f"The parameters that maximise Q, given the statistics{needs}."
        )
        body = ["theta = _as_record(Parameters, theta)"] if records.old else []
        body += self._read_known(self.known)
        variables = program.derivation.model.parameters
        names = [program.layouts[each.name].name for each in variables]
        fields = [each.name for each in variables]
        values = tuple(self._value(name) for name in names)
        end = Given(values, lambda texts: f"return Parameters({', '.join(_named(fields, texts))})")
        kept, end = self.lines.compact(program.m_step, end)
        body += [text for line in kept for text in self.lines.update(line)]
        texts = self.lines.texts(end)
        items = texts if texts == names else _named(fields, texts)
        return Function(
            "m_step",
            given,
            "Parameters",
            sentence,
            body + self.lines.returned(items, "Parameters"),
            quiet=True,
        )

    def _value(self, name: str) -> tuple[Node, Axes]:
        axes = next(
            (each.axes for each in self.program.m_step if isinstance(each, Assign) and each.name == name), ()
        )
        return Load(axes, name, axes, frozenset()), axes


def _named(names: list[str], texts: list[str]) -> list[str]:
    return [f"{name}={text}" for name, text in zip(names, texts, strict=True)]
