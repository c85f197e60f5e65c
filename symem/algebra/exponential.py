"""Exponentials of logarithms taken back to products, so that a posterior reads as one."""

from __future__ import annotations

from typing import Any

from sympy import Add, Basic, Expr, Mul, Pow, Product, S, Sum, exp, log

from symem.algebra.squares import squares


def readable(expr: Any) -> Any:
    """exp(x log p - log q) becomes p**x / q, exp of a sum of logs a product, and a sum over two values is written out."""
    if not isinstance(expr, Basic) or not expr.args:
        return expr
    if isinstance(expr, exp):
        return exponential(readable(expr.args[0]))
    if isinstance(expr, Sum):
        return _short_sum(expr)
    return expr.func(*(readable(argument) for argument in expr.args))


def exponential(exponent: Expr) -> Expr:
    """exp(exponent) with its logarithms undone, powers of one base gathered."""
    powers: dict[Expr, Expr] = {}
    rest, products = [], []
    for part in Add.make_args(exponent):
        logs = [f for f in Mul.make_args(part) if isinstance(f, log)]
        if isinstance(part, Sum) and part.has(log):
            products.append(_product(part))
        elif len(logs) == 1:
            base = logs[0].args[0]
            powers[base] = powers.get(base, S.Zero) + part / logs[0]
        else:
            rest.append(part)
    return Mul(*(Pow(base, power) for base, power in powers.items()), *products, exp(squares(Add(*rest))))


def _product(whole: Sum) -> Expr:
    return Product(exponential(whole.function.expand()), *whole.limits)


def _short_sum(expr: Sum) -> Expr:
    body = readable(expr.function)
    (index, low, high), *others = expr.limits
    if not others and low == 0 and high == 1:
        return Add(*(readable(body.subs(index, value)) for value in (0, 1)))
    return Sum(body, *expr.limits)
