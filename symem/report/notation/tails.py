"""Means of a truncated Normal law as books print them: exp(-t²/2 - log(Φ(b) - Φ(a))) is a ratio.

Inside, the logarithm of the probability of an interval is one function, so that far tails keep their digits.
"""

from __future__ import annotations

from sympy import Add, Expr, Integer, exp, oo

from symem.language.special import LogNormalInterval, NormalCDF


def ratios(expr: Expr) -> Expr:
    """The exponential of minus such a logarithm as a division."""
    if not expr.has(LogNormalInterval):
        return expr
    return expr.replace(lambda node: isinstance(node, exp) and node.args[0].has(LogNormalInterval), _ratio)


def _ratio(expr: Expr) -> Expr:
    terms = Add.make_args(expr.args[0])
    found = [term for term in terms if isinstance(-term, LogNormalInterval)]
    if len(found) != 1:
        return expr
    low, high = (-found[0]).args
    above = Integer(1) if high == oo else NormalCDF(high)
    below = Integer(0) if low == -oo else NormalCDF(low)
    return exp(Add(*(term for term in terms if term is not found[0]))) / (above - below)
