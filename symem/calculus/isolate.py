"""One equation, one unknown: what can be solved in closed form, and which root lies in the support.

The equation is gathered as Σ c·g(u) with c free of u. Solved are rational equations of degree one and two
in a power of u, and two-term equations c₀ + c₁ h(u) = 0 with h a power, logarithm or exponential.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import (
    Add,
    Dummy,
    Expr,
    Mul,
    Poly,
    Pow,
    S,
    Sum,
    cancel,
    exp,
    expand,
    factor_terms,
    fraction,
    log,
    sqrt,
    together,
)

from symem.calculus.matrix_equations import isolate_matrix
from symem.language.matrices import is_matrix
from symem.language.supports import Positive, Simplex, Support, UnitInterval


def isolate(equation: Expr, unknown: Expr, support: Support) -> Expr | None:
    """The root of an equation in its unknown that lies in the support, or None."""
    if is_matrix(unknown):
        return isolate_matrix(equation, unknown)
    gathered = _gather(equation, unknown)
    if gathered is None or set(gathered) <= {S.One}:
        return None
    rational = all(_is_rational(g, unknown) for g in gathered)
    solve = _rational if rational else _two_terms
    return solve(gathered, unknown, support)


def _gather(equation: Expr, unknown: Expr) -> dict[Expr, Expr] | None:
    """{g(u): c}; None where a factor holds the unknown under a sum or at another index."""
    found: dict[Expr, Expr] = {}
    for part in Add.make_args(expand(equation, deep=False, power_base=False, power_exp=False, log=False)):
        held = [f for f in Mul.make_args(part) if f.has(unknown)]
        if any(f.has(Sum) for f in held):
            return None
        g = Mul(*held)
        found[g] = found.get(g, S.Zero) + part / g
    return found


def _is_rational(g: Expr, unknown: Expr) -> bool:
    return bool(g.is_rational_function(unknown)) or _is_power(g, unknown)


def _is_power(g: Expr, unknown: Expr) -> bool:
    base, exponent = g.as_base_exp()
    return bool(base == unknown and not exponent.has(unknown))


def _rational(gathered: Mapping[Expr, Expr], unknown: Expr, support: Support) -> Expr | None:
    if all(g == 1 or _is_power(g, unknown) for g in gathered):
        powers = {S.Zero if g == 1 else g.as_base_exp()[1]: c for g, c in gathered.items()}
        return _powers(powers, support)
    if not all(g.is_rational_function(unknown) for g in gathered):
        return None
    symbols = {Dummy(f"c{position}"): c for position, c in enumerate(gathered.values())}
    whole = Add(*(symbol * g for symbol, g in zip(symbols, gathered, strict=True)))
    numerator = Poly(fraction(together(whole))[0], unknown)
    powers = {S(degree): c.xreplace(symbols) for (degree,), c in numerator.terms()}
    return _powers(powers, support)


def _powers(powers: Mapping[Expr, Expr], support: Support) -> Expr | None:
    """Roots of Σ c_e u^e for two exponents, or three that are evenly spaced."""
    exponents = sorted(powers, key=lambda e: (0, float(e)) if e.is_number else (1, 0.0))
    live = [e for e in exponents if simplified(powers[e]) != 0]
    if len(live) == 2:
        return _root(simplified(-powers[live[0]] / powers[live[1]]), live[1] - live[0], support)
    if len(live) == 3 and all(e.is_number for e in live) and live[2] - live[1] == live[1] - live[0]:
        square = _quadratic([powers[e] for e in live], support)
        return None if square is None else _root(square, live[1] - live[0], support)
    return None


def _root(value: Expr, step: Expr, support: Support) -> Expr | None:
    if step == 1:
        return spread(value)
    if _is_positive(support):
        return Pow(spread(value), 1 / step)
    return Pow(value, 1 / step) if step.is_odd else None


def _is_positive(support: Support) -> bool:
    return isinstance(support, (Positive, UnitInterval, Simplex))


def _quadratic(coefficients: list[Expr], support: Support) -> Expr | None:
    """The root of c + b v + a v² in the support: where a and c differ in sign, the positive one."""
    c, b, a = (simplified(each) for each in coefficients)
    opposite = bool((a * c).is_negative) or bool((-a * c).is_positive)
    if not _is_positive(support) or not opposite:
        return None
    sign = 1 if a.is_positive else -1
    return (-b + sign * sqrt(expand(b**2 - 4 * a * c))) / (2 * a)


def _two_terms(gathered: Mapping[Expr, Expr], unknown: Expr, support: Support) -> Expr | None:
    """c₀ g₀(u) + c₁ g₁(u) = 0, where g₁/g₀ can be inverted."""
    if len(gathered) != 2:
        return None
    (g0, c0), (g1, c1) = sorted(gathered.items(), key=lambda pair: pair[0].count_ops())
    return _invert(g1 / g0, simplified(-c0 / c1), unknown, support)


def _invert(h: Expr, value: Expr, unknown: Expr, support: Support) -> Expr | None:
    """The u with h(u) = value, peeling one function at a time."""
    if h == unknown:
        return value
    constant, inner = h.as_independent(unknown, as_Add=isinstance(h, Add))
    if isinstance(h, Add) and constant != 0:
        return _invert(inner, value - constant, unknown, support)
    if isinstance(h, Mul) and constant != 1:
        return _invert(inner, value / constant, unknown, support)
    if isinstance(h, log):
        return _invert(h.args[0], exp(value), unknown, support)
    if isinstance(h, exp):
        return _invert(h.args[0], log(value), unknown, support)
    if isinstance(h, Pow) and not h.exp.has(unknown) and _is_positive(support):
        return _invert(h.base, Pow(value, 1 / h.exp), unknown, support)
    return None


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
