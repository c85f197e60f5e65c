"""Coordinates in which Q is concave, and derivatives along them.

A positive number may be climbed by its logarithm, ∂/∂log u = u ∂/∂u; a scale s beside a power κ by v = κ log s, with which
(x/s)^κ is an exponential of what is affine in κ and v: ∂/∂v = (s/κ) ∂/∂s, and ∂/∂κ at v is ∂/∂κ - (s log s/κ) ∂/∂s at s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from sympy import Expr, Mul, S, log, oo

from symem.calculus.curvature import PLAIN, Curvature, Sign
from symem.calculus.differentiate import Unknown
from symem.calculus.separate import Term, rejoin
from symem.calculus.stationarity import Stationarity
from symem.derivation import Chart
from symem.language.matrices import is_matrix

Charts = tuple[Chart, ...]


def concave_charts(
    unknowns: Sequence[Unknown], terms: Sequence[Term], problem: Stationarity, sign: Sign
) -> Charts | None:
    """The first charts in whose coordinates the terms are concave together; None where none are known to be."""
    whole = rejoin(terms)
    choices = [list(_choices(number, unknowns, terms, problem, sign)) for number in range(len(unknowns))]
    for charts in product(*choices):
        plain = all(not charts[each.beside].kind for each in charts if each.kind == "power")
        if plain and Curvature(unknowns, sign, charts)(whole).concave:
            return charts
    return None


def _choices(
    number: int, unknowns: Sequence[Unknown], terms: Sequence[Term], problem: Stationarity, sign: Sign
) -> Iterator[Chart]:
    """The charts of one unknown; none where it has none. A positive number is one itself where its logarithm is in the way to 0."""
    unknown = unknowns[number]
    bounds = () if is_matrix(unknown.atom) else problem.supports[unknown].support.bounds
    if problem.constraint_of(unknown) or problem.is_ended(unknown):
        return
    if bounds == (-oo, oo) or (is_matrix(unknown.atom) and unknown.atom.dimensions[1] == 1):
        yield PLAIN
    if bounds == (0, oo):
        if any(_holds_off(term.factor, unknown, sign) for term in terms):
            yield PLAIN
        yield Chart("log")
        for place, other in enumerate(unknowns):
            if other != unknown and other.axes in (unknown.axes, ()) and not is_matrix(other.atom):
                yield Chart("power", place)


def _holds_off(factor: Expr, unknown: Unknown, sign: Sign) -> bool:
    """Whether a term is c log u with c not negative."""
    moving = [each for each in Mul.make_args(factor) if unknown.entries(each)]
    own = len(moving) == 1 and isinstance(moving[0], log) and unknown.matches(moving[0].args[0])
    return own and sign(factor / moving[0]) in (0, 1)


def ways(number: int, unknowns: Sequence[Unknown], charts: Charts) -> list[tuple[Expr, Unknown]]:
    """The derivative along one coordinate, as factors of derivatives by unknowns."""
    own, chart = unknowns[number].atom, charts[number]
    first = {"": S.One, "log": own, "power": own / unknowns[chart.beside].atom}[chart.kind]
    scales = [
        other
        for other, each in zip(unknowns, charts, strict=True)
        if each.kind == "power" and each.beside == number
    ]
    return [
        (first, unknowns[number]),
        *((-other.atom * log(other.atom) / own, other) for other in scales),
    ]


def along(factor: Expr, other: Unknown, own: Unknown, terms: Sequence[Term]) -> list[Term]:
    """A factor times derivatives by another unknown, over the axes that this has beside one's own."""
    more = () if other.axes == own.axes else other.axes
    return [Term(term.factor * factor, (*term.axes, *more)) for term in terms]
