"""An iteration along a chain or over a tree in numbers: its messages or moments as tables, and one step of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from sympy import Expr, Indexed, Integer, Symbol, exp

from symem.derivation import (
    Chain,
    Definition,
    GaussianChain,
    GaussianTree,
    Linked,
    Neighbours,
    Tree,
)
from symem.language.leaves import array_of, labels_in, name_of
from symem.language.matrices import MatrixEntry, is_matrix, shape
from symem.language.model import Role
from symem.language.parents import Parents
from symem.language.plates import Axis
from symem.language.traces import Element
from symem.report.document import Block, Display, Prose, said
from symem.report.iteration import Worked
from symem.report.line_breaking import LINE, width
from symem.report.notation.chains_told import cases
from symem.report.notation.digits import in_formula
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_form import printed
from symem.report.sections.columns import FEW, Column
from symem.report.sections.row_tables import MOST_COLUMNS, MOST_ROWS, row_table
from symem.report.sections.substituted import substituted
from symem.report.writer import Voice

Group = tuple[Prose, tuple[Definition, ...]]

#: What is tabulated of a posterior of each kind, table by table.
_TABLES: Mapping[type, tuple[tuple[str, tuple[str, ...]], ...]] = {
    Chain: (
        (
            "What is seen at each place, and the messages forward and backward",
            ("log_weight", "forward", "backward", "probability"),
        ),
        ("The posterior of each label and the next", ("pair",)),
    ),
    Tree: (
        (
            "What is seen at each place, and the messages upward",
            ("log_weight", "upward", "message", "probability"),
        ),
        ("The posterior of each label and its parent's", ("pair",)),
    ),
    GaussianChain: (
        (
            "Means and variances: predicted from what was seen before, and filtered",
            ("predicted_mean", "predicted_variance", "filtered_mean", "filtered_variance"),
        ),
        (
            "Means and variances given all data, and covariances with the next state",
            ("smoothed_mean", "smoothed_variance", "neighbours"),
        ),
    ),
    GaussianTree: (
        ("What is gathered upward", ("gathered", "pull", "given_parent")),
        (
            "Means and variances given all data, and covariances with the parent",
            ("smoothed_mean", "smoothed_variance", "neighbours"),
        ),
    ),
}

#: Logarithms within which messages are numbers that can be printed, and entries of a vector that have columns.
_PRINTED, _ENTRIES = 690.0, 2


def along(found: Worked, voice: Voice) -> Iterator[Block]:
    """Tables over the places of the first chain, or of all trees, and a step of each recursion."""
    for posterior in voice.derivation.posteriors:
        if isinstance(posterior, Neighbours) and not posterior.labels:
            yield from Along(found, voice, posterior).blocks()


@dataclass(frozen=True)
class Along:
    """One posterior, at the first place of all plates but that along which it runs."""

    found: Worked
    voice: Voice
    posterior: Neighbours

    def blocks(self) -> Iterator[Block]:
        for number, (caption, definitions) in enumerate(self.groups):
            parts = [list(self._data())] if number == 0 else [[]]
            for own in definitions:
                columns = list(self._columns(own))[: MOST_COLUMNS - 1]
                if len(parts[-1]) + len(columns) >= MOST_COLUMNS:
                    parts.append([])
                parts[-1] += columns
            yield from (row_table(self.axis, part, caption, self.voice) for part in parts if part)
        told = () if self.posterior.latent.shape else self._told()
        lines = [line for each in told for line in self._step(*each)]
        if lines:
            yield ("A step of each in numbers:",)
            yield Display(tuple(lines))

    # what is shown ----------------------------------------------------------------------------------

    @cached_property
    def groups(self) -> list[Group]:
        """The definitions that share a table, and what it is of; what another table has row by row is left to that."""
        elsewhere = {"probability"} if self.posterior.axes[0] == self.axis else set()
        return [
            (
                (caption, *self._which()),
                tuple(getattr(self.posterior, name) for name in names if name not in elsewhere),
            )
            for caption, names in _TABLES[type(self.posterior)]
        ]

    def _which(self) -> Prose:
        plates = [axis for axis in self.posterior.axes if axis != self.axis]
        if not plates:
            return (".",)
        return said(", at @.", ", ".join(f"{self.voice.name(axis.index)} = 1" for axis in plates))

    @property
    def axis(self) -> Axis:
        return self.posterior.along

    @cached_property
    def first(self) -> dict[Symbol, Expr]:
        """The first place of the other plates."""
        return {axis.index: Integer(0) for axis in self.posterior.axes if axis != self.axis}

    @cached_property
    def places(self) -> int:
        """How many places there are."""
        size = self.axis.size
        length = (
            self.posterior.length
            if isinstance(self.posterior, Chain)
            else self.voice.free.lengths.get(size, size)
        )
        return int(self.found.number(length.xreplace(self.first)))

    # columns ----------------------------------------------------------------------------------------

    def _data(self) -> Iterator[Column]:
        for variable in self.voice.model.variables.values():
            sized = self.axis.size in variable.sizes and not variable.shape
            if variable.role in (Role.DATA, Role.KNOWN) and sized:
                slot = variable.sizes.index(self.axis.size)
                slots: list[Expr] = [Integer(0)] * len(variable.sizes)
                slots[slot] = self.axis.index
                entry, origin = Indexed(variable.symbol, *slots), 0
                if isinstance(variable.support, Parents):
                    origin = variable.support.origin - 1  # they are rows, and these count from 1
                given: Any = np.ma.filled(np.ma.asarray(self.found.given[variable.name], dtype=float), np.nan)
                place: list[Any] = [0] * len(variable.sizes)
                place[slot] = slice(self.places)
                whole = bool(variable.support.discrete)
                yield Column(letter(entry, self._scope), given[tuple(place)] - origin, whole=whole)

    @property
    def _scope(self) -> Any:
        return self.voice.free.within([self.axis])

    def _columns(self, definition: Definition) -> Iterator[Column]:
        """An array along the places, a column for each of few places of its other slots."""
        steps = next(a for a in definition.axes if a in (self.axis, self.posterior.steps))
        others = [
            axis
            for axis in definition.axes
            if axis not in (self.axis, steps) and axis.index not in self.first
        ]
        sizes = [self.found.size(axis.size) for axis in others]
        if np.prod(sizes, initial=1) > 2 * FEW:
            return
        for at in product(*map(range, sizes)):
            here = {axis.index: Integer(k) for axis, k in zip(others, at, strict=True)}
            atom = (
                definition.symbol.xreplace(self.first).xreplace({steps.index: self.axis.index}).xreplace(here)
            )
            for entry in self._entries(atom):
                yield self._column(entry, definition, shorter=steps != self.axis)

    def _entries(self, atom: Expr) -> Iterator[Expr]:
        """A number, or the first entries of a vector and the first on the diagonal of a matrix."""
        if not is_matrix(atom):
            yield atom
            return
        size = min(self.found.size(shape(atom)[0]), _ENTRIES)
        for place in range(size):
            column = place if shape(atom)[1] != 1 else 0
            yield Element(atom, Integer(place), Integer(column))

    def _column(self, entry: Expr, definition: Definition, *, shorter: bool) -> Column:
        values = self.found.table(
            entry, (self.axis.index,), (self.found.size(self.axis.size) - int(shorter),)
        )
        values = np.asarray(values, dtype=float)[: self.places - int(shorter)]
        values = np.append(values, [np.nan] * (self.places - len(values)))
        head = latex(entry, self._scope) if isinstance(entry, Element) else letter(entry, self._scope)
        if definition in self._logarithms:
            weight = definition == self._logarithms[0]
            if self._is_printed:
                head = latex(exp(entry), self._scope) if weight else head
                values = np.exp(values)
            elif not weight:
                head = rf"\log {head}"
        total = float(np.nansum(values)) if self._is_pair(definition) else None
        return Column(head, values, total, apart=True)

    def _is_pair(self, definition: Definition) -> bool:
        return isinstance(self.posterior, Linked) and definition == self.posterior.pair

    @cached_property
    def _logarithms(self) -> tuple[Definition, ...]:
        if not isinstance(self.posterior, Linked):
            return ()
        return (self.posterior.log_weight, *self.posterior.messages)

    @cached_property
    def _is_printed(self) -> bool:
        """Whether the exponentials of all that is a logarithm are numbers of a size to be read."""
        held = [np.asarray(self.found.arrays[name_of(each.symbol)]) for each in self._logarithms]
        finite = [each[np.isfinite(each)] for each in held]
        return all(np.max(np.abs(each), initial=0.0) < _PRINTED for each in finite)

    # a step in numbers --------------------------------------------------------------------------------

    def _told(self) -> Iterator[tuple[Definition, Mapping[Symbol, Expr]]]:
        """Definitions with places at which they are a step."""
        if self.places < 3 or self.places > MOST_ROWS or not self._is_printed:
            return
        one, last = Integer(1), Integer(self.places - 1)
        match self.posterior:
            case Chain() as chain:
                yield chain.forward, {self.axis.index: one}
                yield chain.log_normaliser, {}
                yield chain.backward, {self.axis.index: last - 1}
                yield chain.probability, {self.axis.index: one}
                yield chain.pair, {chain.steps.index: Integer(0)}
            case GaussianChain() as chain:
                forward = (
                    chain.predicted_variance,
                    chain.filtered_variance,
                    chain.predicted_mean,
                    chain.filtered_mean,
                )
                for each in forward:
                    yield each, {self.axis.index: one}
                for each in (chain.smoothed_mean, chain.smoothed_variance):
                    yield each, {self.axis.index: last - 1}
                yield chain.neighbours, {chain.steps.index: last - 1}
            case Tree() | GaussianTree() as tree:
                above = np.asarray(self.found.arrays[name_of(tree.parent)])
                inner = [place for place in range(self.places) if place in above and above[place] >= 0]
                for each in tree.definitions if inner else ():
                    if self.axis in each.axes and each not in self._logarithms[:1]:
                        yield each, {self.axis.index: Integer(inner[0])}

    def _step(self, definition: Definition, place: Mapping[Symbol, Expr]) -> Iterator[tuple[str, ...]]:
        """An entry, its formula, the formula in numbers and the result."""
        at = {**self.first, **place}
        others = {axis.index: Integer(0) for axis in definition.axes if axis.index not in at}
        at |= others
        *_, (told, _span) = cases(definition)
        atom = told.symbol.xreplace(at)
        result = self._number(definition.symbol.xreplace(at))
        value = self._summed(told.value.xreplace(at))
        numbers = {
            each: self._number(each) for each in value.atoms(Indexed, Symbol) if self._is_known(each, value)
        }
        if value.has(MatrixEntry):
            return
        left, scope = letter(atom, self.voice.start), self.voice.start
        formula = latex(printed(value), scope)
        put_in = re.sub(r"e\^\{\((-[\d.]+)\)\}", r"e^{\1}", substituted(value, numbers, scope))
        shown = rf"{put_in} \approx {in_formula(result)}"
        whole = f"{left} &= {formula} = {shown}"
        if width(whole) <= LINE:
            yield (whole,)
        elif width(formula) + width(left) <= LINE and width(shown) <= LINE:
            yield (f"{left} &= {formula}", f"&= {shown}")

    def _summed(self, value: Expr) -> Expr:
        """Sums over labels and over children term by term."""
        sizes = {
            each: Integer(int(self.found.arrays[each.name]))
            for each in value.free_symbols
            if each.name in {s.name for s in self.voice.model.sizes}
        }
        terms = value.xreplace(sizes).doit()
        placed = {*labels_in(terms), *(place for each in terms.atoms(Indexed) for place in each.indices)}
        entries = {each for place in placed for each in place.atoms(Indexed)}
        if isinstance(self.posterior, Tree | GaussianTree):
            base = array_of(self.posterior.parent)
            entries |= {each for each in terms.atoms(Indexed) if each.base == base}
        return terms.xreplace({each: self._place(each) for each in entries if _is_placed(each)})

    def _place(self, entry: Expr) -> Integer:
        """A place that data say: a parent, a category, a length."""
        array = np.asarray(self.found.arrays[name_of(entry)])
        return Integer(int(array[tuple(map(int, entry.indices))]))

    def _is_known(self, entry: Expr, value: Expr) -> bool:
        return name_of(entry) in self.found.arrays and entry not in labels_in(value) and not entry.is_Dummy

    def _number(self, entry: Expr) -> float:
        array = np.asarray(self.found.arrays[name_of(entry)], dtype=float)
        places = getattr(entry, "indices", ())
        value = float(array[tuple(int(place) for place in places)])
        logs = {name_of(each.symbol) for each in self._logarithms[1:]}
        if isinstance(self.posterior, Chain):
            logs.add(name_of(self.posterior.log_normaliser.symbol))
        return float(np.exp(value)) if name_of(entry) in logs else value


def _is_placed(entry: Expr) -> bool:
    return all(place.is_Integer for place in entry.indices)
