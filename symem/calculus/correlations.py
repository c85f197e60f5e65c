"""A covariance of two numbers that is stated by its scales: Q is maximised over Σ as a whole, and the scales read back.

    Q = -N/2 log det Σ(a, b, c) - tr(Σ(a, b, c)⁻¹ S)/2

is largest at Σ = S/N, and as (a, b, c) ↦ Σ is one to one so is Q in them at the values that give this Σ (invariance of
the maximum; Anderson 2003, corollary 3.2.1). N and S are seen in ∂Q where c is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from sympy import Add, Expr, Matrix, S, symbols

from symem.algebra.covariance_scales import SCALES, STATED, TIE, Scales
from symem.calculus.differentiate import Unknown
from symem.calculus.roots import simplified
from symem.calculus.stationarity import Root, Stationarity
from symem.calculus.vanishing import rational_zero

_COUNT, _XX, _XY, _YY = symbols("_n _xx _xy _yy", real=True)


@dataclass(frozen=True)
class Correlated:
    """Two scales and what ties them, and their values at Σ = S/N."""

    unknowns: tuple[Unknown, ...]
    values: tuple[Expr, ...]
    problem: Stationarity


def correlated(problem: Stationarity) -> Iterator[Correlated]:
    """The open numbers over the same axes, two of them positive, that make up a covariance."""
    scales = [u for u in problem.free if problem.supports[u].support.bounds == (0, S.Infinity)]
    for tie in (u for u in problem.free if u not in scales):
        for pair in combinations(scales, 2):
            group = (*pair, tie)
            if len({unknown.axes for unknown in group}) == 1:
                slopes = [problem.reduced(problem.slope(unknown)) for unknown in group]
                values = _values(slopes, [unknown.atom for unknown in group])
                if values is not None and all(map(problem.is_free, values)):
                    yield Correlated(group, values, problem)


def by_scales(found: Correlated) -> list[Root]:
    """The scales and what ties them, each by itself."""
    problem = found.problem
    pairs = [(u, problem.collapse(simplified(v))) for u, v in zip(found.unknowns, found.values, strict=True)]
    return [Root(unknown, value, problem.raw(unknown), value, explicit=False) for unknown, value in pairs]


def _values(slopes: Sequence[Expr], atoms: Sequence[Expr]) -> tuple[Expr, ...] | None:
    """The values where slopes are those of a Σ, stated in one of the known ways; None of other slopes."""
    bare = [slope.xreplace(dict(zip(atoms, SCALES, strict=True))) for slope in slopes]
    found = (_read(scales, bare) for scales in STATED)
    return next(filter(None, found), None)


def _read(scales: Scales, slopes: Sequence[Expr]) -> tuple[Expr, ...] | None:
    wanted = scales.slopes(_COUNT, Matrix([[_XX, _XY], [_XY, _YY]]))
    seen: dict[Expr, Expr] = {}
    for letter, slope, whole, moments in zip(SCALES, slopes, wanted, _HELD, strict=True):
        apart, expected = (_powers(each.xreplace({TIE: S.Zero}), letter) for each in (slope, whole))
        for moment in moments:
            power = next((power for power, part in expected.items() if part.has(moment)), None)
            if power is None or power not in apart:
                return None
            seen[moment] = simplified(apart[power] / expected[power].coeff(moment))
    if any(each.has(*SCALES) for each in seen.values()):
        return None
    gaps = (slope - each.xreplace(seen) for slope, each in zip(slopes, wanted, strict=True))
    if not all(map(rational_zero, gaps)):
        return None
    return scales.back(*(seen[moment] / seen[_COUNT] for moment in (_XX, _XY, _YY)))


#: What is seen in the slope by each of the scales and by what ties them.
_HELD = ((_COUNT, _XX), (_YY,), (_XY,))


def _powers(slope: Expr, letter: Expr) -> dict[Expr, Expr]:
    """{p: c} of Σ c·letterᵖ."""
    found: dict[Expr, Expr] = {}
    for part in Add.make_args(slope.expand()):
        power = part.as_coeff_exponent(letter)[1]
        found[power] = found.get(power, S.Zero) + part / letter**power
    return found
