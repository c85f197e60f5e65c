"""A slow and obvious evaluator of indexed formulas, independent of symem's program and emission.

Sums are loops, arrays are looked up by name, special functions come from mpmath. It runs the records of
a derivation (definitions in order, then statistics, then updates) and the textbook's formulas alike, in
double precision (`mpmath.fp`) or in as many digits as asked (`mpmath.mp`).
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
import scipy.optimize
from sympy import (
    Abs,
    Add,
    And,
    Basic,
    Expr,
    Idx,
    Indexed,
    KroneckerDelta,
    Max,
    Min,
    Mul,
    Not,
    Number,
    NumberSymbol,
    Or,
    Piecewise,
    Pow,
    Product,
    Sum,
    Symbol,
    atan,
    atan2,
    besseli,
    ceiling,
    cos,
    digamma,
    erf,
    erfc,
    exp,
    factorial,
    floor,
    gamma,
    log,
    loggamma,
    polygamma,
    sin,
    tan,
    uppergamma,
)
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom

from symem import Labels, Model
from symem.derivation import Ascent, Update
from symem.language.falling_root import FallingRoot
from symem.language.incomplete_gamma import (
    GammaIntervalLogMean,
    GammaIntervalLogVariance,
    GammaIntervalMean,
    LogGammaDensity,
    LogGammaInterval,
    LogIncompleteGamma,
)
from symem.language.matrices import MatrixEntry, is_matrix
from symem.language.plates import Iverson, LinearSolution, LogIverson
from symem.language.special import LogNormalInterval, NormalCDF
from tests.evaluate_matrices import MATRIX_RULES, PRODUCTS_AND_SUMS

Values = Mapping[str, Any]


class NotYetError(Exception):
    """An entry of a recurrence that is made of others is asked for before them."""


@dataclass
class Evaluator:
    """Values of names, and of the indices in scope, to the value of a formula."""

    values: dict[str, Any]
    context: Any = mpmath.fp
    cache: dict[Any, Any] = field(default_factory=dict)

    def __call__(self, expr: Any, scope: Values | None = None) -> Any:
        scope = {} if scope is None else scope
        if isinstance(expr, (Sum, Product)):
            key = (expr, tuple((name, scope[name]) for name in _names(expr) if name in scope))
            if key not in self.cache:
                self.cache[key] = self._repeat(expr, scope)
            return self.cache[key]
        if expr.__class__ in PRODUCTS_AND_SUMS and is_matrix(expr):
            return PRODUCTS_AND_SUMS[expr.__class__](self, expr, scope)
        return _rule(expr.__class__)(self, expr, scope)

    def _repeat(self, expr: Any, scope: Values) -> Any:
        terms = (self(expr.function, inner) for inner in self._scopes(expr.limits, scope))
        if is_matrix(expr):
            return functools.reduce(np.add, terms)
        if isinstance(expr, Sum):
            return sum(terms, self.context.mpf(0))
        return self.context.fprod(terms)

    def _scopes(self, limits: Any, scope: Values) -> Iterator[Values]:
        if not limits:
            yield scope
            return
        *rest, (index, low, high) = limits
        for value in range(int(self(low, scope)), int(self(high, scope)) + 1):
            yield from self._scopes(rest, {**scope, str(index): value})

    def look_up(self, name: str, places: tuple[int, ...]) -> Any:
        value = self.values[name]
        found = np.asarray(value)[places] if places else value
        if found is None:
            raise NotYetError
        return self.number(found)

    def number(self, value: Any) -> Any:
        plain = value.item() if isinstance(value, (np.generic, np.ndarray)) else value
        return self.context.mpf(plain) if isinstance(plain, (int, float)) else plain

    def define(self, symbol: Any, axes: Any, value: Expr) -> None:
        """Compute an array over its axes, or the entries of it that a literal place names, and keep it."""
        indices = {str(axis.index): int(self(axis.size)) for axis in axes}
        entries = getattr(symbol, "indices", tuple(axis.index for axis in axes))
        whole = all(str(place) in indices for place in entries)
        if isinstance(symbol, MatrixEntry):
            self.values[_name(symbol)] = self._matrices(symbol, indices, value)
            self.cache.clear()
            return
        shape = [indices[str(place)] for place in entries] if whole else np.shape(self.values[_name(symbol)])
        array = np.empty(shape, dtype=object) if whole else np.array(self.values[_name(symbol)], dtype=object)
        if any(
            entry != symbol for entry in value.atoms(Indexed) if entry.base == getattr(symbol, "base", None)
        ):
            self.values[_name(symbol)] = array
        waiting = [
            dict(zip(indices, places, strict=True))
            for places in itertools.product(*map(range, indices.values()))
        ]
        while waiting:  # a recurrence runs to either end
            left = [scope for scope in waiting if not self._fill(array, entries, value, scope)]
            assert len(left) < len(waiting), f"{symbol} hangs on itself"
            waiting = left[::-1]
        self.values[_name(symbol)] = array if shape else array[()]
        self.cache.clear()

    def _fill(self, array: Any, entries: Any, value: Expr, scope: dict[str, Any]) -> bool:
        """Whether all that an entry is made of was there."""
        place = tuple(scope[str(p)] if str(p) in scope else int(p) for p in entries)
        try:
            array[place] = self._or_nan(value, scope)
        except NotYetError:
            return False
        return True

    def _matrices(self, symbol: MatrixEntry, indices: dict[str, int], value: Expr) -> Any:
        """An array of matrices over its axes; of vectors the second axis is left away."""
        found: Any = None
        for places in itertools.product(*map(range, indices.values())):
            scope = dict(zip(indices, places, strict=True))
            matrix = self(value, scope)
            matrix = matrix[:, 0] if symbol.dimensions[1] == 1 else matrix
            if found is None:
                found = np.empty([*(indices[str(p)] for p in symbol.indices), *matrix.shape], dtype=object)
            found[tuple(scope[str(p)] for p in symbol.indices)] = matrix
        return found

    def update(self, updates: Iterable[Update]) -> None:
        """The M-step: the updates in their order, then what is climbed, where its equations hold together."""
        found = list(updates)
        for each in found:
            self.define(each.definition.symbol, each.definition.axes, each.definition.value)
        for part in dict.fromkeys(each.within for each in found if isinstance(each, Ascent)):
            self._climb([each for each in found if isinstance(each, Ascent) and each.within == part])

    def _climb(self, updates: list[Ascent]) -> None:
        sizes = [[int(self(axis.size)) for axis in each.definition.axes] for each in updates]
        places = [
            (each, dict(zip((str(axis.index) for axis in each.definition.axes), place, strict=True)))
            for each, own in zip(updates, sizes, strict=True)
            for place in itertools.product(*map(range, own))
        ]
        where = [
            (
                _name(each.parameter),
                tuple(int(self(p, scope)) for p in getattr(each.parameter, "indices", ())),
            )
            for each, scope in places
        ]

        def slopes(*point: Any) -> list[Any]:
            for (name, place), number in zip(where, point, strict=True):
                array = np.array(self.values[name], dtype=object)
                array[place] = float(number)
                self.values[name] = array if array.shape else array[()]
            self.cache.clear()
            return [self(each.equation, scope) for each, scope in places]

        start = [float(np.asarray(self.values[name])[place]) for name, place in where]
        near = scipy.optimize.root(lambda point: [float(each) for each in slopes(*point)], start, tol=1e-14)
        slopes(*mpmath.findroot(slopes, list(near.x), solver="mdnewton", tol=1e-24, verify=False))

    def _or_nan(self, value: Expr, scope: dict[str, Any]) -> Any:
        """A posterior is computed on a whole grid, also where no latent is: what a bracket hides may be undefined."""
        try:
            return self(value, scope)
        except (ValueError, ZeroDivisionError):
            return self.context.nan


@functools.cache
def _rule(kind: type) -> Any:
    """The rule of a kind of node: the first that it is an instance of."""
    found = next((rule for each, rule in RULES.items() if issubclass(kind, each)), None)
    if found is None:
        raise TypeError(f"no rule for {kind.__name__}")
    return found


@functools.cache
def _names(expr: Basic) -> tuple[str, ...]:
    return tuple(sorted(str(symbol) for symbol in expr.free_symbols))


@functools.cache
def _name(symbol: Any) -> str:
    return str(symbol.base.label) if isinstance(symbol, Indexed) else str(symbol)


def _array(run: Evaluator, expr: Indexed, scope: Values) -> Any:
    return run.look_up(_name(expr), tuple(int(run(place, scope)) - _origin(place) for place in expr.indices))


def _origin(place: Any) -> int:
    """What a user's index counts from; inside, everything counts from 0."""
    return int(place.lower) if isinstance(place, Idx) and place.lower is not None else 0


