"""Whether a function is convex or concave in unknowns together, read off from how it is put together.

Sums of exponentials of affine functions are log-convex, a log of what is log-convex is convex, and so on (Boyd & Vandenberghe
2004, sections 3.1.5, 3.2 and 3.5.2; Grant, Boyd & Ye 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sympy import Add, Expr, Indexed, Mul, Piecewise, Pow, Sum, Symbol, exp, expand_mul, log, loggamma

from symem.calculus.differentiate import Unknown
from symem.derivation import Chart
from symem.language.bessel_logarithms import LogBesselK
from symem.language.incomplete_gamma import LogIncompleteGamma
from symem.language.matrices import T, is_square
from symem.language.traces import Tr

#: 1 for ≥ 0, -1 for ≤ 0, 0 for zero, None where nothing is known.
Sign = Callable[[Expr], int | None]


@dataclass(frozen=True)
class Shape:
    """What is known of a function: affine ones are both."""

    convex: bool = False
    concave: bool = False

    def times(self, sign: int | None) -> Shape:
        """Of the function times a number of that sign."""
        if self.is_affine or sign == 0:
            return AFFINE
        return {1: self, -1: Shape(self.concave, self.convex), None: UNKNOWN}[sign]

    @property
    def is_affine(self) -> bool:
        return self.convex and self.concave


AFFINE, CONVEX, CONCAVE, UNKNOWN = Shape(True, True), Shape(convex=True), Shape(concave=True), Shape()  # noqa: FBT003
PLAIN = Chart()


@dataclass(frozen=True)
class Curvature:
    """Reads the shape of functions of some unknowns, all else being constant; `sign` tells that of constants.

    Functions are those of the coordinates of each unknown's chart.
    """

    unknowns: Sequence[Unknown]
    sign: Sign
    charts: Sequence[Chart] = ()

    def __call__(self, expr: Expr) -> Shape:
        if not self._moves(expr):
            return AFFINE
        if isinstance(expr, Indexed | Symbol):
            return {"": AFFINE, "positive": AFFINE, "times": UNKNOWN}.get(self._chart(expr).kind, CONVEX)
        rule = next((rule for kind, rule in _RULES.items() if isinstance(expr, kind)), None)
        return UNKNOWN if rule is None else rule(self, expr)

    def _moves(self, expr: Expr) -> bool:
        return any(unknown.entries(expr) for unknown in self.unknowns)

    def _chart(self, expr: Expr) -> Chart:
        """The chart of the unknown that an entry is one of."""
        charts = zip(self.unknowns, self.charts, strict=False)
        return next((chart for unknown, chart in charts if unknown.entries(expr) == [expr]), PLAIN)

    def _is_power_of(self, base: Expr, exponent: Expr) -> bool:
        """Whether the logarithm of base**exponent is a multiple of a coordinate."""
        chart = self._chart(base)
        if chart.kind == "log":
            return not self._moves(exponent)
        if chart.kind != "power":
            return False
        beside = self.unknowns[chart.beside].entries(exponent)
        return len(beside) == 1 and not self._moves(exponent / beside[0])

    def _is_times(self, one: Expr, other: Expr) -> bool:
        """Whether the product of two numbers is a coordinate."""
        chart = self._chart(one)
        return chart.kind == "times" and self.unknowns[chart.beside].entries(other) == [other]

    # -- the rules -----------------------------------------------------------------------------------------

    def sum(self, expr: Expr) -> Shape:
        parts = [self(expr.function)] if isinstance(expr, Sum) else [self(part) for part in expr.args]
        return Shape(all(part.convex for part in parts), all(part.concave for part in parts))

    def product(self, expr: Mul) -> Shape:
        moving = [factor for factor in expr.args if self._moves(factor)]
        rest = Mul(*(factor for factor in expr.args if factor not in moving))
        if len(moving) > 1:
            if any(part.is_Add for part in moving) and (whole := expand_mul(expr)).is_Add:
                return self.sum(whole)
            if len(moving) == 2 and any(self._is_times(*pair) for pair in (moving, moving[::-1])):
                return AFFINE
            if any(self._is_power_of(f.args[0], Mul(*moving) / f) for f in moving if isinstance(f, log)):
                return AFFINE
            return CONVEX.times(self.sign(rest)) if self._logarithm(Mul(*moving)).convex else UNKNOWN
        inner = self(moving[0])
        return inner if inner.is_affine else inner.times(self.sign(rest))

    def exponential(self, expr: Expr) -> Shape:
        return CONVEX if self._logarithm(expr).convex else UNKNOWN

    def logarithm(self, expr: Expr) -> Shape:
        found = self._logarithm(expr.args[0])
        if found.convex:
            return found
        return CONCAVE if self(expr.args[0]).concave else UNKNOWN

    def log_gamma(self, expr: Expr) -> Shape:
        return CONVEX if self(expr.args[0]).is_affine else UNKNOWN

    def incomplete_gamma(self, expr: Expr) -> Shape:
        """A log of ∫ t^(s - 1) …, as a function of s."""
        shape, *ends = expr.args
        return CONVEX if self(shape).is_affine and not any(map(self._moves, ends)) else UNKNOWN

    def cases(self, expr: Piecewise) -> Shape:
        """Of functions one of which holds, whatever the unknowns are."""
        if any(map(self._moves, (condition for _, condition in expr.args))):
            return UNKNOWN
        parts = [self(value) for value, _ in expr.args]
        return Shape(all(part.convex for part in parts), all(part.concave for part in parts))

    def log_besselk(self, expr: Expr) -> Shape:
        """log K_p(x) is convex in p, as the log of an integral of exponentials of it."""
        order, x = expr.args
        return CONVEX if self(order).is_affine and not self._moves(x) else UNKNOWN

    def power(self, expr: Pow) -> Shape:
        base, exponent = expr.args
        if self._logarithm(expr).convex:
            return CONVEX
        if self._moves(exponent) or not self(base).is_affine or not exponent.is_number:
            return UNKNOWN
        if exponent.is_Integer and exponent.is_even and exponent > 0:
            return CONVEX
        if not base.is_positive:
            return UNKNOWN
        return CONCAVE if 0 < exponent < 1 else CONVEX

    def form(self, expr: Tr) -> Shape:
        """βᵀx is affine, βᵀβ and βᵀPβ with P positive definite convex."""
        moving = [letter for letter in expr.word if self._moves(letter)]
        if len(moving) == 1:
            bare = moving[0].args[0] if isinstance(moving[0], T) else moving[0]
            return AFFINE if isinstance(bare, Indexed) else UNKNOWN
        return CONVEX if len(moving) == 2 and is_square(expr.word) else UNKNOWN

    def _logarithm(self, expr: Expr) -> Shape:
        """The shape of log(expr), where expr is known not to be negative."""
        if not self._moves(expr):
            return AFFINE if self.sign(expr) in (0, 1) else UNKNOWN
        if isinstance(expr, Indexed | Symbol):
            return AFFINE if self._chart(expr).kind == "log" else UNKNOWN
        if isinstance(expr, exp):
            return self(expr.args[0])
        if isinstance(expr, Pow):
            return self._log_of_power(*expr.args)
        if isinstance(expr, Mul):
            parts = list(map(self._logarithm, expr.args))
            return Shape(all(part.convex for part in parts), all(part.concave for part in parts))
        if isinstance(expr, Add | Sum):
            parts = [expr.function] if isinstance(expr, Sum) else list(expr.args)
            return CONVEX if all(self._logarithm(part).convex for part in parts) else UNKNOWN
        return UNKNOWN

    def _log_of_power(self, base: Expr, exponent: Expr) -> Shape:
        if self._is_power_of(base, exponent):
            return AFFINE
        if not self._moves(base):
            # A power that is a real number whatever the exponent is has no negative base.
            return AFFINE if base.is_real and self(exponent).is_affine else UNKNOWN
        return UNKNOWN if self._moves(exponent) else self._logarithm(base).times(self.sign(exponent))


_RULES: dict[type[Expr], Callable[[Curvature, Expr], Shape]] = {
    Add: Curvature.sum,
    Sum: Curvature.sum,
    Mul: Curvature.product,
    exp: Curvature.exponential,
    log: Curvature.logarithm,
    loggamma: Curvature.log_gamma,
    LogIncompleteGamma: Curvature.incomplete_gamma,
    Pow: Curvature.power,
    Piecewise: Curvature.cases,
    Tr: Curvature.form,
    LogBesselK: Curvature.log_besselk,
}


def is_smooth(expr: Expr, unknowns: Sequence[Unknown]) -> bool:
    """Whether a function of some unknowns is made of functions that have two derivatives wherever they are finite."""
    if not any(unknown.entries(expr) for unknown in unknowns) or isinstance(expr, Indexed | Symbol):
        return True
    if isinstance(expr, Piecewise) and any(
        u.entries(condition) for u in unknowns for _, condition in expr.args
    ):
        return False
    known = type(expr) in _RULES and not isinstance(expr, Tr)
    return isinstance(expr, Tr) or (known and all(is_smooth(part, unknowns) for part in _parts(expr)))


def _parts(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, Piecewise):
        return tuple(value for value, _ in expr.args)
    return (expr.function,) if isinstance(expr, Sum) else expr.args
