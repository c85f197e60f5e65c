"""The M-step as statements, and what moves its statistics to another centre: all that reads no rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from sympy import Expr, Indexed, IndexedBase, Symbol

from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.instructions import (
    Assign,
    Entry,
    Statistic,
    reads,
    woven,
)
from symem.codegen.ir.nodes import Node, Source
from symem.codegen.ir.program import NOTHING, Order
from symem.codegen.lowering.entrywise import factors_of
from symem.codegen.lowering.lower import Layout, Lowering
from symem.codegen.lowering.row_plate import base_of
from symem.codegen.passes.apart import Apart
from symem.codegen.passes.hoisting import shared
from symem.codegen.passes.translation import Translation
from symem.derivation import Definition, Derivation
from symem.language.model import Model, Variable


class Stage(Protocol):
    """What the M-step needs to know of the program that is being built."""

    derivation: Derivation
    model: Model
    names: Names
    sizes: dict[Symbol, Expr]
    rank: Order
    sized: tuple[Variable, ...]
    translation: Translation | None
    statistics: tuple[Definition, ...]
    layouts: dict[str, Layout]
    apart: Apart | None

    def axes(self, definition: Definition) -> tuple[Symbol, ...]:
        """The axes of a definition in the program's order."""


class Maximisation:
    """Writes the updates over the statistics' own layouts."""

    def __init__(self, builder: Stage) -> None:
        self.builder = builder

    def lines(
        self, statistics: Sequence[Statistic]
    ) -> tuple[tuple[Assign | Entry, ...], dict[str, Layout], tuple[str, ...]]:
        layouts = dict(self.builder.layouts)
        for each in statistics:
            order = tuple(range(len(getattr(each.definition.symbol, "indices", ()))))
            layouts[base_of(each.definition.symbol)] = Layout(each.name, order, frozenset({Source.STATISTIC}))
        updates = self._definitions(layouts)
        lower = Lowering(layouts, self.builder.rank, dict(self.builder.sizes))
        named, nodes = shared(
            self.builder.names,
            "d",
            [lower.over(update.value, self.builder.axes(update)) for update in updates],
        )
        lines: list[Assign | Entry] = []
        for update, node in zip(updates, nodes, strict=True):
            lines.append(self._update(lower, update, node, {line.name for line in lines}))
        nodes = [*nodes, *(node for _, node in named)]
        nodes += [size for line in lines if isinstance(line, Entry) for size in line.fresh or ()]
        return woven(named, lines), layouts, self._sizes_in(nodes)

    def _definitions(self, layouts: dict[str, Layout]) -> list[Definition]:
        """The updates, each after the factorisations it reads; a parameter not yet updated is read as it was."""
        names = [base_of(update.parameter) for update in self.builder.derivation.updates]
        found: list[Definition] = []
        for place, update in enumerate(self.builder.derivation.updates):
            later = set(names[place:]) - set(names[:place])
            for each in (*factors_of(self.builder.derivation, update.parameter), update.definition):
                if each is not update.definition:
                    order = tuple(range(len(each.axes)))
                    name = self.builder.names.take(base_of(each.symbol))
                    layouts[base_of(each.symbol)] = Layout(name, order, frozenset({Source.STATISTIC}))
                found.append(replace(each, value=self._with_old(each.value, later, layouts)))
        return found

    def _with_old(self, value: Expr, later: set[str], layouts: dict[str, Layout]) -> Expr:
        """The value in which the parameters named stand for what they were before the M-step."""
        changes: dict[Expr, Expr] = {}
        for atom in sorted(value.atoms(Indexed, Symbol), key=str):
            name = base_of(atom)
            if name in later and not isinstance(atom, IndexedBase):
                changes[atom] = self._old(atom, name, layouts)
        return value.xreplace(changes)

    def _old(self, atom: Expr, name: str, layouts: dict[str, Layout]) -> Expr:
        if f"old_{name}" not in layouts:
            local = self.builder.names.take(f"old_{name}")
            layouts[f"old_{name}"] = replace(self.builder.layouts[name], name=local)
        if isinstance(atom, Indexed):
            return IndexedBase(f"old_{name}", **atom.base.label.assumptions0)[tuple(atom.indices)]
        return Symbol(f"old_{name}", **atom.assumptions0)

    def _sizes_in(self, nodes: Iterable[Node]) -> tuple[str, ...]:
        """The names of the sizes that the nodes read."""
        read = set().union(*(reads(node) for node in nodes))
        names = [each.name for each in self.builder.sized] + [
            each.symbol.name for each in self.builder.derivation.extents
        ]
        return tuple(sorted(name for name in names if self.builder.layouts[name].name in read))

    def recentred(self, layouts: Mapping[str, Layout]) -> tuple[tuple[Assign, ...], set[str]]:
        """The statistics about another centre, those that change; and the sizes that this reads."""
        if self.builder.translation is None:
            return (), set()
        step = self.builder.translation.step
        own = self.builder.apart
        recentred = own.recentred if own else self.builder.translation.recentred
        order = (0, 1) if own else (0,) if self.builder.translation.centre.shape else ()
        lower = Lowering(
            {**layouts, step.name: Layout("step", order, NOTHING)}, self.builder.rank, self.builder.sizes
        )
        lines = []
        for definition in self.builder.statistics:
            value = recentred[base_of(definition.symbol)]
            if value != definition.symbol:
                node = lower.over(value, self.builder.axes(definition))
                axes = tuple(getattr(definition.symbol, "indices", ()))
                lines.append(Assign(layouts[base_of(definition.symbol)].name, node, axes))
        return tuple(lines), set(self._sizes_in([line.node for line in lines]))

    def _update(self, lower: Lowering, update: Definition, node: Node, seen: set[str]) -> Assign | Entry:
        slots = tuple(getattr(update.symbol, "indices", ()))
        if base_of(update.symbol) not in self.builder.model.variables:
            return Assign(lower.layouts[base_of(update.symbol)].name, node, slots)
        name = self.builder.layouts[base_of(update.symbol)].name
        if all(isinstance(slot, Symbol) for slot in slots):
            return Assign(name, node, slots)
        variable = self.builder.model.variables[base_of(update.symbol)]
        return Entry(
            name, slots, node, None if name in seen else tuple(lower(size) for size in variable.sizes)
        )