def _symbol(run: Evaluator, expr: Symbol, scope: Values) -> Any:
    name = _name(expr)
    return scope[name] if name in scope else run.look_up(name, ())


def _add(run: Evaluator, expr: Add, scope: Values) -> Any:
    """A bracket that is -oo shields the other terms: log [w <= x] - log (x - w)!."""
    hard = [term for term in expr.args if isinstance(term, LogIverson)]
    if any(run(term, scope) != 0 for term in hard):
        return -run.context.inf
    return sum((run(term, scope) for term in expr.args if term not in hard), run.context.mpf(0))


def _falling(run: Evaluator, expr: FallingRoot, scope: Values) -> Any:
    """By halving a range of log u: the function is positive below its root."""
    unknown, *letters = map(str, expr.function.variables)
    inner = {**scope, **dict(zip(letters, (run(each, scope) for each in expr.given), strict=True))}

    def is_below(place: Any) -> bool:
        return bool(run(expr.function.expr, {**inner, unknown: run.context.exp(place)}) > 0)

    low, high = run.context.mpf(-1), run.context.mpf(1)
    while not is_below(low):
        low *= 2
    while is_below(high):
        high *= 2
    for _ in range(run.context.prec + 12):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return run.context.exp((low + high) / 2)


def _mul(run: Evaluator, expr: Mul, scope: Values) -> Any:
    """A bracket that is 0 shields the other factors: [x = 0] log x."""
    factors = _brackets_first(expr)
    total = run.context.mpf(1)
    for factor in factors:
        total = total * run(factor, scope)
        if total == 0 and isinstance(factor, (Iverson, KroneckerDelta)):
            break
        if total == 0 and _infinite_partner(run, factors, scope):
            return run.context.mpf(0)
    return total


