"""One size for every index: a derivation may use one index name for axes of different sizes; a program may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from sympy import Expr, Sum, Symbol

from symem.derivation import (
    Ascent,
    Definition,
    Derivation,
    Moments,
    OnTree,
    Posterior,
    Scatter,
    Update,
    with_beside,
)
from symem.language.plates import Axis, LinearSolution

_Names = Mapping[Symbol, Symbol]


class Indices:
    """Gives every (index, size) a symbol of its own; the first size of an index keeps its name."""

    def __init__(self, used: Iterable[str]) -> None:
        self._used = set(used)
        self._symbols: dict[tuple[Symbol, Expr], Symbol] = {}
        self.sizes: dict[Symbol, Expr] = {}

    def symbol(self, index: Symbol, size: Expr) -> Symbol:
        key = (index, size)
        if key not in self._symbols:
            seen = any(each == index for each, _ in self._symbols)
            fresh = Symbol(self._free(index.name), **index.assumptions0) if seen else index
            self._symbols[key] = fresh
            self.sizes[fresh] = size
        return self._symbols[key]

    def _free(self, stem: str) -> str:
        name = next(name for number in count(2) if (name := f"{stem}_{number}") not in self._used)
        self._used.add(name)
        return name

    def expr(self, expr: Any, names: _Names) -> Any:
        """The expression with its bound indices renamed, and its free ones as `names` says."""
        if isinstance(expr, Sum):
            return self._sum(expr, dict(names))
        if isinstance(expr, LinearSolution):
            return self._solution(expr, dict(names))
        if not expr.args:
            return names.get(expr, expr)
        return expr.func(*(self.expr(each, names) for each in expr.args))

    def _sum(self, expr: Sum, names: dict[Symbol, Symbol]) -> Expr:
        limits = []
        for index, lower, upper in reversed(expr.limits):
            ends = (self.expr(lower, names), self.expr(upper, names))
            names[index] = self.symbol(index, ends[1] + 1)
            limits.append((names[index], *ends))
        return Sum(self.expr(expr.function, names), *reversed(limits))

    def _solution(self, expr: LinearSolution, names: dict[Symbol, Symbol]) -> Expr:
        component, row, column, matrix, vector, size = expr.args
        inner = {**names, row: self.symbol(row, size), column: self.symbol(column, size)}
        parts = (self.expr(matrix, inner), self.expr(vector, inner))
        return LinearSolution(names.get(component, component), inner[row], inner[column], *parts, size)

    def definition(self, definition: Definition) -> Definition:
        axes = tuple(self.axis(axis) for axis in definition.axes)
        names = {old.index: new.index for old, new in zip(definition.axes, axes, strict=True)}
        symbol = definition.symbol.xreplace(names)
        return Definition(symbol, axes, self.expr(definition.value, names))

    def update(self, update: Update) -> Update:
        found = with_beside(replace(update, definition=self.definition(update.definition)), self.definition)
        if isinstance(found, Ascent):
            within = found.within.rewritten(lambda part: self.expr(part, {}), self.definition)
            return replace(found, within=within)
        return found

    def axis(self, axis: Axis) -> Axis:
        return Axis(self.symbol(axis.index, axis.size), axis.size)

    def posterior(self, posterior: Posterior) -> Posterior:
        axes = tuple(map(self.axis, posterior.axes))
        own: dict[str, Any] = {name: self.axis(getattr(posterior, name)) for name in posterior.axial}
        if isinstance(posterior, OnTree):
            own["parent"] = self.expr(posterior.parent, {posterior.along.index: own["along"].index})
        return posterior.rewritten(self.definition, axes=axes, **own)

    def moments(self, moments: Moments) -> Moments:
        scatters = [each.definition for each in moments.scatters]
        axes = [axis for each in (*moments.means, *scatters) for axis in each.axes]
        names = {axis.index: self.symbol(axis.index, axis.size) for axis in (*axes, *moments.summed)}

        def renamed(expr: Expr) -> Any:
            return self.expr(expr, names)

        return Moments(
            renamed(moments.weight),
            tuple(map(self.axis, moments.summed)),
            renamed(moments.total),
            tuple(map(renamed, moments.functions)),
            tuple(map(self.definition, moments.means)),
            tuple(map(renamed, moments.parts)),
            tuple(
                Scatter(
                    self.definition(each.definition), *map(renamed, (each.raw, each.excess, each.between))
                )
                for each in moments.scatters
            ),
        )


def distinct(derivation: Derivation) -> tuple[Derivation, Indices]:
    """The derivation with indices renamed so that each has one size; and those sizes."""
    updates = [each.definition for each in (*derivation.updates, *derivation.scores)]
    texts = [each.value for each in (*derivation.definitions, *derivation.surrogate.statistics, *updates)]
    texts += [derivation.log_likelihood, derivation.model.log_prior]
    indices = Indices(symbol.name for text in texts for symbol in text.atoms(Symbol))
    posteriors = tuple(map(indices.posterior, derivation.posteriors))
    statistics = tuple(map(indices.definition, derivation.surrogate.statistics))
    renamed = replace(
        derivation,
        posteriors=posteriors,
        log_likelihood=indices.expr(derivation.log_likelihood, {}),
        surrogate=replace(
            derivation.surrogate,
            statistics=statistics,
            moments=tuple(map(indices.moments, derivation.surrogate.moments)),
        ),
        updates=tuple(map(indices.update, derivation.updates)),
        scores=tuple(
            replace(each, definition=indices.definition(each.definition)) for each in derivation.scores
        ),
    )
    return renamed, indices
