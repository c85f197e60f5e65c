"""How a rule of reading is applied, and the nodes that exist in print alone."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr, Indexed
from sympy.core.relational import Relational

from symem.output.counting import rebuilt


class Identity(Expr):  # type: ignore[misc]
    """I: what a number that stands for a matrix is multiplied by."""

    is_commutative = False


class Det(Expr):  # type: ignore[misc]
    """|M| of a positive definite matrix."""

    is_commutative = True
    is_positive = True


class MatrixMean(Expr):  # type: ignore[misc]
    """⟨M⟩, the posterior mean of a matrix."""

    is_commutative = False


class ScalarMean(Expr):  # type: ignore[misc]
    """⟨f⟩, the posterior mean of a number."""

    is_commutative = True


def bottom_up(expr: Expr, rule: Callable[[Expr], Expr]) -> Expr:
    """The rule at every node, leaves first; slots of arrays and relations are left alone."""
    if not expr.args or isinstance(expr, Indexed | Relational):
        return rule(expr)
    return rule(rebuilt(expr, [bottom_up(argument, rule) for argument in expr.args]))