@functools.cache
def _brackets_first(expr: Mul) -> list[Expr]:
    return sorted(expr.args, key=lambda factor: not factor.has(Iverson, KroneckerDelta))


def _infinite_partner(run: Evaluator, factors: list[Expr], scope: Values) -> bool:
    """0 log 0 = 0, the convention of the published tables with empty cells."""
    return any(isinstance(factor, log) and run(factor.args[0], scope) == 0 for factor in factors)


def _log(run: Evaluator, expr: Expr, scope: Values) -> Any:
    value = run(expr.args[0], scope)
    return run.context.log(value) if value != 0 else -run.context.inf


def _exp(run: Evaluator, expr: Expr, scope: Values) -> Any:
    return run.context.exp(run(expr.args[0], scope))


def _pow(run: Evaluator, expr: Pow, scope: Values) -> Any:
    if expr.base is exp(1):
        return run.context.exp(run(expr.exp, scope))
    base, power = run(expr.base, scope), run(expr.exp, scope)
    if power == int(power) if abs(power) != run.context.inf else False:
        return run.context.mpf(base) ** int(power)
    return run.context.power(base, power)


def _interval(run: Evaluator, expr: Expr, scope: Values) -> Any:
    low, high = (run(end, scope) for end in expr.args)
    if low > 0:
        low, high = -high, -low
    return run.context.log(run.context.ncdf(high) - run.context.ncdf(low))


