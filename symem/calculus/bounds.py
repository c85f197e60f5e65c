"""The interval in which a latent was observed to lie, read off its hard constraints."""

from __future__ import annotations

from sympy import And, Eq, Expr, Ge, Gt, Lt, Max, Min, Not, Or, expand
from sympy.core.relational import Relational

from symem.calculus.separate import Term
from symem.errors import NotDerivedError
from symem.language.plates import Iverson

Bounds = tuple[Expr, Expr]


def interval_of(
    u: Expr, home: Bounds, hard: tuple[Term, ...], condition: Expr, *, counting: bool = False
) -> Bounds:
    """The support of u narrowed by every constraint; on the integers, a strict bound moves by one.

    Raises:
        NotDerivedError: a constraint is not an inequality that is linear in u.
    """
    lowers, uppers = [], []
    for relation in [r for term in hard for r in _relations(term.factor.args[0], condition)]:
        lower, upper = _bound(u, relation, counting=counting)
        lowers += [] if lower is None else [lower]
        uppers += [] if upper is None else [upper]
    return _inner(Max, home[0], lowers), _inner(Min, home[1], uppers)


def _relations(constraint: Expr, condition: Expr) -> list[Expr]:
    """The relations of a constraint that holds where the latent exists."""
    absent = (
        {Not(part) for part in And.make_args(condition.args[0])} if isinstance(condition, Iverson) else set()
    )
    if isinstance(constraint, Or):
        kept = [part for part in constraint.args if part not in absent]
        if len(kept) != 1:
            raise NotDerivedError(
                f"The constraint {constraint} holds alternatives: write one relation for each."
            )
        constraint = kept[0]
    return list(And.make_args(constraint))


def _bound(u: Expr, relation: Expr, *, counting: bool) -> tuple[Expr | None, Expr | None]:
    if not isinstance(relation, Relational) or isinstance(relation, Eq):
        raise NotDerivedError(
            f"The constraint {relation} on {u} is no inequality: write u > a, u <= b or both."
        )
    difference = expand(relation.lhs - relation.rhs)
    slope = difference.coeff(u)
    rest = difference - slope * u
    if rest.has(u) or not (slope.is_positive or slope.is_negative):
        raise NotDerivedError(f"The constraint {relation} is not linear in {u}.")
    end = expand(-rest / slope)
    above = isinstance(relation, (Gt, Ge)) == bool(slope.is_positive)
    strict = counting and isinstance(relation, (Gt, Lt))
    return (end + 1 if strict else end, None) if above else (None, end - 1 if strict else end)


def _inner(pick: type[Expr], home: Expr, ends: list[Expr]) -> Expr:
    """The tightest of several bounds."""
    return pick(home, *ends)
