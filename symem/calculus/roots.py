"""One equation, one unknown number: the forms Σ c·g(u) = 0 that have a root in closed form, and the root.

The equation is gathered once, with c free of u; each form here is one row's in `maximisers`. A rational equation
is multiplied by its denominators first, so that powers are left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from sympy import (
    Abs,
    Add,
    Dummy,
    Expr,
    Mul,
    Poly,
    Pow,
    S,
    Sum,
    cancel,
    cos,
    exp,
    expand,
    factor_terms,
    fraction,
    log,
    pi,
    sign,
    sin,
    sqrt,
    together,
)

from symem.algebra.rewriting import angle
from symem.algebra.squares import squares
from symem.language.matrices import is_matrix
from symem.language.support import Support


@dataclass(frozen=True)
class Equation:
    """Σ c·g(u) = 0 as {g(u): c}, and where its root is looked for."""

    parts: Mapping[Expr, Expr]
    unknown: Expr
    support: Support

    @property
    def is_positive(self) -> bool:
        """Whether the root must be positive."""
        return bool(self.support.assumptions.get("positive"))

    @cached_property
    def powers(self) -> Powers | None:
        """The same equation in powers of u, if it is rational in them."""
        if all(g == 1 or _is_power(g, self.unknown) for g in self.parts):
            terms = {S.Zero if g == 1 else g.as_base_exp()[1]: c for g, c in self.parts.items()}
        elif all(g.is_rational_function(self.unknown) for g in self.parts):
            terms = _numerator(self.parts, self.unknown)
        else:
            return None
        ordered = sorted(terms, key=lambda e: (0, float(e)) if e.is_number else (1, 0.0))
        live = [e for e in ordered if simplified(terms[e]) != 0]
        return Powers(tuple(live), tuple(terms[e] for e in live), self.is_positive)


@dataclass(frozen=True)
class Powers:
    """Σ c_e uᵉ = 0, the lowest power first."""

    exponents: tuple[Expr, ...]
    coefficients: tuple[Expr, ...]
    is_positive: bool

    @property
    def step(self) -> Expr:
        """How far the first two exponents are apart."""
        return self.exponents[1] - self.exponents[0]

    def root(self, value: Expr) -> Expr:
        """The u in the support whose power, by the step, is a value."""
        if self.step == 1:
            return spread(value)
        if self.is_positive:
            return Pow(spread(value), 1 / self.step)
        return sign(value) * Pow(Abs(value), 1 / self.step)


def gathered(equation: Expr, unknown: Expr, support: Support) -> Equation | None:
    """An equation as Σ c·g(u); None where u stands under a sum, or does not stand in it."""
    parts: dict[Expr, Expr] = {}
    for part in Add.make_args(expand(equation, deep=False, power_base=False, power_exp=False, log=False)):
        held = [f for f in Mul.make_args(part) if f.has(unknown)]
        if any(f.has(Sum) for f in held):
            return None
        g = Mul(*held)
        parts[g] = parts.get(g, S.Zero) + part / g
    return None if set(parts) <= {S.One} else Equation(parts, unknown, support)


def _is_power(g: Expr, unknown: Expr) -> bool:
    base, exponent = g.as_base_exp()
    return bool(base == unknown and not exponent.has(unknown))


def _numerator(parts: Mapping[Expr, Expr], unknown: Expr) -> dict[Expr, Expr]:
    """What vanishes where a rational function does: its numerator, by powers."""
    symbols = {Dummy(f"c{position}"): c for position, c in enumerate(parts.values())}
    whole = Add(*(symbol * g for symbol, g in zip(symbols, parts, strict=True)))
    polynomial = Poly(fraction(cancel(whole))[0], unknown)
    return {S(degree): c.xreplace(symbols) for (degree,), c in polynomial.terms()}


# two powers -----------------------------------------------------------------------------------------------


def two_powers(equation: Equation) -> Iterator[Powers]:
    """c₁ uᵃ + c₂ uᵇ, with one root that is not zero: u > 0, or b - a is odd."""
    powers = equation.powers
    if powers and len(powers.exponents) == 2 and (powers.is_positive or powers.step.is_odd):
        yield powers


def ratio(powers: Powers) -> Expr:
    """u = (-c₁/c₂) to the power 1/(b - a)."""
    low, high = powers.coefficients
    return powers.root(simplified(-low / high))


# three powers, evenly spaced ------------------------------------------------------------------------------


def three_powers(equation: Equation) -> Iterator[Powers]:
    """c + b v + a v² in v = uˢ > 0, where a and c differ in sign, so that one root is positive."""
    powers = equation.powers
    if powers is None or len(powers.exponents) != 3 or not powers.is_positive:
        return
    low, middle, high = powers.exponents
    c, _, a = map(simplified, powers.coefficients)
    if _are_opposite(a, c) and all(e.is_number for e in powers.exponents) and high - middle == middle - low:
        yield powers


def _are_opposite(a: Expr, c: Expr) -> bool:
    """Whether a and c differ in sign; that c, a sum of squares, does not vanish is a condition of the update."""
    told = squares(expand(c))
    below, above = told.is_nonpositive, told.is_nonnegative
    return bool((a.is_positive and below) or (a.is_negative and above)) and told != 0


def positive_root(powers: Powers) -> Expr:
    """The positive root of the quadratic, in the form in which nothing cancels if the sign of the middle one is known."""
    c, b, a = map(simplified, powers.coefficients)
    side = 1 if a.is_positive else -1
    spread_out = sqrt(expand(b**2 - 4 * a * c))
    number, moving = expand(side * b).as_coeff_Add()
    grows = moving.is_nonnegative if moving != 0 else number.is_positive
    moving += number
    if grows:
        return powers.root(simplified(-2 * side * c) / (moving + spread_out))
    return powers.root((spread_out - moving) / (2 * side * a))


# two terms, one the other's by a function that can be undone ------------------------------------------------


def two_terms(equation: Equation) -> Iterator[Equation]:
    """c₁ g(u) + c₂ h(u), not rational in u."""
    rational = all(
        g.is_rational_function(equation.unknown) or _is_power(g, equation.unknown) for g in equation.parts
    )
    if len(equation.parts) == 2 and not rational:
        yield equation


def undone(equation: Equation) -> Expr | None:
    """The u at which h/g is -c₁/c₂, if logarithms, exponentials and powers are all that stands around it."""
    (g, c1), (h, c2) = sorted(equation.parts.items(), key=lambda pair: pair[0].count_ops())
    return _inverted(h / g, simplified(-c1 / c2), equation)


def _inverted(h: Expr, value: Expr, equation: Equation) -> Expr | None:
    """The u with h(u) = value, peeling one function at a time."""
    if h == equation.unknown:
        return value
    constant, inner = h.as_independent(equation.unknown, as_Add=isinstance(h, Add))
    if isinstance(h, Add) and constant != 0:
        return _inverted(inner, value - constant, equation)
    if isinstance(h, Mul) and constant != 1:
        return _inverted(inner, value / constant, equation)
    if isinstance(h, log):
        return _inverted(h.args[0], exp(value), equation)
    if isinstance(h, exp):
        return _inverted(h.args[0], log(value), equation)
    if isinstance(h, Pow) and not h.exp.has(equation.unknown) and equation.is_positive:
        below = not h.exp.is_number and h.exp.could_extract_minus_sign()
        power = Pow(simplified(1 / value), -1 / h.exp) if below else Pow(value, 1 / h.exp)
        return _inverted(h.base, power, equation)
    return None


# a sine and a cosine of one angle ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Wave:
    """a cos(m u) + b sin(m u), of which the equation is the derivative; `centre` is the middle of u's range."""

    a: Expr
    b: Expr
    frequency: Expr
    centre: Expr


