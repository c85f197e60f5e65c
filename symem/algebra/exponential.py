"""Exponentials of logarithms taken back to products, so that a posterior reads as one."""

from __future__ import annotations

from typing import Any

from sympy import Add, Basic, Expr, Mul, Pow, Product, S, Sum, cancel, exp, log

from symem.algebra.squares import squares
from symem.language.plates import Iverson, LogIverson

#: Operations up to which fractions are added up.
SHORT = 40


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
        number, whole = part.as_coeff_Mul()
        if isinstance(whole, Sum) and whole.has(log):
            products.append(_product(Sum(number * whole.function, *whole.limits)))
        elif isinstance(part, LogIverson):
            products.append(Iverson(*part.args))
        elif len(logs) == 1:
            base = _shorter(logs[0].args[0])
            powers[base] = powers.get(base, S.Zero) + part / logs[0]
        else:
            rest.append(part)
    return Mul(*(Pow(base, power) for base, power in powers.items()), *products, exp(squares(Add(*rest))))


def _shorter(base: Expr) -> Expr:
    """A sum of few fractions over one denominator, where that is shorter: 1 + p/(1 - p) as 1/(1 - p)."""
    if not isinstance(base, Add) or base.count_ops() > SHORT or not base.is_rational_function():
        return base
    whole = cancel(base)
    return whole if whole.count_ops() <= base.count_ops() else base


def _product(whole: Sum) -> Expr:
    return Product(exponential(whole.function.expand()), *whole.limits)


def _short_sum(expr: Sum) -> Expr:
    body = readable(expr.function)
    if body == 0:
        return S.Zero
    (index, low, high), *others = expr.limits
    if not others and low == 0 and high == 1:
        return Add(*(readable(body.subs(index, value)) for value in (0, 1)))
    return Sum(body, *expr.limits)
