"""Reading what a user wrote: ranges, slots and names become internal symbols.

Outside, an index may run from 0 or from 1, and symbols carry whatever assumptions they were born with.
Inside, every index runs from 0 to size - 1, and every symbol carries the assumptions of its support.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import (
    And,
    Basic,
    Eq,
    Expr,
    Ge,
    Idx,
    Indexed,
    IndexedBase,
    KroneckerDelta,
    Le,
    Piecewise,
    Product,
    Sum,
    Symbol,
    expand,
)
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.function import Derivative
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean
from sympy.stats.rv import RandomSymbol

from symem.errors import ModelError, PlateError, SupportError, UndeclaredSymbolError
from symem.language.matrices import (
    COORDINATE,
    ENTRY,
    Diagonal,
    MatrixArray,
    MatrixEntry,
    T,
    Unit,
    is_matrix,
    shape,
    transpose,
)
from symem.language.plates import Axis, Iverson, index_symbol
from symem.language.ranges import Range, limit_ranges, own_range
from symem.language.survey import order
from symem.language.symbol_names import check_name, stated_name
from symem.language.traces import Element, LogDet, Tr, element, log_det, trace
from symem.language.transcription import entry_on_diagonal, transcribed

Scope = dict[Basic, Expr]


@dataclass(frozen=True)
class Extent:
    """A size that data show: the largest of `value` over `axes`."""

    symbol: Symbol
    value: Expr
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Shape:
    """The internal size and the origin of every slot of one array."""

    sizes: tuple[Expr, ...]
    origins: tuple[int, ...]


@dataclass
class Reader:
    """Rewrites a user's expression in internal symbols.

    Args:
        symbols: name -> internal symbol.
        shapes: name -> size and origin of each slot.
        label_origins: name -> what the values of a label count from, where that is not 0.
        extents: the sizes that data show, by symbol.
        spans: index name -> (range in the user's symbols, internal index).
        reserved: labels of indices that matrices bring in.
        lengths: the symbols and arrays that bound ranges.
        user_indices: internal index -> (the user's index, what it counts from).
    """

    symbols: dict[str, Any]
    shapes: dict[str, Shape]
    label_origins: dict[str, int]
    extents: dict[Expr, Extent]
    spans: dict[str, tuple[Range, Symbol]] = field(default_factory=dict)
    user_indices: dict[Symbol, tuple[Basic, Expr]] = field(default_factory=dict)
    open_axes: dict[Symbol, Axis] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()
    lengths: frozenset[str] = frozenset()

    def read(self, expr: Any, env: Mapping[Basic, Expr] | None = None) -> Any:
        """An expression in internal symbols; `env` says what the indices in scope are.

        Raises:
            UndeclaredSymbolError: a symbol has no role.
            PlateError: an index is free.
            ModelError: something stands in it that no log-likelihood can hold.
        """
        return self._read(transcribed(expr), dict(env or {}))

    def _read(self, expr: Any, env: Scope) -> Any:
        if expr in env:
            return env[expr]
        readings: tuple[tuple[Any, Callable[[Any, Scope], Any]], ...] = (
            ((Sum, Product), self._read_sum),
            (Indexed, self._read_array),
            (IndexedBase, _refuse_bare),
            (Idx, self._read_index),
            (RandomSymbol, _refuse_random),
            (Symbol, self._read_symbol),
            (KroneckerDelta, self._read_delta),
            (Piecewise, self._read_cases),
            (T, lambda letter, env: transpose(self._read(letter.args[0], env))),
            (Tr, self._read_trace),
            (LogDet, self._read_log_det),
            (Element, self._read_element),
            (Diagonal, self._read_diagonal),
            (Unit, lambda unit, env: Unit(*(self._read(each, env) for each in unit.args))),
        )
        reading = next((each for kinds, each in readings if isinstance(expr, kinds)), self._read_parts)
        return reading(expr, env)

    def _read_parts(self, expr: Any, env: Scope) -> Any:
        if isinstance(expr, _REFUSED) or not isinstance(expr, (Expr, Boolean, Relational)):
            raise ModelError(
                f"{expr} ({type(expr).__name__}) cannot stand in a scalar log-likelihood: write it out."
            )
        return expr.func(*(self._read(argument, env) for argument in expr.args)) if expr.args else expr

    def _read_cases(self, expr: Piecewise, env: Scope) -> Expr:
        return Piecewise(*((self._read(value, env), self._read(held, env)) for value, held in expr.args))

    def _read_index(self, expr: Idx, _env: Scope) -> Expr:
        raise PlateError(
            f"The index {expr.label} is free: sum over it, or give it to the variable on the left."
        )

    def _read_delta(self, expr: Expr, env: Scope) -> Expr:
        return Iverson(Eq(*(self._read(argument, env) for argument in expr.args[:2])))

    def _read_trace(self, expr: Tr, env: Scope) -> Expr:
        word = self._read(expr.args[0], env)
        return trace(word, shape(word)[0]) if is_matrix(word) else word

    def _read_log_det(self, expr: LogDet, env: Scope) -> Expr:
        matrix, size = (self._read(each, env) for each in expr.args)
        return self.log_det(matrix, size)

    def log_det(self, matrix: Expr, size: Expr) -> Expr:
        """log det of a positive definite matrix in internal symbols.

        Raises:
            SupportError: its form does not show that it is symmetric.
        """
        if is_matrix(matrix) and expand(transpose(matrix) - matrix) != 0:
            raise SupportError(
                f"The covariance or precision {matrix} is not symmetric by its form: declare its letters in "
                f"parameters={{Sigma: PositiveDefinite()}}, or write A*A.T + s*Identity(d)."
            )
        return log_det(matrix, size)

    def _read_element(self, expr: Element, env: Scope) -> Expr:
        matrix, row, column = expr.args
        if isinstance(matrix, MatrixEntry) and not isinstance(self._symbol(stated_name(matrix)), MatrixArray):
            return self._entry(entry_on_diagonal(expr), env)
        return element(*(self._read(each, env) for each in (matrix, row, column)))

    def _read_diagonal(self, expr: Diagonal, env: Scope) -> Expr:
        entry, size = expr.args
        return Diagonal(self._read(entry, {**env, ENTRY: ENTRY}), self._read(size, env))

    def _read_symbol(self, symbol: Symbol, _env: Scope) -> Expr:
        return self._symbol(str(symbol.name)) + self.label_origins.get(str(symbol.name), 0)

    def _symbol(self, name: str) -> Any:
        if name not in self.symbols:
            raise UndeclaredSymbolError(
                f"The symbol {name} is not declared: it is not in the model, so name its role."
            )
        return self.symbols[name]

    def _read_array(self, expr: Indexed, env: Scope) -> Expr:
        return self._entry(expr, env) + self.label_origins.get(stated_name(expr), 0)

    def _entry(self, expr: Indexed, env: Scope) -> Expr:
        name = stated_name(expr)
        array = self._symbol(name)
        origins = self.shapes[name].origins
        if len(origins) != len(expr.indices):
            raise PlateError(
                f"{expr} has {len(expr.indices)} indices, but {name} has {len(origins)} in the model."
            )
        if isinstance(expr, MatrixEntry) and not origins:
            return array()
        return array[
            tuple(self._place(p, origin, env) for p, origin in zip(expr.indices, origins, strict=True))
        ]

    def _place(self, place: Expr, origin: int, env: Scope) -> Expr:
        if isinstance(place, (Indexed, Symbol)) and place not in env:
            entry = self._entry(place, env) if isinstance(place, Indexed) else self._symbol(str(place.name))
            return entry - origin if stated_name(place) in self.lengths else entry
        return self._read(place, env) - origin

    # -- sums and products -----------------------------------------------------------------------------

    def _read_sum(self, expr: Expr, env: Scope) -> Expr:
        inner, axes, conditions = dict(env), [], []
        for index, span in limit_ranges(expr):
            axis, value, extra = self._axis(index, span, inner)
            inner[index] = value
            self.open_axes[axis.index] = axis
            axes.append(axis)
            conditions += extra
        body = _where(conditions, self._read(expr.function, inner), expr.func)
        return expr.func(body, *(axis.limits for axis in reversed(axes)))

    def _axis(self, index: Basic, span: Range, env: Scope) -> tuple[Axis, Expr, list[Any]]:
        """(internal axis, what the index equals, conditions that a dependent range leaves)."""
        low, high = self._read(span.lower, env), self._read(span.upper, env)
        outer = {symbol for value in env.values() for symbol in value.free_symbols}
        symbol = self._index(index, span)
        origin = _origin(low, outer, env)
        size = high - origin + 1
        conditions = [] if origin == low else [Ge(symbol + origin, low)]
        if size.free_symbols & outer:
            conditions.append(Le(symbol + origin, high))
            size = self._largest(size)
        return Axis(symbol, size), symbol + origin, conditions

    def _largest(self, size: Expr) -> Expr:
        """The largest value of a size that depends on outer indices; of T[j] and T[j] - 1 they differ by 1."""
        offset, varying = size.as_coeff_Add()
        return self._extent(varying) + offset if size.atoms(Indexed) else self._extent(size)

    def _extent(self, size: Expr) -> Expr:
        axes = {s: self.open_axes[s] for s in sorted(size.free_symbols, key=str) if s in self.open_axes}
        if not size.atoms(Indexed):
            return size.subs({s: axis.size - 1 for s, axis in axes.items()})
        symbol = extent_symbol(size)
        self.extents.setdefault(symbol, Extent(symbol, size, tuple(axes.values())))
        return symbol

    def label(self, name: str) -> str:
        """What an index of the user's is called inside."""
        return f"{name}_2" if name in self.reserved else name

    def _index(self, index: Basic, span: Range) -> Symbol:
        name = stated_name(index)
        check_name(name)
        labels = (
            name if index == COORDINATE else self.label(name),
            *(f"{name}_{count}" for count in range(2, 99) if f"{name}_{count}" not in self.symbols),
        )
        label = next(each for each in labels if each not in self.spans or self.spans[each][0] == span)
        symbol = index_symbol(label)
        self.spans[label] = (span, symbol)
        if span.lower.is_Integer:
            self.user_indices[symbol] = (index, span.lower)
        return symbol


def _origin(low: Expr, outer: set[Any], env: Scope) -> Expr:
    """What an index counts from; where its range starts at an outer index, what that one counts from."""
    inside = low.free_symbols & outer
    if not inside:
        return low
    return min((env[i] - s for i in env for s in env[i].free_symbols if s in inside), key=order)


def _where(conditions: list[Any], body: Expr, kind: type[Expr]) -> Expr:
    """A summand or a factor that counts only where the conditions hold."""
    if not conditions:
        return body
    held = Iverson(And(*conditions))
    return body**held if kind is Product else body * held


def extent_symbol(size: Expr) -> Symbol:
    """The name of the largest value of a size that arrays hold."""
    names = sorted({stated_name(entry) for entry in size.atoms(Indexed)})
    return Symbol("max_" + "_".join(names), integer=True, positive=True)


def _refuse_random(expr: Any, _env: Scope) -> Any:
    raise ModelError(
        f"The random symbol {expr} of sympy.stats stands inside an expression: put a distribution behind a colon, "
        f"and a Symbol or x[i] in formulas."
    )


def _refuse_bare(expr: IndexedBase, _env: Scope) -> Any:
    raise PlateError(
        f"The array {expr} stands without an index: write {expr}[k], or symbols('{expr}') for a number."
    )


_REFUSED = (Derivative, ExprWithLimits)

__all__ = ["Extent", "Reader", "Shape", "extent_symbol", "own_range", "stated_name"]
