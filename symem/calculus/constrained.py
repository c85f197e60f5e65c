"""Maxima over a support with ends: where the root of the derivative can lie outside, the end it lies beyond.

On an interval it is enough that the derivative changes its sign once, from + to -: then Q is largest at the root where
this is inside, else at the end that is nearer to it. Shares of a simplex with coefficients that can be negative have
no maximum where one is: Σ c log w rises without bound as that share goes to zero, so zero is its share, and what is
left is shared among the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import (
    Add,
    Dummy,
    Expr,
    Max,
    Min,
    Mul,
    Poly,
    PolynomialError,
    Pow,
    S,
    Sum,
    expand,
    fraction,
    oo,
    together,
)

from symem.calculus.roots import Equation, Powers, ratio, two_powers
from symem.calculus.signs import Signs
from symem.calculus.slopes import entries
from symem.language.support import Support
from symem.language.supports import Positive


def two_powers_within(equation: Equation) -> Iterator[tuple[Powers, Support]]:
    """The equations of two powers, with where the root must lie."""
    yield from ((powers, equation.support) for powers in two_powers(equation))


def nearest(powers: Powers, support: Support) -> Expr:
    """The member of a closed interval that is nearest to the root."""
    low, high = support.bounds
    root = ratio(powers)
    if isinstance(root, Pow) and not root.exp.is_integer and low == 0:
        above = Pow(Max(0, root.base), root.exp)
    else:
        above = root if low == -oo else Max(low, root)
    return above if high == oo else Min(high, above)


def interior(value: Expr, support: Support) -> Expr:
    """A value without the ends that confine it."""
    ends = {S.Zero, *support.bounds}

    def bare(*sides: Expr) -> Expr | None:
        inner = [side for side in sides if side not in ends]
        return inner[0] if len(inner) == 1 and len(sides) == 2 else None

    return value.replace(
        lambda each: isinstance(each, Max | Min) and bare(*each.args) is not None,
        lambda each: bare(*each.args),
    )


@dataclass(frozen=True)
class Crossing:
    """∂Q/∂u = f(u) (c uᵃ + d uᵇ) on an interval, f > 0 inside."""

    unknown: Expr
    support: Support
    low: tuple[Expr, Expr]
    high: tuple[Expr, Expr]
    open_ends: tuple[Expr, ...]

    def is_downwards(self, signs: Signs) -> bool:
        """Whether it is positive below its root and negative above: d ≤ 0, and u ≥ 0 or a even and b odd."""
        (a, _c), (b, d) = self.low, self.high
        folds = self.support.bounds[0].is_extended_nonnegative or (a.is_even and b.is_odd)
        return bool(folds) and signs(-d) in (0, 1)

    def inward(self) -> Iterator[Expr]:
        """What is positive where the derivative points inwards at an end that Q, or the support, does not reach."""
        (a, c), (b, d) = self.low, self.high
        for end in self.open_ends:
            inward = 1 if end == self.support.bounds[0] else -1
            at_end = c if end == 0 else c * end**a + d * end**b
            yield expand(inward * at_end)


def crossing(slope: Expr, unknown: Expr, support: Support, signs: Signs) -> Crossing | None:
    """A derivative as one with two powers, what divides it being of one sign inside the support."""
    u = Dummy("u", positive=True) if support.bounds[0].is_extended_nonnegative else Dummy("u", real=True)
    if any(entries(each, unknown) for each in slope.atoms(Sum)) or entries(slope, unknown) != [unknown]:
        return None
    above, below = fraction(together(slope.xreplace({unknown: u})))
    told = _sign_inside(below, u, support, signs)
    powers: dict[Expr, Expr] = {}
    for part in Add.make_args(expand(above)):
        coefficient, power = part.as_independent(u, as_Add=False)
        base, exponent = power.as_base_exp() if power != 1 else (u, S.Zero)
        if base != u or not exponent.is_number:
            return None
        powers[exponent] = powers.get(exponent, S.Zero) + (
            coefficient if told is None else told[0] * coefficient
        )
    if told is None or len(powers) != 2:
        return None
    low, high = sorted(powers)
    excluded = support.bounds[:1] if isinstance(support, Positive) else ()
    ends = tuple(dict.fromkeys((*told[1], *excluded)))
    return Crossing(unknown, support, (low, powers[low]), (high, powers[high]), ends)


def _sign_inside(below: Expr, u: Expr, support: Support, signs: Signs) -> tuple[int, tuple[Expr, ...]] | None:
    """The sign of a denominator inside an interval, and the ends at which it vanishes."""
    apart, own = below.as_independent(u, as_Add=False)
    sign, (low, high) = signs(apart), support.bounds
    if not sign or not all(end.is_number for end in (low, high)):
        return None
    ends: list[Expr] = []
    for factor in Mul.make_args(own):
        base, power = factor.as_base_exp()
        try:
            roots = [] if base == 1 else Poly(base, u).real_roots()
        except (PolynomialError, NotImplementedError, ValueError):
            return None
        if any(low < root < high for root in roots) or not power.is_positive:
            return None
        ends += [root for root in roots if root in (low, high)]
        middle = (
            (low + high) / 2 if low.is_finite and high.is_finite else low + 1 if low.is_finite else high - 1
        )
        value = base.xreplace({u: middle}) if own != 1 else S.One
        sign *= 1 if value > 0 or power.is_even else -1
    return sign, tuple(dict.fromkeys(ends))
