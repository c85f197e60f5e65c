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
    Sum,
    binomial,
    exp,
    factorial,
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
    content, primitive = expr.as_content_primitive()
    if content != 1 and content.is_positive:
        return log(content) + log_of(primitive)
    whole = expr.factor() if expr.is_polynomial() and len(expr.free_symbols) <= 4 else expr
    factors = Mul.make_args(whole)
    if len(factors) == 1 or not all(factor.is_positive for factor in factors):
        return log(expr)
    return Add(*(log(factor) if isinstance(factor, Add) else log_of(factor) for factor in factors))


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
