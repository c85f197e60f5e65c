"""Logarithms taken structurally: of products, powers and exponentials, never by assumption-free guesswork.

A density is positive, so the log of a product of its factors is the sum of their logs. SymPy's own
`expand_log` does nothing without assumptions on every symbol.
"""

from __future__ import annotations

from sympy import Add, And, Expr, Mul, Not, Piecewise, Pow, Product, Sum, binomial, exp, factorial, gamma, log, loggamma

from symem.language.plates import Iverson, LogIverson


def log_of(expr: Expr) -> Expr:
    """log(expr) as a sum of logs of its factors."""
    if isinstance(expr, Mul):
        return _log_of_product(expr)
    if isinstance(expr, Pow):
        return expr.exp * log_of(expr.base)
    if isinstance(expr, exp):
        return expr.args[0]
    if isinstance(expr, Product):
        return Sum(log_of(expr.function), *expr.limits)
    if isinstance(expr, (factorial, gamma)):
        return loggamma(expr.args[0] + (1 if isinstance(expr, factorial) else 0))
    if isinstance(expr, binomial):
        n, k = expr.args
        return loggamma(n + 1) - loggamma(k + 1) - loggamma(n - k + 1)
    if isinstance(expr, Iverson):
        return LogIverson(expr.args[0])
    if isinstance(expr, Add):
        return _log_of_sum(expr)
    if isinstance(expr, Piecewise):
        return _log_of_cases(expr)
    return log(expr)


def _log_of_cases(expr: Piecewise) -> Expr:
    """Each piece where it holds and none before it does; a piece of density zero is a hard constraint."""
    parts, before = [], []
    for piece, condition in expr.args:
        here = And(condition, *(Not(each) for each in before))
        parts.append(LogIverson(Not(here)) if piece == 0 else Iverson(here) * log_of(piece))
        before.append(condition)
    return Add(*parts)


def _log_of_product(expr: Mul) -> Expr:
    """Signs are kept with one factor: (-a)·(-b) is split as a·b."""
    coefficient, rest = expr.as_coeff_Mul()
    factors = list(Mul.make_args(rest))
    if coefficient.is_negative:
        flipped = next((p for p, f in enumerate(factors) if f.is_negative or f.is_positive is None), None)
        if flipped is None:
            return log(expr)
        factors[flipped] = -factors[flipped]
        coefficient = -coefficient
    return Add(log(coefficient), *(log_of(factor) for factor in factors))


def _log_of_sum(expr: Add) -> Expr:
    """A common factor of a sum is taken out: log(th/4 + 1/2) stays, log(a b + a c) is log a + log(b + c)."""
    content, rest = expr.as_content_primitive()
    whole = Mul.make_args(rest.factor() if rest.is_polynomial() and len(rest.free_symbols) <= 4 else rest)
    if len(whole) == 1:
        return log(expr) if content == 1 or not content.is_positive else log(content) + log(whole[0])
    return Add(log(content), *(log_of(factor) for factor in whole))


def expand_logs(expr: Expr) -> Expr:
    """Take every logarithm inside an expression structurally."""
    if not expr.args or not expr.has(log):
        return expr
    arguments = [expand_logs(argument) if isinstance(argument, Expr) else argument for argument in expr.args]
    if isinstance(expr, (Sum, Product)):
        return expr.func(arguments[0], *expr.limits)
    return log_of(arguments[0]) if isinstance(expr, log) else expr.func(*arguments)
