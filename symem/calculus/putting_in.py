"""An equation that holds other unknowns: these are put in, each from its own equation, until it stands alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sympy import Expr

from symem.calculus.differentiate import Unknown, equation
from symem.calculus.separate import gather
from symem.calculus.stationarity import Root, Stationarity, put_in
from symem.calculus.unknowns import is_matrix_unknown, sides


def with_others_put_in(
    problem: Stationarity,
    unknown: Unknown,
    waiting: Sequence[Unknown],
    solved: Callable[[Unknown], Expr | None],
    read: Callable[[Expr], Expr | None],
) -> tuple[Expr, tuple[Unknown, ...]] | None:
    """What is read of the equation of an unknown once no other open unknown stands in that, and which were put in.

    Args:
        problem: the equations.
        unknown: the one whose equation it is.
        waiting: those that may be put in.
        solved: one of these -> its value from its own equation, for any value of the others.
        read: an equation -> what must be free of the others: the equation itself, or its solution.
    """
    terms = problem.known(problem.slope(unknown))
    gone: list[Unknown] = []
    while (found := read(problem.collapse(equation(terms)))) is not None:
        if problem.is_free(found, but=(unknown,)):
            return found, tuple(gone)
        other = next((u for u in waiting if u != unknown and u not in gone and u.entries(found)), None)
        value = None if other is None else solved(other)
        if other is None or value is None or any(u.entries(value) for u in (other, *gone)):
            return None
        terms = gather(part for term in terms for part in put_in(term, other, value))
        gone.append(other)
    return None


def matrices_alone(problem: Stationarity) -> Iterator[Root]:
    """The matrices that can be solved when others are first put into them, the largest first."""
    waiting = [u for u in problem.pending if is_matrix_unknown(u) or problem.is_linear(u)]
    for unknown in sorted(filter(is_matrix_unknown, problem.pending), key=sides, reverse=True):
        yield from _alone(problem, unknown, waiting, explicit=False)


def numbers_alone(problem: Stationarity) -> Iterator[Root]:
    """The numbers that can be solved when others are first put into them: a slope, intercepts apart."""
    waiting = list(filter(problem.is_linear, problem.free))
    for unknown in waiting:
        yield from _alone(problem, unknown, waiting, explicit=True)


def _alone(
    problem: Stationarity, unknown: Unknown, waiting: Sequence[Unknown], *, explicit: bool
) -> Iterator[Root]:
    found = with_others_put_in(
        problem, unknown, waiting, problem.own, lambda whole: problem.solution(whole, unknown)
    )
    if found is not None and found[1] and not unknown.entries(found[0]):
        value = problem.collapse(found[0])
        yield Root(unknown, value, problem.raw(unknown), value, explicit=explicit, eliminated=found[1])
