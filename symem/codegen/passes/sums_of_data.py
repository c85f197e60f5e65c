"""Iterations without the data: where everything that is summed over rows is parameters times sums of data.

If the definitions of a row, put into the statistics and into the log-likelihood, leave a sum of products of
parameters and of data, the rows enter only through sums of the latter, Σx and Σxxᵀ, which are computed once per
fit. Factor analysis is so, and every model whose posterior means are affine in the data and whose posterior
variances do not depend on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sympy import Add, Expr, Indexed, IndexedBase, Mul, Sum, Symbol

from symem.codegen.ir.instructions import Assign, reads, woven
from symem.codegen.ir.nodes import Node, Source
from symem.codegen.ir.program import NOTHING, Collapsed, Program
from symem.codegen.ir.shared_values import shared
from symem.codegen.lowering.entries import is_entry, place
from symem.codegen.lowering.lower import Layout, Lowering
from symem.codegen.passes.natural_form import Product, nested, products
from symem.derivation import Definition, Probabilities
from symem.language.leaves import name_of
from symem.language.plates import Axis


class _Mixed(Exception):  # noqa: N818 - no error: the data do not separate
    """Parameters and data that cannot be taken apart."""


def collapsed(program: Program) -> Program:
    """The E-step on sums of the data, where the rows themselves are not needed."""
    tables = any(isinstance(each, Probabilities) for each in program.derivation.posteriors)
    if not program.in_entries or program.rows is None or tables:
        return program
    try:
        return replace(program, collapsed=_Collapse(program).made())
    except _Mixed:
        return program.without_points()


class _Collapse:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.layouts = dict(program.layouts)
        self.lower = Lowering(self.layouts, program.rank, program.index_sizes, program.lower.rows)
        self.fixed: list[Definition] = []
        self.row_values: dict[str, Definition] = {}
        self.sums: dict[Expr, Definition] = {}
        for definition in program.derivation.definitions:
            if name_of(definition.symbol) in program.of_parameters:
                self.fixed.append(definition)
            else:
                self._read(definition)

    # -- the definitions of a row --------------------------------------------------------------------------

    def _read(self, definition: Definition) -> None:
        """A definition of a row in terms of data, its coefficients made definitions of parameters."""
        if not any(axis.size == self.program.rows for axis in definition.axes):
            raise _Mixed
        value = self._inlined(self.program.points.centred(definition.value))
        parts = self._products(value)
        if all(len(part.data) <= 1 and len(_entries(part)) <= 1 for part in parts):
            value = self._affine(definition, parts)
        self.row_values[name_of(definition.symbol)] = Definition(definition.symbol, definition.axes, value)

    def _affine(self, definition: Definition, parts: Sequence[Product]) -> Expr:
        """Σ_d slope[…, d] x[i, d] + offset."""
        groups: dict[Expr, list[Expr]] = {}
        for part in parts:
            data, names = _canonical(Mul(*part.data), part)
            self.program.index_sizes.update(
                {names[index]: size for index, size in part.bound if index in names}
            )
            inner = [(index, size) for index, size in part.bound if index not in names]
            groups.setdefault(data, []).append(nested([each.xreplace(names) for each in part.other], inner))
        return Add(*(self._named(definition, data, Add(*values)) for data, values in groups.items()))

    def _named(self, definition: Definition, data: Expr, coefficient: Expr) -> Expr:
        over = sorted(
            (s for s in data.free_symbols if s in self.program.index_sizes and is_entry(s)), key=str
        )
        own = [axis for axis in definition.axes if axis.size != self.program.rows]
        fresh = {index: self._beside(index, own, 1) for index in over}
        axes = (*own, *(Axis(fresh[index], self.program.index_sizes[index]) for index in over))
        kind = "slope" if data != 1 else "offset"
        symbol = self._symbol(f"{name_of(definition.symbol)}_{kind}", axes)
        made = Definition(symbol, axes, coefficient.xreplace(fresh))
        self.fixed.append(made)
        self._lay([made], frozenset({Source.THETA}))
        bound = {index: self._beside(index, own, 51) for index in over}
        summed = {fresh[index]: bound[index] for index in over}
        product = symbol.xreplace(summed) * data.xreplace(bound)
        limits = [Axis(each, self.program.index_sizes[each]).limits for each in bound.values()]
        return Sum(product, *limits) if over else product

    def _beside(self, index: Symbol, own: Iterable[Axis], first: int) -> Symbol:
        """An index of entries, of this number or a higher one, that the axes of a definition do not use."""
        taken = {axis.index for axis in own}
        size = self.program.index_sizes[index]
        fresh = next(each for k in range(first, 90) if (each := place(size, k)) not in taken)
        self.program.index_sizes[fresh] = size
        return fresh

    def _symbol(self, wanted: str, axes: Sequence[Axis]) -> Expr:
        taken = {name_of(each.symbol) for each in (*self.fixed, *self.sums.values())}
        taken |= self.layouts.keys()
        name = next(
            each for k in range(1, 99) if (each := wanted if k == 1 else f"{wanted}_{k}") not in taken
        )
        slots = tuple(axis.index for axis in axes)
        return IndexedBase(name, real=True)[slots] if slots else Symbol(name, real=True)

    def _inlined(self, expr: Expr) -> Expr:
        """The expression with the definitions of rows written out."""
        changes: dict[Expr, Expr] = {}
        for entry in expr.atoms(Indexed):
            definition = self.row_values.get(name_of(entry))
            if definition is not None:
                changes[entry] = definition.at(entry)
        return expr.xreplace(changes)

    def _products(self, value: Expr) -> list[Product]:
        found = products(self.lower, value)
        if found is None:
            raise _Mixed
        for part in found:
            self.program.index_sizes.update(dict(part.bound))
        return found

    # -- sums over rows ------------------------------------------------------------------------------------

    def _total(self, value: Expr) -> Expr:
        """An expression with every sum over rows as parameters times sums of data."""
        return Add(*(self._total_of(term) for term in Add.make_args(value)))

    def _total_of(self, term: Expr) -> Expr:
        factors = Mul.make_args(term)
        sums = [each for each in factors if isinstance(each, Sum) and self._row_index(each) is not None]
        if not sums:
            if self._reads_rows(term):
                raise _Mixed
            return term
        rest = Mul(*(each for each in factors if each not in sums))
        if len(sums) > 1 or self._reads_rows(rest):
            raise _Mixed
        return rest * self._sum_over_rows(sums[0])

    def _row_index(self, expr: Sum) -> Symbol | None:
        return next((index for index, _, upper in expr.limits if upper + 1 == self.program.rows), None)

    def _reads_rows(self, expr: Expr) -> bool:
        return any(
            symbol in self.program.index_sizes and self.program.index_sizes[symbol] == self.program.rows
            for entry in expr.atoms(Indexed)
            for symbol in entry.free_symbols
        ) or any(name_of(entry) in self.row_values for entry in expr.atoms(Indexed))

    def _sum_over_rows(self, expr: Sum) -> Expr:
        index = self._row_index(expr)
        assert index is not None
        others = [(each, upper + 1) for each, _, upper in expr.limits if each != index]
        inlined = self._inlined(self.program.points.centred(expr.function))
        parts = [part * Product(bound=tuple(others)) for part in self._products(inlined)]
        return Add(*(self._part(part, index) for part in parts))

    def _part(self, part: Product, row: Symbol) -> Expr:
        data = Mul(*part.data)
        if data == 1:
            assert self.program.rows is not None
            return self.program.rows * nested(part.other, part.bound)
        return nested([*part.other, self._sum_of(data, row)], part.bound)

    def _sum_of(self, data: Expr, row: Symbol) -> Expr:
        """Σ of a product of data, by name; that of x_a² is the diagonal of that of x_a x_b."""
        root = data.args[0] if data.is_Pow and data.args[1] == 2 else None
        if isinstance(root, Indexed) and is_entry(root.indices[-1]):
            index = root.indices[-1]
            other = place(self.program.index_sizes[index], 92)
            self.program.index_sizes[other] = self.program.index_sizes[index]
            return self._sum_of(root * root.xreplace({index: other}), row).xreplace({other: index})
        over = sorted((s for s in data.free_symbols if s in self.program.index_sizes and s != row), key=str)
        if len(over) > 2 or not all(map(is_entry, over)):
            raise _Mixed
        counts: dict[Expr, int] = {}
        names: dict[Symbol, Symbol] = {}
        for index in over:
            size = self.program.index_sizes[index]
            counts[size] = counts.get(size, 0) + 1
            names[index] = place(size, counts[size])
            self.program.index_sizes[names[index]] = size
        key = data.xreplace({**names, row: self._row()})
        if key not in self.sums:
            axes = tuple(Axis(names[index], self.program.index_sizes[index]) for index in over)
            symbol = self._symbol(_described(key), axes)
            self.sums[key] = Definition(symbol, axes, Sum(key, Axis(self._row(), self.program.rows).limits))
        return self.sums[key].symbol.xreplace({new: old for old, new in names.items()})

    def _row(self) -> Symbol:
        return next(index for index, size in self.program.index_sizes.items() if size == self.program.rows)

    # -- the program ---------------------------------------------------------------------------------------

    def made(self) -> Collapsed:
        program, statistics = self.program, self.program.derivation.surrogate.statistics
        for each, made in zip(statistics, program.statistics, strict=True):
            order = tuple(range(len(made.axes)))
            self.layouts[name_of(each.symbol)] = Layout(made.name, order, frozenset({Source.STATISTIC}))
        values = [self._total(each.value) for each in statistics]
        likelihood = self._total(program.derivation.log_likelihood)
        sums = self._lay(self.sums.values(), NOTHING)
        fixed = self._lay(self.fixed, frozenset({Source.THETA}))
        lower = Lowering(self.layouts, program.rank, program.index_sizes)
        taken = tuple(
            Assign(name, program.lower.over(d.value, program.axes(d)), program.axes(d)) for name, d in sums
        )
        lines = [Assign(name, lower.over(d.value, program.axes(d)), program.axes(d)) for name, d in fixed]
        nodes = [
            lower.over(value, program.axes(each)) for each, value in zip(statistics, values, strict=True)
        ]
        return self._woven(taken, _live(lines, [*nodes, lower(likelihood)]), nodes, lower(likelihood))

    def _lay(self, definitions: Iterable[Definition], sources: Any) -> list[tuple[str, Definition]]:
        """A place for each definition that has none."""
        found = []
        for each in definitions:
            name = name_of(each.symbol)
            if name not in self.layouts:
                slots = tuple(getattr(each.symbol, "indices", ()))
                order = tuple(slots.index(index) for index in self.program.axes(each))
                self.layouts[name] = Layout(self.program.names.take(name), order, sources)
            found.append((self.layouts[name].name, each))
        return found

    def _woven(
        self, sums: tuple[Assign, ...], lines: Sequence[Assign], nodes: Sequence[Node], value: Node
    ) -> Collapsed:
        whole = [*(line.node for line in lines), *nodes, value]
        named, changed = shared(self.program.names, "c", whole, self.program.index_sizes)
        *statistics, final = changed[len(lines) :]
        found = [Assign(line.name, node, line.axes) for line, node in zip(lines, changed, strict=False)]
        found += [
            Assign(each.name, node, each.axes)
            for each, node in zip(self.program.statistics, statistics, strict=True)
        ]
        end = Assign("log_likelihood", final, final.axes)
        done = [each for each in woven(named, [*found, end]) if isinstance(each, Assign)]
        return Collapsed(sums, tuple(done[:-1]), final)


def _live(lines: Sequence[Assign], nodes: Iterable[Node]) -> list[Assign]:
    """The lines that something reads."""
    needed = set().union(*(reads(node) for node in nodes))
    kept = []
    for line in reversed(lines):
        if line.name in needed:
            needed |= reads(line.node)
            kept.append(line)
    return kept[::-1]


def _entries(part: Product) -> set[Symbol]:
    data = Mul(*part.data)
    return {index for index, _ in part.bound if index in data.free_symbols}


def _canonical(data: Expr, part: Product) -> tuple[Expr, Mapping[Symbol, Symbol]]:
    """Data with the indices summed over numbered from 91 on, so that equal data look equal, and that renaming."""
    names: dict[Symbol, Symbol] = {}
    for index, size in part.bound:
        if index in data.free_symbols:
            names[index] = place(size, 91 + len(names))
    return data.xreplace(names), names


def _described(data: Expr) -> str:
    """sum_x, sum_x_y: the data that are summed."""
    names = [name_of(each) for each in sorted(data.atoms(Indexed), key=str)]
    return (
        "_".join(["sum", *names]) if len(names) > 1 or data.is_Indexed else f"sum_{'_'.join(names)}_squared"
    )
