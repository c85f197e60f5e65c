"""A matrix whose equation holds other unknowns: these are put in, each from its own equation, until it stands alone."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr

from symem.calculus.differentiate import Unknown
from symem.calculus.separate import Term, gather
from symem.calculus.stationarity import Root, Stationarity, put_in
from symem.calculus.unknowns import is_matrix_unknown, sides


def matrices_alone(problem: Stationarity) -> Iterator[Root]:
    """The matrices that can be solved when others are first put into them, the largest first."""
    for unknown in sorted(filter(is_matrix_unknown, problem.pending), key=sides, reverse=True):
        found = _with_others_put_in(unknown, problem)
        if found is not None:
            value, gone = found
            whole = problem.collapse(value)
            yield Root(unknown, whole, problem.raw(unknown), value, explicit=False, eliminated=gone)


def _with_others_put_in(unknown: Unknown, problem: Stationarity) -> tuple[Expr, tuple[Unknown, ...]] | None:
    """The value of an unknown after those that stand in it were eliminated, and which these are."""
    waiting = [u for u in problem.pending if u != unknown and (is_matrix_unknown(u) or problem.is_linear(u))]
    terms = problem.slope(unknown)
    value = _value(problem, terms, unknown)
    gone: list[Unknown] = []
    while value is not None and not problem.is_free(value):
        other = next((u for u in waiting if u not in gone and u.entries(value)), None)
        inner = None if other is None else _value(problem, problem.slope(other), other)
        if other is None or inner is None or any(u.entries(inner) for u in (other, *gone)):
            return None
        terms = gather(part for term in terms for part in put_in(term, other, inner))
        gone.append(other)
        value = _value(problem, terms, unknown)
    return None if value is None else (value, tuple(gone))


def _value(problem: Stationarity, terms: tuple[Term, ...], unknown: Unknown) -> Expr | None:
    found = problem.alone(problem.reduced(terms), unknown)
    return None if found is None else found[1]
