"""The part of a solver that checks data, cuts them into chunks, and draws starts from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sympy import Expr, Integer, Symbol

from symem.codegen.ir.instructions import reads
from symem.codegen.ir.nodes import Node
from symem.codegen.ir.program import Program
from symem.codegen.lowering.lower import Lowering
from symem.codegen.lowering.row_plate import observed
from symem.codegen.numpy.array_tables import bounds_of, quoted
from symem.codegen.numpy.bodies import Bodies, tuple_text
from symem.codegen.numpy.starts import Starts
from symem.language.model import Variable


class Preparation:
    """Writes the lines from what was given to chunks of rows."""

    def __init__(self, program: Program, bodies: Bodies) -> None:
        self.program, self.bodies = program, bodies
        self.model = program.derivation.model
        self.layouts = program.layouts

    def local(self, name: str) -> str:
        return self.layouts[name].name

    def _asked(self) -> list[Variable]:
        return [*self.model.data, *self.model.known]

    def context(self) -> dict[str, Any]:
        program, bodies = self.program, self.bodies
        fields = [*bodies.row_fields, *bodies.prepared, "cut.start or 0", "length"]
        if program.features:
            wide = program.features.has_entries
            fields += (
                ["work[1][:, :length]", "work[0][..., :length]"]
                if wide
                else ["features", "work[..., :length]"]
            )
        named = {self.local(each.name): each.name for each in observed(self.model)}
        sizes = {self.local(each.name): each.name for each in self.program.sized}
        sizes |= {self.local(each.symbol.name): each.symbol.name for each in self.program.derivation.extents}
        values = [
            f"arrays[{quoted(named[name])}]" if name in named else f"sizes[{quoted(sizes[name])}]"
            for name in bodies.fixed
        ]
        return {
            "bounds": self._bounds(),
            "extents": self._extents(),
            "prepare_data": self._prepare_data(),
            "data_values": [*values, *("None" for _ in bodies.sums)],
            "scale": self._scale(),
            "make_rows": self._make_rows(named, sizes),
            "rows_values": ", ".join(fields),
            **self._starts(),
        }

    def _starts(self) -> dict[str, Any]:
        made = Starts(self.program, self.bodies)
        values = tuple_text(made.values())
        found = made.labelled
        labelled = [(name, self._row_slot(name)) for name in found.arrays] if found else []
        size = (
            "" if found is None else found.size if found.size.isdigit() else f"data.{self.local(found.size)}"
        )
        return {"imputed": made.body, "imputed_values": values, "labelled": labelled, "labelled_size": size}

    def _row_slot(self, local: str) -> int:
        variable = next(each for each in self._asked() if self.local(each.name) == local)
        if self.program.rows not in variable.sizes:
            return 0
        return self.layouts[variable.name].order.index(variable.sizes.index(self.program.rows))

    def _scale(self) -> str:
        """The number of observations: the length of the first data plate."""
        arrays = [each for each in self._asked() if each.sizes]
        size = (
            self.program.rows
            if self.program.rows is not None
            else (arrays[0].sizes[0] if arrays else Integer(1))
        )
        return f"sizes[{quoted(str(size))}]" if isinstance(size, Symbol) else str(size)

    def _extents(self) -> list[str]:
        """Sizes that data show: the largest of a value over all positions."""
        lines = []
        lower = Lowering(self.layouts, self.program.lower.rank, dict(self.program.lower.sizes))
        for extent in self.program.derivation.extents:
            lower.sizes |= {axis.index: axis.size for axis in extent.axes}
            node = lower(extent.value)
            lines += self._from_arrays([node])
            lines.append(f"_show_size(sizes, {quoted(extent.symbol.name)}, {self.bodies.spell(node)})")
        return lines

    def _from_arrays(self, nodes: Iterable[Node]) -> list[str]:
        """Checked arrays and sizes under the names that the nodes read."""
        read = set().union(*(reads(node) for node in nodes))
        sources = {self.local(each.name): f"arrays[{quoted(each.name)}]" for each in observed(self.model)}
        sources |= {self.local(each.name): f"sizes[{quoted(each.name)}]" for each in self.program.sized}
        return [f"{name} = {sources[name]}" for name in sorted(read & sources.keys())]

    def _bounds(self) -> list[str]:
        """Data that other data or numbers bound, such as a count below a known total."""
        lines = []
        for variable in self._asked():
            bound = bounds_of(variable, self.model)
            if bound is not None:
                places = bound.places(self.program.lower.sizes)
                low, high = (self.program.lower(end) for end in bound.ends)
                texts = [self.bodies.spell.aligned(node, places) for node in (low, high)]
                lines += self._from_arrays([low, high])
                name = quoted(variable.name)
                lines.append(f"_refuse_outside({name}, arrays, {', '.join(texts)}, {quoted(bound.wanted)})")
        return lines

    def _prepare_data(self) -> list[str]:
        program = self.program
        if program.rows is None:
            return ["chunks = (_rows(arrays, sizes, slice(None), None),)"]
        lines = []
        size = f"sizes[{quoted(str(program.rows))}]"
        work = "None"
        if program.features:
            shape = [self._size(program.lower.sizes[axis]) for axis in program.features.labels]
            work = f"np.empty(({', '.join(shape)}, length))"
            if self.bodies.feature_text:
                work = f"{work}, np.empty(({self.bodies.feature_text.total_width()}, length))"
        if self.bodies.feature_text:
            lines += self._from_arrays(self.bodies.feature_text.sizes)
        lines += [f"length = _chunk_length({size}, {' + '.join(self._widths())})", f"work = {work}"]
        cuts = f"range(0, {size}, length)"
        return [*lines, f"chunks = tuple(_rows(arrays, sizes, slice(k, k + length), work) for k in {cuts})"]

    def _size(self, size: Expr) -> str:
        return str(size) if size.is_Integer else f"sizes[{quoted(str(size))}]"

    def _as_kept(self, variable: Variable, text: str) -> str:
        """The array with its dimensions in the order in which chunks keep them."""
        order = self.layouts[variable.name].order
        if order == tuple(sorted(order)):
            return text
        turned = ".T" if order == (1, 0) else f".transpose{order}"
        return f"np.ascontiguousarray({text}{turned})"

    def _widths(self) -> list[str]:
        """How many numbers a row takes: features, tables and data arrays."""
        program = self.program
        shapes = [[axis.size for axis in each.axes] for each in program.derivation.definitions]
        shapes += [list(each.sizes) for each in self._asked()]
        shapes = [each for each in shapes if program.rows in each]
        beside = [tuple(size for size in shape if size != program.rows) for shape in shapes]
        widths = [" * ".join(map(self._size, shape)) for shape in dict.fromkeys(beside) if shape]
        features = str(len(program.features.features)) if program.features else "1"
        if self.bodies.feature_text:
            features = self.bodies.feature_text.total_width()
        return [features, *widths]

    def _make_rows(self, named: dict[str, str], sizes: dict[str, str]) -> list[str]:
        program, bodies = self.program, self.bodies
        lines = []
        read = bodies.prepare_reads()
        for name in bodies.row_fields:
            variable = self.model.variables[named[name]]
            slot = variable.sizes.index(program.rows) if program.rows in variable.sizes else 0
            cut = f"[{':, ' * slot}cut]" if program.rows is not None else ""
            lines.append(f"{name} = {self._as_kept(variable, f'arrays[{quoted(named[name])}]{cut}')}")
        if program.rows is not None:
            first = next(name for name in bodies.row_fields)
            variable = self.model.variables[named[first]]
            slot = self.layouts[variable.name].order.index(variable.sizes.index(program.rows))
            lines.append(f"length = {first}.shape[{slot}]")
        else:
            lines.append("length = 1")
        sources = {name: f"arrays[{quoted(named[name])}]" for name in bodies.fixed if name in named}
        sources |= {name: f"sizes[{quoted(sizes[name])}]" for name in bodies.fixed if name in sizes}
        lines += [f"{name} = {source}" for name, source in sources.items() if name in read]
        return [*lines, *bodies.prepare(), *bodies.feature_lines()]