def _gamma_interval(run: Evaluator, expr: Expr, scope: Values) -> Any:
    shape, low, high = (run(each, scope) for each in expr.args)
    mass = run.context.gammainc(shape, low, high)
    if isinstance(expr, LogGammaInterval):
        return run.context.log(mass / run.context.gamma(shape))
    return run.context.gammainc(shape + 1, low, high) / mass


def _log_of_gamma(run: Evaluator, expr: Expr, scope: Values) -> Any:
    """A derivative of log ∫ t^(s - 1) e^-t dt in s, from its values beside s."""
    shape, low, high = (run(each, scope) for each in expr.args)
    order = {LogIncompleteGamma: 0, GammaIntervalLogMean: 1, GammaIntervalLogVariance: 2}[type(expr)]
    return run.context.diff(lambda s: run.context.log(run.context.gammainc(s, low, high)), shape, order)


def _relation(run: Evaluator, expr: Relational, scope: Values) -> bool:
    left, right = (run(side, scope) for side in (expr.lhs, expr.rhs))
    return bool(OPERATORS[expr.rel_op](left, right))


def _solution(run: Evaluator, expr: LinearSolution, scope: Values) -> Any:
    component, j, m, matrix, vector, size = expr.args
    p = range(int(run(size, scope)))
    left = run.context.matrix(
        [[run(matrix, {**scope, str(j): row, str(m): column}) for column in p] for row in p]
    )
    right = run.context.matrix([run(vector, {**scope, str(j): row}) for row in p])
    return run.context.lu_solve(left, right)[int(run(component, scope))]


def _piecewise(run: Evaluator, expr: Piecewise, scope: Values) -> Any:
    return next(run(value, scope) for value, condition in expr.args if run(condition, scope))


def _apply(name: str) -> Any:
    return lambda run, expr, scope: getattr(run.context, name)(*(run(each, scope) for each in expr.args))


OPERATORS: dict[str, Any] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}

RULES: dict[Any, Any] = {
    **MATRIX_RULES,
    FallingRoot: _falling,
    Indexed: _array,
    Symbol: _symbol,
    Idx: _symbol,
    Number: lambda run, expr, _: (
        run.context.mpf(expr.p) / expr.q if expr.is_Rational else _special(run, expr)
    ),
    NumberSymbol: lambda run, expr, _: (
        +getattr(run.context, {"Pi": "pi", "Exp1": "e", "EulerGamma": "euler"}[type(expr).__name__])
    ),
    Add: _add,
    Mul: _mul,
    Pow: _pow,
    log: _log,
    exp: _exp,
    Iverson: lambda run, expr, scope: 1 if run(expr.args[0], scope) else 0,
    LogIverson: lambda run, expr, scope: 0 if run(expr.args[0], scope) else -run.context.inf,
    KroneckerDelta: lambda run, expr, scope: int(run(expr.args[0], scope) == run(expr.args[1], scope)),
    LogNormalInterval: _interval,
    LogGammaInterval: _gamma_interval,
    GammaIntervalMean: _gamma_interval,
    LogGammaDensity: lambda run, expr, scope: run(expr.written_out, scope),
    LogIncompleteGamma: _log_of_gamma,
    GammaIntervalLogMean: _log_of_gamma,
    GammaIntervalLogVariance: _log_of_gamma,
    NormalCDF: _apply("ncdf"),
    Relational: _relation,
    And: lambda run, expr, scope: all(run(each, scope) for each in expr.args),
    Or: lambda run, expr, scope: any(run(each, scope) for each in expr.args),
    Not: lambda run, expr, scope: not run(expr.args[0], scope),
    BooleanAtom: lambda _run, expr, _scope: bool(expr),
    Piecewise: _piecewise,
    LinearSolution: _solution,
    Max: lambda run, expr, scope: max(run(each, scope) for each in expr.args),
    Min: lambda run, expr, scope: min(run(each, scope) for each in expr.args),
    Abs: lambda run, expr, scope: abs(run(expr.args[0], scope)),
    polygamma: _apply("psi"),
    digamma: lambda run, expr, scope: run.context.psi(0, run(expr.args[0], scope)),
    loggamma: _apply("loggamma"),
    gamma: _apply("gamma"),
    factorial: _apply("factorial"),
    besseli: _apply("besseli"),
    uppergamma: _apply("gammainc"),
    erf: _apply("erf"),
    erfc: _apply("erfc"),
    sin: _apply("sin"),
    cos: _apply("cos"),
    atan: _apply("atan"),
    atan2: _apply("atan2"),
    tan: _apply("tan"),
    floor: _apply("floor"),
    ceiling: _apply("ceil"),
}


