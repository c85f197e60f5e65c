"""Logarithms taken structurally: of products, powers and exponentials, never by assumption-free guesswork.

A density is positive, so the log of a product of its factors is the sum of their logs. SymPy's own
`expand_log` does nothing without assumptions on every symbol.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import (
    Add,
    Expr,
    Mul,
    Pow,
    Product,
    S,
    Sum,
    binomial,
    exp,
    factorial,
    fraction,
    gamma,
    log,
    loggamma,
)

from symem.language.plates import Iverson, LogIverson


def log_of(expr: Expr) -> Expr:
    """log(expr) as a sum of logs of its factors."""
    rule = next((rule for kind, rule in _RULES.items() if isinstance(expr, kind)), log)
    return rule(expr)


def _log_of_binomial(expr: Expr) -> Expr:
    n, k = expr.args
    return loggamma(n + 1) - loggamma(k + 1) - loggamma(n - k + 1)


def _log_of_product(expr: Mul) -> Expr:
    """A minus sign is carried into one factor: -1/(a - b) is 1/(b - a)."""
    coefficient, rest = expr.as_coeff_Mul()
    factors = list(Mul.make_args(rest))
    if coefficient.is_negative:
        negated = next(((p, n) for p, f in enumerate(factors) if (n := _negated(f)) is not None), None)
        if negated is None:
            return log(expr)
        factors[negated[0]] = negated[1]
        coefficient = -coefficient
    return Add(log(coefficient), *(log_of(factor) for factor in factors))


def _negated(factor: Expr) -> Expr | None:
    """-factor without a minus sign in front: a sum with all signs turned, or an odd power of one."""
    if isinstance(factor, Add):
        return Add(*(-part for part in factor.args))
    if isinstance(factor, Pow) and factor.exp.is_Integer and factor.exp % 2 and isinstance(factor.base, Add):
        return Pow(Add(*(-part for part in factor.base.args)), factor.exp)
    return None


def _log_of_sum(expr: Add) -> Expr:
    """log(a b + a c) is log a + log(b + c), where every factor is known to be positive; else it stays."""
    if (ratio := _complement(expr)) is not None:
        return log_of(ratio[0]) - log_of(ratio[1])
    content, primitive = expr.as_content_primitive()
    if content != 1 and content.is_positive:
        return log(content) + log_of(primitive)
    whole = expr.factor() if expr.is_polynomial() and len(expr.free_symbols) <= 4 else expr
    factors = Mul.make_args(whole)
    if len(factors) == 1 or not all(factor.is_positive for factor in factors):
        return log(expr)
    return Add(*(log(factor) if isinstance(factor, Add) else log_of(factor) for factor in factors))


def _complement(expr: Add) -> tuple[Expr, Expr] | None:
    """1 - 1/(1 + a) as a over 1 + a, a being positive: the other side of a logistic function."""
    taken = 1 - expr
    if not isinstance(taken, Pow) or taken.exp != -1 or not isinstance(taken.base, Add):
        return None
    odds = taken.base - 1
    return (odds, taken.base) if odds.is_positive else None


def stable(expr: Expr) -> tuple[str, tuple[Expr, ...]] | None:
    """log(expr) as a function that keeps its digits where the exponentials in it are far from 1; None if none stands in it.

    LogAddExp of (a, b) is log(exp a + exp b) and LogSubExp log(exp a - exp b), LogSoftplus of (a,) is log log(1 + exp a),
    LogComplement log(1 - exp(-exp a)).
    """
    if isinstance(expr, log) and (found := _exponents(expr.args[0])) and S.Zero in found and len(found) == 2:
        return "LogSoftplus", (Add(*found),)
    rest = 1 - expr
    if isinstance(rest, exp):
        higher, lower = _signed(-rest.args[0])
        if higher is not None:
            return "LogComplement", (higher if lower is None else log(exp(higher) - exp(lower)),)
    higher, lower = _signed(expr)
    if higher is not None and lower is not None:
        return "LogSubExp", (higher, lower)
    found = _exponents(expr)
    return ("LogAddExp", found) if found else None


def _signed(expr: Expr) -> tuple[Expr | None, Expr | None]:
    """a, and b if there is one, of exp a - exp b."""
    parts = sorted(Add.make_args(expr), key=lambda part: bool(part.as_coeff_Mul()[0].is_negative))
    plain = [part if place == 0 else -part for place, part in enumerate(parts)]
    if len(parts) > 2 or not all(isinstance(each, exp) for each in plain):
        return None, None
    return plain[0].args[0], plain[1].args[0] if len(plain) > 1 else None


def _exponents(expr: Expr) -> tuple[Expr, ...]:
    """The logarithms of the terms of a sum in which exponentials stand; none where a term may be negative."""
    parts = Add.make_args(expr)
    held = any(isinstance(factor, exp) for part in parts for factor in Mul.make_args(part))
    plain = not any(part.as_coeff_Mul()[0].is_negative or part.has(Sum) for part in parts)
    return tuple(map(log_of, parts)) if held and plain and len(parts) > 1 else ()


def expand_logs(expr: Expr) -> Expr:
    """Take every logarithm inside an expression structurally."""
    if not expr.args or not expr.has(log):
        return expr
    arguments = [expand_logs(argument) if isinstance(argument, Expr) else argument for argument in expr.args]
    if isinstance(expr, (Sum, Product)):
        return expr.func(arguments[0], *expr.limits)
    return log_of(arguments[0]) if isinstance(expr, log) else expr.func(*arguments)


_RULES: dict[type[Expr], Callable[[Any], Expr]] = {
    Mul: _log_of_product,
    Pow: lambda power: power.exp * log_of(power.base),
    exp: lambda power: power.args[0],
    Product: lambda product: Sum(log_of(product.function), *product.limits),
    factorial: lambda whole: loggamma(whole.args[0] + 1),
    gamma: lambda whole: loggamma(whole.args[0]),
    binomial: _log_of_binomial,
    Iverson: lambda bracket: LogIverson(bracket.args[0]),
    Add: _log_of_sum,
}


def complement(share: Expr) -> Expr:
    """1 - p; of a share a/(a + b) the other, b/(a + b)."""
    above, below = fraction(share)
    if isinstance(below, Add) and above in below.args:
        return (below - above) / below
    return 1 - share
