"""Numbers for what was not proved: Q and the M-step at random attainable statistics, sizes being small.

Data, known quantities and θ⁽ᵗ⁾ are drawn from their supports, posterior probabilities from simplexes, posterior
means from where such means can lie (E[u²] > E[u]², E[log u] < log E[u]); the statistics are then computed from
their definitions, so that they could all occur together. A check at such points is no proof.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sympy import (
    Abs,
    Add,
    And,
    Expr,
    Float,
    Indexed,
    Max,
    Min,
    Mul,
    Not,
    Number,
    NumberSymbol,
    Or,
    Pow,
    Sum,
    Symbol,
    exp,
    log,
)
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom

from symem.calculus.ends import ends_of, indices_of
from symem.calculus.matrix_trials import AMONG_MATRICES, HEADS, definite, places_within
from symem.derivation import (
    Definition,
    Derivation,
    GaussianVector,
    MemberCounts,
    Posterior,
    Probabilities,
    Shared,
    Tabulated,
    Update,
)
from symem.language.matrices import MatrixEntry, is_matrix
from symem.language.model import Variable
from symem.language.plates import Iverson, LinearSolution
from symem.language.supports import (
    Binary,
    Counts,
    Labels,
    OneHot,
    PositiveDefinite,
    Simplex,
    Symmetric,
)

Value = float
Place = tuple[int, ...]


@dataclass
class Numbers:
    """A table of array entries, and the value of any formula in them."""

    sizes: Mapping[str, int]
    entries: dict[tuple[str, Place], Value] = field(default_factory=dict)

    def __call__(self, expr: Any, scope: Mapping[Any, Any] | None = None) -> Any:
        scope = scope or {}
        rules = _OF_MATRICES if is_matrix(expr) else _RULES
        rule = next((rule for kind, rule in rules if isinstance(expr, kind)), _other)
        return rule(self, expr, scope)

    def entry(self, name: str, place: Place = ()) -> Value:
        if not place and name in self.sizes:
            return self.sizes[name]
        return self.entries[name, place]

    def define(self, definition: Definition) -> None:
        name = name_of(definition.symbol)
        for scope in self.places(definition):
            place = tuple(int(self(p, scope)) for p in getattr(definition.symbol, "indices", ()))
            value = self(definition.value, scope)
            if not isinstance(definition.symbol, MatrixEntry):
                self.entries[name, place] = value
                continue
            for within, number in zip(places_within(definition.symbol, self), np.ravel(value), strict=True):
                self.entries[name, (*place, *within)] = float(number)

    def places(self, definition: Definition) -> Iterator[dict[Any, int]]:
        ranges = [range(int(self(axis.size))) for axis in definition.axes]
        for place in itertools.product(*ranges):
            yield {axis.index: value for axis, value in zip(definition.axes, place, strict=True)}


def name_of(symbol: Expr) -> str:
    return str(symbol.base.label) if isinstance(symbol, Indexed) else str(symbol)


# formulas ---------------------------------------------------------------------------------------------


def _sum(run: Numbers, expr: Any, scope: Mapping[Any, Any]) -> Any:
    ranges = [range(int(run(low, scope)), int(run(high, scope)) + 1) for _, low, high in expr.limits]
    indices = [limit[0] for limit in expr.limits]
    places = (dict(zip(indices, place, strict=True)) for place in itertools.product(*ranges))
    return sum(run(expr.function, {**scope, **place}) for place in places)


def _product(run: Numbers, expr: Any, scope: Mapping[Any, Any]) -> Any:
    brackets = [f for f in expr.args if isinstance(f, Iverson)]
    if any(run(f, scope) == 0 for f in brackets):
        return 0.0
    return math.prod(run(f, scope) for f in expr.args if f not in brackets)


def _entry(run: Numbers, expr: Any, scope: Mapping[Any, Any]) -> Any:
    return run.entry(name_of(expr), tuple(int(run(place, scope)) for place in expr.indices))


def _solution(run: Numbers, expr: Any, scope: Mapping[Any, Any]) -> Any:
    component, row, column, matrix, vector, size = expr.args
    span = range(int(run(size, scope)))
    left = [[run(matrix, {**scope, row: a, column: b}) for b in span] for a in span]
    right = [run(vector, {**scope, row: a}) for a in span]
    return float(np.linalg.solve(np.array(left, float), np.array(right, float))[int(run(component, scope))])


def _relation(run: Numbers, expr: Any, scope: Mapping[Any, Any]) -> bool:
    left, right = (run(side, scope) for side in expr.args)
    return bool(_COMPARED[expr.rel_op](left, right))


def _other(run: Numbers, expr: Any, scope: Mapping[Any, Any]) -> Any:
    return float(expr.func(*(run(argument, scope) for argument in expr.args)).evalf())


_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}

_RULES: tuple[tuple[Any, Callable[[Numbers, Any, Mapping[Any, Any]], Any]], ...] = (
    *HEADS,
    (Number, lambda _run, e, _s: float(e)),
    (NumberSymbol, lambda _run, e, _s: float(e)),
    (Indexed, _entry),
    (Symbol, lambda run, e, s: s[e] if e in s else run.entry(str(e))),
    (Add, lambda run, e, s: sum(run(a, s) for a in e.args)),
    (Mul, _product),
    (exp, lambda run, e, s: math.exp(run(e.args[0], s))),
    (Pow, lambda run, e, s: run(e.base, s) ** run(e.exp, s)),
    (log, lambda run, e, s: math.log(run(e.args[0], s))),
    (Abs, lambda run, e, s: abs(run(e.args[0], s))),
    (Sum, _sum),
    (Iverson, lambda run, e, s: 1.0 if run(e.args[0], s) else 0.0),
    (LinearSolution, _solution),
    (BooleanAtom, lambda _run, e, _s: bool(e)),
    (Relational, _relation),
    (And, lambda run, e, s: all(run(a, s) for a in e.args)),
    (Or, lambda run, e, s: any(run(a, s) for a in e.args)),
    (Not, lambda run, e, s: not run(e.args[0], s)),
    (Max, lambda run, e, s: max(run(a, s) for a in e.args)),
    (Min, lambda run, e, s: min(run(a, s) for a in e.args)),
)


_OF_MATRICES = (*HEADS, *AMONG_MATRICES)


# a random situation -------------------------------------------------------------------------------------


class Trial:
    """One random situation: everything that Q and the M-step refer to, θ⁽ᵗ⁺¹⁾ computed from it."""

    def __init__(self, derivation: Derivation, seed: int) -> None:
        self._derivation, self._random = derivation, random.Random(seed)  # noqa: S311
        self.numbers = Numbers(_sizes(derivation))
        model = derivation.model
        for variable in (*model.known, *model.data, *model.masks, *model.parameters):
            self._draw(variable)
        self._weights()
        for posterior in reversed(derivation.posteriors):
            self._posterior(posterior)
        for statistic in derivation.surrogate.statistics:
            self.numbers.define(statistic)
        self._before = dict(self.numbers.entries)
        for update in derivation.updates:
            self.numbers.define(update.definition)

    def upto(self, update: Update) -> Numbers:
        """What a conditional maximiser meets: the parameters that are updated after it have their old values."""
        updates = self._derivation.updates
        later = {name_of(each.parameter) for each in updates[updates.index(update) + 1 :]}
        entries = {
            key: self._before[key] if key[0] in later else value
            for key, value in self.numbers.entries.items()
        }
        return Numbers(self.numbers.sizes, entries)

    def _draw(self, variable: Variable) -> None:
        shape = [int(self.numbers(size)) for size in (*variable.sizes, *variable.shape)]
        if isinstance(variable.support, PositiveDefinite | Symmetric):
            self._draw_definite(variable, shape)
            return
        for place in itertools.product(*map(range, shape)):
            self.numbers.entries[variable.name, place] = self._value(variable, place)

    def _draw_definite(self, variable: Variable, shape: list[int]) -> None:
        """Matrices whose entries belong together."""
        for place in itertools.product(*map(range, shape[:-2])):
            matrix = definite(shape[-1], self._random)
            for within, number in np.ndenumerate(matrix):
                self.numbers.entries[variable.name, (*place, *within)] = float(number)

    def _value(self, variable: Variable, place: Place) -> Value:
        scope = dict(zip(indices_of(variable, self._derivation.model), place, strict=False))
        low, high = (_end(self.numbers, end, scope) for end in ends_of(variable, self._derivation.model))
        if (
            variable.symbol in self._derivation.model.log_prior.free_symbols
            and variable in self._derivation.model.known
        ):
            return self._random.uniform(1.5, 3)
        if isinstance(variable.support, Labels) and place:
            return sum(place) % max(int(min(high, 2)) + 1, 1)
        if isinstance(variable.support, (Binary, OneHot, Labels)):
            return self._random.randint(0, int(min(high, 2)))
        if isinstance(variable.support, Counts):
            return self._random.randint(int(low), int(min(high, low + 9)))
        if math.isfinite(low) and math.isfinite(high):
            return low + (high - low) * self._random.uniform(0.2, 0.8)
        if math.isfinite(low) or math.isfinite(high):
            away = self._random.uniform(0.5, 2.5)
            return low + away if math.isfinite(low) else high - away
        return (
            self._random.gauss(0, 1)
            if self._derivation.model.declarations
            else self._random.uniform(0.1, 0.9)
        )

    def _weights(self) -> None:
        """Rows of simplexes scaled to one."""
        for variable in self._derivation.model.parameters:
            if isinstance(variable.support, Simplex) and variable.sizes:
                keys = [key for key in self.numbers.entries if key[0] == variable.name]
                outer = len(variable.sizes) - variable.support.axes
                for place in dict.fromkeys(key[1][:outer] for key in keys):
                    self._scale([key for key in keys if key[1][:outer] == place])
        for group in self._derivation.model.simplexes:
            self._scale([(name, ()) for name in group])

    def _scale(self, keys: list[tuple[str, Place]]) -> None:
        whole = sum(self.numbers.entries[key] for key in keys)
        for key in keys:
            self.numbers.entries[key] /= whole

    def _posterior(self, posterior: Posterior) -> None:
        if isinstance(posterior, Probabilities):
            self._shares(posterior)
        if isinstance(posterior, GaussianVector):
            for parameter in posterior.parameters:
                self.numbers.define(parameter)
        means = {
            statistic: d
            for d in posterior.moments
            for statistic, e in posterior.expectations.items()
            if e == d.symbol
        }
        ordered = sorted(means, key=lambda statistic: statistic != _plain(posterior))
        for statistic in ordered:
            self._mean(posterior, statistic, means)

    def _shares(self, posterior: Probabilities) -> None:
        definition = posterior.probability
        for scope in self.numbers.places(definition):
            place = tuple(int(self.numbers(p, scope)) for p in getattr(definition.symbol, "indices", ()))
            self.numbers.entries[name_of(definition.symbol), place] = self._random.uniform(0.1, 1)
        if isinstance(posterior, Tabulated):
            keys = [key for key in self.numbers.entries if key[0] == name_of(definition.symbol)]
            slot = definition.symbol.indices.index(posterior.outcome.index)
            for rest in {key[1][:slot] + key[1][slot + 1 :] for key in keys}:
                self._scale([key for key in keys if key[1][:slot] + key[1][slot + 1 :] == rest])
        else:
            self._together(posterior)

    def _together(self, posterior: MemberCounts) -> None:
        """Counts that share a total: the shares of the group sum to one."""
        group = [
            p
            for p in self._derivation.posteriors
            if p.log_normaliser.symbol == posterior.log_normaliser.symbol
        ]
        names = [name_of(p.probability.symbol) for p in group if isinstance(p, MemberCounts)]
        keys = [key for key in self.numbers.entries if key[0] in names]
        if {key[0] for key in keys} == set(names):
            for place in {key[1] for key in keys}:
                self._scale([key for key in keys if key[1] == place])

    def _mean(self, posterior: Posterior, statistic: Expr, means: Mapping[Expr, Definition]) -> None:
        definition, own = means[statistic], means.get(_plain(posterior))
        name = name_of(definition.symbol)
        if isinstance(posterior, Shared):
            self.numbers.define(definition)
            return
        for scope in self.numbers.places(definition):
            place = tuple(int(self.numbers(p, scope)) for p in getattr(definition.symbol, "indices", ()))
            mean = self.numbers.entries.get((name_of(own.symbol), place)) if own else None
            self.numbers.entries[name, place] = self._attainable(posterior, statistic, mean, scope)

    def _attainable(
        self, posterior: Posterior, statistic: Expr, mean: Value | None, scope: Mapping[Any, int]
    ) -> Value:
        """A mean that a law on the latent's support can have beside E[u]."""
        away = self._random.uniform(0.1, 1)
        low, high = (_end(self.numbers, end, scope) for end in posterior.interval)
        inner = low + away * (1 if math.isinf(high) else high - low) if math.isfinite(low) else away
        u = _plain(posterior)
        if statistic == u:
            return inner
        centre = Float(inner if mean is None else mean)
        if statistic.func is log:
            return math.log(abs(self.numbers(statistic.args[0].xreplace({u: centre})))) - away
        return float(self.numbers(statistic.xreplace({u: centre}))) + away


def _plain(posterior: Posterior) -> Expr:
    """The latent as its statistics are written: the entry or letter that they hold."""
    return posterior.atom


def _end(numbers: Numbers, end: Expr, scope: Mapping[Any, int]) -> float:
    try:
        return float(end) if end.is_number else float(numbers(end, scope))
    except KeyError:
        return math.inf


def _sizes(derivation: Derivation) -> dict[str, int]:
    """Two entries for what parameters and labels show, three for vectors of data, more for plates of data."""
    model = derivation.model
    shown = {s for v in model.parameters for size in (*v.sizes, *v.shape) for s in size.free_symbols}
    shown |= {s for v in model.latents for size in v.shape for s in size.free_symbols}
    wide = {s for v in model.data if v.sizes for size in v.shape for s in size.free_symbols}
    plates = {s.symbol: 3 if s.symbol in wide else 2 if s.symbol in shown else 5 for s in model.sizes}
    if wide:
        plates = {symbol: 9 if number == 5 else number for symbol, number in plates.items()}
    return {str(s): number for s, number in (plates | {e.symbol: 3 for e in derivation.extents}).items()}
