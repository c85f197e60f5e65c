"""From SymPy to arrays with named axes: each kind of expression has one reading.

`Sum`s become contractions, brackets under a sum are collapsed, scattered or turned into masks, and an array
read at an observed category becomes a `Take`. What has no reading raises and is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import Any

from sympy import (
    Abs,
    Add,
    And,
    Expr,
    Function,
    Indexed,
    Max,
    Min,
    Mul,
    Piecewise,
    Pow,
    S,
    Sum,
    Symbol,
    besseli,
    besselk,
    erf,
    erfc,
    exp,
    factorial,
    floor,
    gamma,
    log,
    loggamma,
    polygamma,
)
from sympy.core.relational import Relational
from sympy.functions import acos, asin, atan, atan2, ceiling, cos, cosh, sign, sin, sinh, tan, tanh
from sympy.logic.boolalg import BooleanFunction, BooleanTrue

from symem.codegen.ir.nodes import (
    Axes,
    Factor,
    Fill,
    Node,
    Number,
    Range,
    Root,
    Solve,
    Source,
    union,
    without,
)
from symem.codegen.lowering.contraction import (
    add,
    apply,
    level,
    merged,
    quotient,
)
from symem.codegen.lowering.layouts import Layout, entry, load
from symem.codegen.lowering.log_gammas import (
    LogBinomial,
    LogNegativeBinomial,
    LogOnePlus,
    LogPoisson,
)
from symem.codegen.lowering.matrix_factors import (
    CholeskyEntry,
    CholeskyInverseEntry,
    InverseEntry,
    MatrixFunction,
    WhiteningEntry,
)
from symem.codegen.lowering.means import Determined, Mean
from symem.codegen.lowering.peaks import letters_over, peak
from symem.codegen.lowering.summation import Summation
from symem.errors import NotDerivedError
from symem.language import bessel_logarithms as bessel
from symem.language.falling_root import FallingRoot
from symem.language.incomplete_gamma import (
    GammaIntervalLogMean,
    GammaIntervalLogVariance,
    GammaIntervalMean,
    LogGammaDensity,
    LogGammaInterval,
    LogIncompleteGamma,
)
from symem.language.logarithm import stable
from symem.language.plates import Iverson, LinearSolution, LogIverson
from symem.language.polya_gamma import TanhRatio
from symem.language.quadrature_rule import Mode, RuleLogWeight, RuleNode
from symem.language.special import FromLog, LogGammaRatio, LogNormalInterval, NormalCDF

#: Functions that act on each element, and the operation each one is.
ELEMENTWISE: Mapping[Any, str] = {
    exp: "exp", FromLog: "exp", Abs: "abs", Max: "maximum", Min: "minimum", sin: "sin", cos: "cos", tan: "tan",
    asin: "arcsin", acos: "arccos", atan: "arctan", atan2: "arctan2", floor: "floor", ceiling: "ceil",
    sinh: "sinh", cosh: "cosh", tanh: "tanh", sign: "sign", loggamma: "gammaln", gamma: "gamma",
    erf: "erf", erfc: "erfc", NormalCDF: "ndtr", LogNormalInterval: "log_normal_interval",
    LogGammaInterval: "log_gamma_interval", GammaIntervalMean: "gamma_interval_mean",
    TanhRatio: "tanh_ratio", bessel.LogBesselK: "log_besselk", bessel.LogBesselKDerivative: "log_besselk_derivative", bessel.LogScaledBesselI: "log_scaled_besseli", LogPoisson: "log_poisson",
    LogGammaRatio: "log_gamma_ratio", LogOnePlus: "log1p",
    RuleNode: "rule_node", RuleLogWeight: "rule_log_weight",
    LogBinomial: "log_binomial", LogNegativeBinomial: "log_negative_binomial", Mean: "mean_of", Determined: "determined",
}  # fmt: skip

#: Parts of what one function gives at once, and that function.
_PARTS: Mapping[Any, tuple[str, str]] = {
    LogIncompleteGamma: ("log_incomplete_gamma", "gamma_interval_logs"),
    GammaIntervalLogMean: ("gamma_interval_log_mean", "gamma_interval_logs"),
    GammaIntervalLogVariance: ("gamma_interval_log_variance", "gamma_interval_logs"),
}

#: Functions of a whole matrix, and the helper that computes each.
FACTORS: Mapping[Any, str] = {
    CholeskyEntry: "_cholesky", CholeskyInverseEntry: "_inverse_from_cholesky", InverseEntry: "_inverse", WhiteningEntry: "_whitening",
}  # fmt: skip


@dataclass
class Lowering:
    """Reads SymPy expressions as nodes.

    Args:
        layouts: internal symbol name -> where and how it is stored.
        rank: the order of axes.
        sizes: index -> size, extended as sums are entered.
        rows: the size whose axis is cut into chunks, and the node that holds a chunk's length.
        tables: probabilities that may be 0, beside which what they weigh may be infinite or undefined.
    """

    layouts: Mapping[str, Layout]
    rank: Callable[[Symbol], Any]
    sizes: dict[Symbol, Expr] = field(default_factory=dict)
    rows: tuple[Expr, Node] | None = None
    tables: frozenset[str] = frozenset()

    def __call__(self, expr: Expr) -> Node:
        if isinstance(expr, Expr) and expr.is_number:
            return self.number(expr)
        for kind, reading in _READINGS:
            if isinstance(expr, kind):
                return reading(self, expr)
        raise NotDerivedError(f"{expr} has no reading in NumPy: {type(expr).__name__} is not in the table.")

    def over(self, expr: Expr, axes: Axes) -> Node:
        """The expression as an array over exactly these axes (in the program's order)."""
        node = self(expr)
        return node if node.axes == axes else Fill(axes, node, tuple(self.size(axis) for axis in axes))

    def size(self, index: Symbol) -> Node:
        size = self.sizes[index]
        return self.rows[1] if self.rows and self.rows[0] == size else self(size)

    def number(self, expr: Expr) -> Node:
        return Number((), expr)

    def symbol(self, symbol: Symbol) -> Node:
        if symbol in self.sizes:
            return Range((symbol,), self.size(symbol))
        if symbol.name in self.layouts:
            return load(self, self.layouts[symbol.name], ())
        raise NotDerivedError(f"The symbol {symbol} is defined nowhere in the derivation.")

    def factor(self, expr: MatrixFunction) -> Node:
        row, column, matrix = expr.args
        axes = self._sorted({*self(matrix).axes, row, column})
        return Factor(axes, FACTORS[expr.func], self.over(matrix, axes), row, column)

    def add(self, expr: Add) -> Node:
        """A hard constraint among the terms decides alone: where it fails, the others may be undefined."""
        hard = [term for term in expr.args if isinstance(term, LogIverson)]
        rest = Add(*(term for term in expr.args if term not in hard))
        if hard and rest.free_symbols:
            condition = And(*(term.args[0] for term in hard))
            return apply(self.rank, "where", self(condition), self(rest), self.number(S.NegativeInfinity))
        if (power := _of_one_less_exponential(expr)) is not None:
            return quotient(self.rank, S.NegativeOne, [apply(self.rank, "expm1", self(power))], [])
        return add(self.rank, merged(self.rank, [self(term) for term in expr.args]))

    def mul(self, expr: Expr) -> Node:
        coefficient, factors = expr.as_coeff_mul()
        factors = bessel.by_logarithms(factors)
        masks = [factor for factor in factors if isinstance(factor, Iverson)]
        rest = [factor for factor in factors if factor not in masks]
        weighed = [factor for factor in rest if level(self(factor)) != 0]
        if masks and weighed:
            held = And(*(mask.args[0] for mask in masks))
            chosen = apply(self.rank, "where", self(held), self(Mul(*weighed)), self.number(S.Zero))
            return quotient(
                self.rank, coefficient, *self._ratio([f for f in rest if f not in weighed], chosen)
            )
        return quotient(self.rank, coefficient, *self._ratio(factors))

    def _ratio(self, factors: Iterable[Expr], *more: Node) -> tuple[list[Node], list[Node]]:
        above = [*more, *(self(factor) for factor in factors if not _is_denominator(factor))]
        return above, [self(1 / factor) for factor in factors if _is_denominator(factor)]

    def power(self, expr: Pow) -> Node:
        if _is_denominator(expr):
            return quotient(self.rank, S.One, [], [self(1 / expr)])
        if expr.exp == S.Half:
            return apply(self.rank, "sqrt", self(expr.base))
        base, exponent = self(expr.base), self(expr.exp)
        if expr.base.is_positive and base.sources == {Source.ROWS} and Source.THETA in exponent.sources:
            return apply(self.rank, "exp", self(expr.exp * log(expr.base)))  # many times as fast as a power
        return apply(self.rank, "**", base, exponent)

    def logarithm(self, expr: Expr) -> Node:
        if isinstance(expr.args[0], gamma | factorial):
            inside = expr.args[0].args[0]
            return apply(
                self.rank, "gammaln", self(inside + 1 if isinstance(expr.args[0], factorial) else inside)
            )
        if expr.args[0].func in bessel.LOGARITHMS:
            return self(bessel.LOGARITHMS[expr.args[0].func](*expr.args[0].args))
        if (whole := Summation(self).logarithm(expr.args[0])) is not None:
            return whole
        if found := stable(expr.args[0]):
            nodes = list(map(self, found[1]))
            adds = found[0] == "LogAddExp"
            return (
                reduce(partial(apply, self.rank, "logaddexp"), nodes)
                if adds
                else apply(self.rank, found[0], *nodes)
            )
        if (power := _of_one_less_exponential(expr.args[0])) is not None:
            return apply(self.rank, "log_one_less_exp", self(power))
        argument = self(expr.args[0])
        once = level(argument) == 0 and bool(argument.sources - {Source.STATISTIC})
        guarded = Source.THETA in argument.sources or once
        return apply(self.rank, "log_above_zero" if guarded else "log", argument)

    def part(self, expr: Expr) -> Node:
        name, whole = _PARTS[expr.func]
        return apply(self.rank, name, apply(self.rank, whole, *map(self, expr.args)))

    def solution(self, expr: LinearSolution) -> Node:
        component, row, column, matrix, vector, size = expr.args
        for index in (row, column):
            self.sizes[index] = size
        batch = without(self(matrix).axes, (row, column))
        columns = without(self(vector).axes, (*batch, row))
        if len(columns) > 1:
            batch, columns = self._sorted({*batch, *columns}), ()
        square = self.over(matrix, self._sorted({*batch, row, column}))
        right = self.over(vector, self._sorted({*batch, *columns, row}))
        if component in self.sizes:
            axes = self._sorted({*batch, *columns, component})
            return Solve(axes, square, right, row, column, component)
        raise NotDerivedError(f"The component {component} of a linear system is no index.")

    def root(self, expr: FallingRoot) -> Node:
        given = tuple(map(self, expr.given))
        names = ["u", *(f"c_{number}" for number in range(len(given)))]
        inside = replace(self, layouts={name: Layout(name, (), frozenset()) for name in names})
        function, slope = map(inside, expr.written_in(names))
        return Root(union(self.rank, given), given, expr.unknown.name, function, slope)

    def mode(self, expr: Mode) -> Node:
        axes = self._sorted(symbol for symbol in expr.free_symbols if symbol in self.sizes)
        inside = replace(self, layouts={**self.layouts, **letters_over(expr, axes)})
        return peak(self, expr, axes, inside)

    def _sorted(self, axes: Iterable[Symbol]) -> Axes:
        return tuple(sorted(axes, key=self.rank))

    def polygamma(self, expr: Expr) -> Node:
        order, argument = expr.args
        if order == 0:
            return apply(self.rank, "digamma", self(argument))
        if order == 1:
            return apply(self.rank, "trigamma", self(argument))
        return apply(self.rank, "polygamma", self(order), self(argument))

    def function(self, expr: Expr) -> Node:
        if expr.func not in ELEMENTWISE:
            raise NotDerivedError(f"{expr.func.__name__} in {expr} has no NumPy or SciPy function here.")
        return apply(self.rank, ELEMENTWISE[expr.func], *(self(argument) for argument in expr.args))

    def bracket(self, expr: Expr) -> Node:
        return apply(self.rank, "where", self(expr.args[0]), self.number(S.One), self.number(S.Zero))

    def log_bracket(self, expr: Expr) -> Node:
        return apply(
            self.rank, "where", self(expr.args[0]), self.number(S.Zero), self.number(S.NegativeInfinity)
        )

    def piecewise(self, expr: Piecewise) -> Node:
        *cases, (last, _) = expr.args
        node = self(last)
        for value, condition in reversed(cases):
            node = apply(self.rank, "where", self(condition), self(value), node)
        return node

    def relation(self, expr: Relational) -> Node:
        return apply(self.rank, expr.rel_op, self(expr.lhs), self(expr.rhs))

    def connective(self, expr: BooleanFunction) -> Node:
        operation = {"And": "&", "Or": "|", "Not": "~"}[expr.func.__name__]
        return apply(self.rank, operation, *(self(each) for each in sorted(expr.args, key=str)))

    def truth(self, expr: Any) -> Node:
        return self.number(S.One if isinstance(expr, BooleanTrue) else S.Zero)


def _of_one_less_exponential(expr: Expr) -> Expr | None:
    """The a of 1 - exp(a), which keeps its digits where a is small."""
    power = (1 - expr).args[0] if isinstance(expr, Add) and isinstance(1 - expr, exp) else None
    return None if power is None or power.is_number else power


def _is_denominator(factor: Expr) -> bool:
    return isinstance(factor, Pow) and bool(factor.exp.is_number) and bool(factor.exp.is_negative)


_READINGS: tuple[tuple[Any, Callable[[Lowering, Any], Node]], ...] = (
    (Sum, lambda lower, expr: Summation(lower).of(expr)),
    (LinearSolution, Lowering.solution),
    (FallingRoot, Lowering.root),
    (Mode, Lowering.mode),
    (MatrixFunction, Lowering.factor),
    (Indexed, entry),
    (Symbol, Lowering.symbol),
    (Iverson, Lowering.bracket),
    (LogIverson, Lowering.log_bracket),
    (Relational, Lowering.relation),
    (BooleanTrue, Lowering.truth),
    (BooleanFunction, Lowering.connective),
    (Add, Lowering.add),
    (Mul, Lowering.mul),
    (exp, Lowering.function),
    (besselk | besseli, lambda lower, expr: lower.mul(Mul(expr, evaluate=False))),
    (Pow, Lowering.power),
    (log, Lowering.logarithm),
    (factorial, lambda lower, expr: lower(gamma(expr.args[0] + 1))),
    (tuple(_PARTS), Lowering.part),
    (LogGammaDensity, lambda lower, expr: lower(expr.written_out)),
    (polygamma, Lowering.polygamma),
    (Piecewise, Lowering.piecewise),
    (Max | Min, Lowering.function),
    (Function, Lowering.function),
)