def waves(equation: Equation) -> Iterator[Wave]:
    """c₁ sin(m u) + c₂ cos(m u), u ranging over a whole period at least."""
    angles = {g.args[0] for g in equation.parts if isinstance(g, sin | cos)}
    frequency = next(iter(angles)) / equation.unknown if len(angles) == 1 else S.NaN
    low, high = equation.support.bounds
    if not frequency.is_positive or not (high - low - 2 * pi / frequency).is_extended_nonnegative:
        return
    live = {g: c for g, c in equation.parts.items() if simplified(c) != 0}
    if live and all(isinstance(g, sin | cos) for g in live):
        sine, cosine = (simplified(live.get(f(*angles), S.Zero)) for f in (sin, cos))
        yield Wave(-sine, cosine, frequency, _centre(low, high, pi / frequency))


def _centre(low: Expr, high: Expr, half: Expr) -> Expr:
    """The middle of an interval; of a half-line and the line, that of one period."""
    if low.is_finite and high.is_finite:
        return (low + high) / 2
    return low + half if low.is_finite else high - half if high.is_finite else S.Zero


def crest(wave: Wave) -> Expr:
    """The angle of (a, b), counted from the middle of the range; at the opposite one the wave is lowest."""
    a, b, turn = wave.a, wave.b, wave.frequency * wave.centre
    sine, cosine = b * cos(turn) - a * sin(turn), a * cos(turn) + b * sin(turn)
    return wave.centre + angle(sine, cosine) / wave.frequency


# algebra --------------------------------------------------------------------------------------------------


def simplified(expr: Expr) -> Expr:
    """Common factors cancelled; functions, sums and matrices are taken as they are."""
    if expr.is_Atom or is_matrix(expr):
        return expr
    if isinstance(expr, Pow) and not expr.exp.is_Integer:
        return Pow(simplified(expr.base), expr.exp)
    return factor_terms(together(expr) if expr.has(exp, log) else cancel(together(expr)))


def spread(value: Expr) -> Expr:
    """A ratio with a difference of products on top as a sum of simple ratios: a variance reads S₂/S₀ - S₁²/S₀²."""
    numerator, denominator = fraction(together(value))
    parts = Add.make_args(expand(numerator, deep=False))
    if any(isinstance(factor, Add) for factor in Mul.make_args(denominator)):
        return value
    if not any(_degree(part) > 1 for part in parts) or not any(
        part.could_extract_minus_sign() for part in parts
    ):
        return value
    return Add(*(simplified(part / denominator) for part in parts))


def _degree(part: Expr) -> int:
    """How many symbols a product multiplies."""
    factors = [f for f in Mul.make_args(part) if not f.is_number]
    return sum(int(f.exp) if isinstance(f, Pow) and f.exp.is_Integer and f.exp > 0 else 1 for f in factors)
