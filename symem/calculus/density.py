"""The log-density of one latent as coefficients of functions of it."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Expr, Mul, S

from symem.calculus.separate import Term, fold
from symem.errors import NotDerivedError


def split_factor(factor: Expr, u: Expr) -> tuple[Expr, Expr]:
    """(coefficient, g(u)) of a product, numbers with the coefficient."""
    coefficient, g = S.One, S.One
    for each in Mul.make_args(factor):
        if each.has(u):
            g *= each
        else:
            coefficient *= each
    return coefficient, g


def density_of(terms: Iterable[Term], u: Expr) -> dict[Expr, Expr]:
    """{g(u): coefficient}, constants dropped.

    Raises:
        NotDerivedError: a factor mixes u with an index that is summed.
    """
    density: dict[Expr, Expr] = {}
    for term in terms:
        coefficient, g = split_factor(term.factor, u)
        if any(axis.index in g.free_symbols for axis in term.axes):
            raise NotDerivedError(
                f"The term {term.factor} cannot be split into a statistic of {u} and a coefficient."
            )
        if g != 1:
            density[g] = density.get(g, S.Zero) + fold(Term(coefficient, term.axes)).expr
    return {g: coefficient for g, coefficient in density.items() if coefficient != 0}
