"""Blocks in which no formula gives the maximum, but Newton's method climbs to one: the maximum, where Q is known to be concave.

Regression coefficients under Poisson counts, logistic gates and their like stand in an exponential or in a log of a sum of
exponentials, at every row with other data: Q has no statistics for them, and every step of Newton's method is a pass over
the rows. (McCullagh & Nelder 1989, section 2.5; Jordan & Jacobs 1994.) Where all that is known is that Q is smooth, as in the size
and the probability of a negative binomial law, the steps rise to a maximum all the same, if perhaps not the highest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sympy import Expr

from symem.calculus.chart_slopes import Charts, along, concave_charts, smooth_charts, ways
from symem.calculus.climbing_laws import climbing_law
from symem.calculus.curvature import Sign
from symem.calculus.differentiate import Unknown, crossed, equation
from symem.calculus.fresh_names import Names
from symem.calculus.gamma_pairs import in_ratios, is_concave, straightened
from symem.calculus.separate import Term, gather, rejoin
from symem.calculus.stationarity import Root, Stationarity
from symem.derivation import Climbed, Definition
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix
from symem.language.plates import Axis, reindex
from symem.language.special import by_logs
from symem.language.where_vanishing import OneStepTowards, WhereVanishing


def ascents(
    problem: Stationarity,
    names: Names,
    sign: Sign,
    is_free_of_data: Callable[[Expr], bool],
    *,
    one_step: bool = False,
) -> list[Root]:
    """The open unknowns of a problem, all together, where Q is concave or at least smooth in them; none where neither is known.

    To the maximum, or by `one_step` towards it.
    """
    unknowns = sorted(problem.pending, key=lambda each: (is_matrix(each.atom), problem.pending.index(each)))
    terms = tuple(
        term for term in problem.known(problem.terms) if any(u.entries(term.factor) for u in unknowns)
    )
    charts = concave_charts(unknowns, terms, problem, sign) if terms else None
    concave = charts is not None
    charts = charts if concave else smooth_charts(unknowns, terms, problem)
    if charts is None:
        return []
    told = _Part(unknowns, charts, problem, terms, names).told(sign)
    over_rows = not all(is_free_of_data(each.value) for each in (*told.slopes, *told.curvatures))
    concave = concave or is_concave(terms, unknowns, sign, straightened(charts))
    part = replace(told, concave=concave, over_rows=over_rows, one_step=one_step)
    law = climbing_law(part).name
    found = [
        Root(
            u,
            u.atom,
            problem.raw(u),
            _told(u, problem, one_step=one_step),
            explicit=False,
            law=law,
            within=part,
        )
        for u in unknowns
    ]
    return sorted(found, key=lambda root: not isinstance(root.nested, WhereVanishing))


def _told(unknown: Unknown, problem: Stationarity, *, one_step: bool) -> Expr:
    """Where the ascent ends, in the others there: by a formula, if there is one; else by the equation that holds, or would."""
    whole = problem.collapse(problem.raw(unknown))
    if one_step:
        return OneStepTowards(unknown.atom, whole)
    own = problem.own(unknown)
    return WhereVanishing(unknown.atom, whole) if own is None or is_matrix(unknown.atom) else own


class _Part:
    """Slopes and curvatures of the part of Q that holds some unknowns."""

    def __init__(
        self,
        unknowns: list[Unknown],
        charts: Charts,
        problem: Stationarity,
        terms: tuple[Term, ...],
        names: Names,
    ) -> None:
        self._unknowns, self._charts, self._problem = unknowns, charts, problem
        self._terms, self._names = terms, names
        self._slopes = [tuple(self._slope(number)) for number in range(len(unknowns))]

    def _slope(self, number: int) -> Iterator[Term]:
        """The derivative along one coordinate."""
        for factor, other in ways(number, self._unknowns, self._charts):
            terms = self._problem.known(self._problem.slope(other))
            yield from along(factor, other, self._unknowns[number], terms)

    def told(self, sign: Sign) -> Climbed:
        return Climbed(
            tuple(unknown.atom for unknown in self._unknowns),
            rejoin(in_ratios(self._terms, self._unknowns, sign)),
            tuple(
                self._named("slope", (unknown,), terms)
                for unknown, terms in zip(self._unknowns, self._slopes, strict=True)
            ),
            tuple(self._curvatures()),
            self._charts if any(each.kind for each in self._charts) else (),
        )

    def _curvatures(self) -> Iterator[Definition]:
        for place, (first, terms) in enumerate(zip(self._unknowns, self._slopes, strict=True)):
            for number in range(place, len(self._unknowns)):
                beside = self._all_beside({axis.index for axis in first.axes})
                bent = [
                    part
                    for factor, other in ways(number, beside, self._charts)
                    for part in along(factor, other, beside[number], crossed(terms, other))
                ]
                yield self._named("bend", (first, beside[number]), tuple(bent))

    def _all_beside(self, taken: set[object]) -> list[Unknown]:
        """The unknowns at indices of their own, those of the same axes at the same."""
        return [self._beside(unknown, taken) for unknown in self._unknowns]

    def _beside(self, unknown: Unknown, taken: set[object]) -> Unknown:
        """The unknown at indices of its own."""
        axes: list[Axis] = []
        for axis in unknown.axes:
            axes.append(self._names.axis(axis.size, "m", {*taken, *(each.index for each in axes)}))
        rules = {old.index: new.index for old, new in zip(unknown.axes, axes, strict=True)}
        return Unknown(reindex(unknown.atom, rules), tuple(axes))

    def _named(self, stem: str, of: tuple[Unknown, ...], terms: tuple[Term, ...]) -> Definition:
        """An array over the axes of the unknowns, with their entries where they are vectors."""
        name = "_".join([stem, *(name_of(each.atom) for each in of)])
        axes = tuple(axis for each in of for axis in each.axes)
        places = tuple(axis.index for axis in axes)
        sides = [each.atom.dimensions[0] for each in of if is_matrix(each.atom)]
        symbol = (
            self._names.matrix(name, places, (sides[0], sides[1] if sides[1:] else 1))
            if sides
            else self._names.entry(name, places, real=True)
        )
        return Definition(symbol, axes, by_logs(self._problem.collapse(equation(gather(terms)))))
