"""Coordinates in which Q is climbed, concave ones if there are such, and derivatives along them.

A positive number may be climbed by its logarithm, ∂/∂log u = u ∂/∂u; a scale s beside a power κ by v = κ log s, with which
(x/s)^κ is an exponential of what is affine in κ and v: ∂/∂v = (s/κ) ∂/∂s, and ∂/∂κ at v is ∂/∂κ - (s log s/κ) ∂/∂s at s. So is
what the coefficients β of log s = β₀ + β₁t say in κ and κβ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, product

from sympy import Expr, Mul, S, log, loggamma, oo

from symem.calculus.curvature import PLAIN, Sign, is_smooth
from symem.calculus.differentiate import Unknown
from symem.calculus.gamma_pairs import is_concave
from symem.calculus.separate import Term
from symem.calculus.stationarity import Stationarity
from symem.derivation import Chart
from symem.language.bessel_logarithms import LogBesselK
from symem.language.matrices import is_matrix

Charts = tuple[Chart, ...]


def concave_charts(
    unknowns: Sequence[Unknown], terms: Sequence[Term], problem: Stationarity, sign: Sign
) -> Charts | None:
    """The first charts in whose coordinates the terms are concave together; None where none are known to be."""
    choices = [list(_choices(number, unknowns, terms, problem, sign)) for number in range(len(unknowns))]
    for charts in chain(product(*choices), _scaled(unknowns, choices)):
        plain = all(charts[each.beside].is_straight for each in charts if each.beside >= 0)
        if plain and is_concave(terms, unknowns, sign, charts):
            return charts
    return None


def _scaled(unknowns: Sequence[Unknown], choices: Sequence[Sequence[Chart]]) -> Iterator[Charts]:
    """The charts with all that may be any number times a positive number."""
    for place, other in enumerate(unknowns):
        if Chart("log") in choices[place]:
            yield from product(
                *(
                    [Chart("times", place)]
                    if own == [PLAIN] and not is_matrix(unknown.atom) and other.axes in (unknown.axes, ())
                    else own
                    for unknown, own in zip(unknowns, choices, strict=True)
                )
            )


def _choices(
    number: int, unknowns: Sequence[Unknown], terms: Sequence[Term], problem: Stationarity, sign: Sign
) -> Iterator[Chart]:
    """The charts of one unknown; none where it has none. A positive number is one itself where its logarithm is in the way to 0."""
    unknown = unknowns[number]
    own = _own_chart(unknown, problem)
    if own == PLAIN:
        yield PLAIN
    if own == Chart("log"):
        if any(_holds_off(term.factor, unknown, sign) or _is_natural(term.factor, unknown) for term in terms):
            yield Chart("positive")
        yield own
        for place, other in enumerate(unknowns):
            if other != unknown and other.axes in (unknown.axes, ()) and not is_matrix(other.atom):
                yield Chart("power", place)


def _own_chart(unknown: Unknown, problem: Stationarity) -> Chart | None:
    """The coordinate of an unknown that may be anything: of a number by the ends of its support, of a column each entry."""
    if problem.constraint_of(unknown) or problem.is_ended(unknown):
        return None
    if is_matrix(unknown.atom):
        return PLAIN if unknown.atom.dimensions[1] == 1 else None
    return _BY_ENDS.get(problem.supports[unknown].support.bounds)


_BY_ENDS = {(-oo, oo): PLAIN, (S.Zero, oo): Chart("log"), (S.Zero, S.One): Chart("logit")}


def smooth_charts(unknowns: Sequence[Unknown], terms: Sequence[Term], problem: Stationarity) -> Charts | None:
    """Charts in whose coordinates the terms are smooth, concave or not; None where they are not known to be."""
    charts = [_own_chart(unknown, problem) for unknown in unknowns]
    found = tuple(chart for chart in charts if chart is not None)
    smooth = all(is_smooth(term.factor, unknowns) for term in terms)
    return found if smooth and len(found) == len(charts) else None


def _is_natural(factor: Expr, unknown: Unknown) -> bool:
    """Whether a number is a natural parameter, in which the log-partition of a generalised inverse Gaussian law is convex."""
    return any(unknown.entries(each.args[1]) for each in factor.atoms(LogBesselK))


def _holds_off(factor: Expr, unknown: Unknown, sign: Sign) -> bool:
    """Whether a term is c log u or -c log Γ(u) with c not negative, which falls without bound towards 0."""
    moving = [each for each in Mul.make_args(factor) if unknown.entries(each)]
    if (
        len(moving) != 1
        or not isinstance(moving[0], log | loggamma)
        or not unknown.matches(moving[0].args[0])
    ):
        return False
    return sign((1 if isinstance(moving[0], log) else -1) * factor / moving[0]) in (0, 1)


def ways(number: int, unknowns: Sequence[Unknown], charts: Charts) -> list[tuple[Expr, Unknown]]:
    """The derivative along one coordinate, as factors of derivatives by unknowns."""
    own, chart = unknowns[number].atom, charts[number]
    first = {
        "": S.One,
        "positive": S.One,
        "log": own,
        "times": 1 / unknowns[chart.beside].atom,
        "power": own / unknowns[chart.beside].atom,
        "logit": own * (1 - own),
    }[chart.kind]
    beside = [
        (-other.atom * (log(other.atom) if each.kind == "power" else 1) / own, other)
        for other, each in zip(unknowns, charts, strict=True)
        if each.beside == number
    ]
    return [(first, unknowns[number]), *beside]


def along(factor: Expr, other: Unknown, own: Unknown, terms: Sequence[Term]) -> list[Term]:
    """A factor times derivatives by another unknown, over the axes that this has beside one's own."""
    more = () if other.axes == own.axes else other.axes
    return [Term(term.factor * factor, (*term.axes, *more)) for term in terms]
