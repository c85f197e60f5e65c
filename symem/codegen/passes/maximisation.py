"""The M-step as statements over the names of the statistics: it reads no rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sympy import Expr, Indexed, IndexedBase, Symbol

from symem.codegen.ir.instructions import Assign, Entry, reads, woven
from symem.codegen.ir.nodes import Node, Source
from symem.codegen.ir.program import Program
from symem.codegen.ir.shared_values import shared
from symem.codegen.lowering.entrywise import factors_of
from symem.codegen.lowering.layouts import Layout
from symem.codegen.lowering.lower import Lowering
from symem.codegen.lowering.means import Determined
from symem.derivation import Definition, defined_by
from symem.language.leaves import name_of, places_of

_STATISTIC = frozenset({Source.STATISTIC})


def maximised(program: Program) -> Program:
    """The updates over the statistics' own layouts, and the sizes that they read."""
    return _Updates(program).entered()


class OfStatistics:
    """Writes what is computed of statistics and parameters, without the rows."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.derivation = program.derivation
        self.layouts = dict(program.layouts)
        #: The record that holds statistics and sizes.
        self.record = "" if program.plain else "s."
        for each in program.statistics:
            self._place(each.definition.symbol, f"{self.record}{each.name}")
        for name in (*(each.name for each in program.sized), *program.sizes):
            self.layouts[name] = replace(
                program.layouts[name], name=f"{self.record}{program.layouts[name].name}"
            )

    def _place(self, symbol: Expr, name: str) -> None:
        self.layouts[name_of(symbol)] = Layout.along(name, symbol, _STATISTIC)

    def place_factor(self, definition: Definition) -> None:
        """A name for what is factorised on the way."""
        self._place(definition.symbol, self.program.names.take(name_of(definition.symbol)))

    def sizes_read(self, nodes: Iterable[Node]) -> list[str]:
        """The sizes among what is read."""
        read = set().union(*(reads(node) for node in nodes))
        names = [each.name for each in self.program.sized]
        names += [each.symbol.name for each in self.derivation.extents]
        return [name for name in names if self.layouts[name].name in read]


class _Updates(OfStatistics):
    """Writes the updates of one program."""

    def entered(self) -> Program:
        program, updates = self.program, self._definitions()
        lower = Lowering(self.layouts, program.rank, dict(program.index_sizes))
        lines: list[Assign | Entry] = [*self._determined(lower)]
        nodes = [lower.over(update.value, program.axes(update)) for update in updates]
        named, nodes = shared(program.names, "d", nodes)
        for update, node in zip(updates, nodes, strict=True):
            lines.append(self._update(lower, update, node, {line.name for line in lines}))
        nodes = [*nodes, *(node for _, node in named)]
        nodes += [size for line in lines if isinstance(line, Entry) for size in line.fresh or ()]
        return replace(
            program,
            m_step=woven(named, lines),
            m_step_layouts=self.layouts,
            sizes=tuple(sorted({*program.sizes, *self.sizes_read(nodes)})),
        )

    def _determined(self, lower: Lowering) -> list[Assign]:
        """The means that are read, undetermined where nothing is left to take them of."""
        found = []
        for moments in self.derivation.surrogate.moments:
            for mean in moments.means:
                value = Determined(mean.symbol, moments.total)
                node = lower.over(value, self.program.axes(mean))
                slots = places_of(mean.symbol)
                if not self.program.plain and Source.STATISTIC in lower(moments.total).sources:
                    name = next(
                        each.name for each in self.program.statistics if each.definition.symbol == mean.symbol
                    )
                    found.append(Assign(name, node, slots))
        for line in found:
            self.layouts = {
                key: replace(layout, name=line.name) if layout.name == f"{self.record}{line.name}" else layout
                for key, layout in self.layouts.items()
            }
        lower.layouts = self.layouts
        return found

    def _definitions(self) -> list[Definition]:
        """The updates, each after the factorisations it reads; an entry not yet updated is read as it was."""
        found: list[Definition] = []
        for place, update in enumerate(self.derivation.updates):
            later = [each.parameter for each in self.derivation.updates[place:]]
            for each in (*factors_of(self.derivation, update.parameter), *defined_by(update)):
                if each is not update.definition:
                    self.place_factor(each)
                found.append(replace(each, value=self._with_old(each.value, later)))
        return found

    def _with_old(self, value: Expr, later: Sequence[Expr]) -> Expr:
        """The value in which the entries that later updates set stand for what they were before the M-step."""
        changes: dict[Expr, Expr] = {}
        for atom in sorted(value.atoms(Indexed, Symbol), key=str):
            if not isinstance(atom, IndexedBase) and any(_meet(atom, parameter) for parameter in later):
                changes[atom] = self._old(atom, name_of(atom))
        return value.xreplace(changes)

    def _old(self, atom: Expr, name: str) -> Expr:
        if f"old_{name}" not in self.layouts:
            local = self.program.names.take(f"old_{name}") if self.program.plain else f"theta.{name}"
            self.layouts[f"old_{name}"] = replace(self.program.layouts[name], name=local)
        if isinstance(atom, Indexed):
            return IndexedBase(f"old_{name}", **atom.base.label.assumptions0)[tuple(atom.indices)]
        return Symbol(f"old_{name}", **atom.assumptions0)

    def _update(self, lower: Lowering, update: Definition, node: Node, seen: set[str]) -> Assign | Entry:
        slots = places_of(update.symbol)
        if name_of(update.symbol) not in self.derivation.model.variables:
            return Assign(lower.layouts[name_of(update.symbol)].name, node, slots)
        name = self.program.layouts[name_of(update.symbol)].name
        if all(isinstance(slot, Symbol) for slot in slots):
            return Assign(name, node, slots)
        variable = self.derivation.model.variables[name_of(update.symbol)]
        return Entry(
            name, slots, node, None if name in seen else tuple(lower(size) for size in variable.sizes)
        )


def _meet(atom: Expr, parameter: Expr) -> bool:
    """Whether an atom may be an entry that the update of a parameter sets."""
    if name_of(atom) != name_of(parameter) or isinstance(atom, Indexed) != isinstance(parameter, Indexed):
        return False
    slots = zip(places_of(atom), places_of(parameter), strict=True)
    return all(mine == yours or not (mine.is_Integer and yours.is_Integer) for mine, yours in slots)