def _special(run: Evaluator, expr: Expr) -> Any:
    return run.context.mpf(str(expr)) if expr.is_finite else run.context.inf * (1 if expr.is_positive else -1)


def situation(model: Model, arrays: Values, theta: Values, extents: tuple[Any, ...] = ()) -> dict[str, Any]:
    """Everything a formula of that model may name: arrays, masks, parameters and the sizes they show."""
    values = {**arrays, **theta}
    for variable in model.variables.values():
        if variable.missing:
            entries = np.asarray(arrays[variable.name], dtype=float)
            seen = ~np.isnan(entries) & ~(variable.support.discrete & (entries < 0))
            values[f"observed_{variable.name}"] = seen.astype(int)
            values[variable.name] = np.where(seen, entries, 0.0)
        if isinstance(variable.support, Labels) and variable.name in values:
            values[variable.name] = np.asarray(values[variable.name]) - variable.support.origin
        if variable.name in values:
            lengths = np.shape(values[variable.name])
            for size, length in zip((*variable.sizes, *variable.shape), lengths, strict=False):
                if isinstance(size, Symbol):
                    values[str(size)] = length
    for extent in (*model.extents, *extents):
        values[str(extent.symbol)] = _largest(Evaluator(values), extent)
    return values


def _largest(run: Evaluator, extent: Any) -> int:
    ranges = [range(int(run(axis.size))) for axis in extent.axes]
    names = [str(axis.index) for axis in extent.axes]
    return max(
        int(run(extent.value, dict(zip(names, place, strict=True)))) for place in itertools.product(*ranges)
    )


def thinned(model: Model, arrays: Values, most: int) -> dict[str, Any]:
    """At most so many positions of every plate: enough for an identity, and quick."""
    thin = dict(arrays)
    for variable in model.variables.values():
        if variable.name in thin and variable.sizes:
            whole = np.asarray(thin[variable.name])
            plates = whole.shape[: len(variable.sizes)]
            thin[variable.name] = whole[tuple(_spread(length, most) for length in plates)]
    return thin


def _spread(length: int, most: int) -> slice:
    return slice(0, length, -(-length // most))


def tabulate(run: Evaluator, entry: Any, value: Expr, whole: Any) -> tuple[Any, Any]:
    """`value` at each place that `entry` stands for, beside those places of the array `whole`."""
    places = getattr(entry, "indices", ())
    free = [place for place in places if isinstance(place, Idx)]
    spans = [range(length) for place, length in zip(places, np.shape(whole), strict=True) if place in free]
    found, there = [], []
    for numbers in itertools.product(*spans):
        at = dict(zip(free, numbers, strict=True))
        found.append(run(value, {str(index): number + int(index.lower) for index, number in at.items()}))
        there.append(np.asarray(whole)[tuple(int(at.get(place, place)) for place in places)])
    return np.array(found), np.array(there)
