"""Angles taken apart: cos(x - μ) = cos x cos μ + sin x sin μ, so that cosines and sines of data are statistics.

Squares of sines are 1 - cos², so that r²(cos² + sin²) of a point on a circle is r².
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Add, Expr, Pow, cos, expand, sin

from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term, separate
from symem.language.model import Variable


def angles_apart(term: Term, variables: Iterable[Variable]) -> list[Term]:
    """A term with each of these variables in an angle of its own, what holds none being one more."""
    variables = tuple(variables)
    rules = {wave: _expanded(wave, variables) for wave in term.factor.atoms(cos, sin)}
    apart = [term]
    if any(old != new for old, new in rules.items()):
        apart = _over(term, term.factor.xreplace(rules))
    return [part for each in apart for part in _without_squares(each, variables)]


def _over(term: Term, factor: Expr) -> list[Term]:
    return [Term(part.factor, part.axes + term.axes) for part in separate(factor)]


def _without_squares(term: Term, variables: Sequence[Variable]) -> list[Term]:
    """A term without even powers of sines of these variables."""
    powers = {
        wave: wave.exp / 2 for wave in term.factors() if isinstance(wave, Pow) and isinstance(wave.base, sin)
    }
    even = {
        wave: (1 - cos(wave.base.args[0]) ** 2) ** half
        for wave, half in powers.items()
        if half.is_Integer and half > 0 and any(atoms_of(wave, each) for each in variables)
    }
    return _over(term, term.factor.xreplace(even)) if even else [term]


def _expanded(wave: Expr, variables: Sequence[Variable]) -> Expr:
    angles = Add.make_args(expand(wave.args[0]))
    moving = [angle for angle in angles if any(atoms_of(angle, each) for each in variables)]
    rest = Add(*(angle for angle in angles if angle not in moving))
    if not moving:
        return wave
    cosine, sine = _of_a_sum([rest, *moving])
    return cosine if isinstance(wave, cos) else sine


def _of_a_sum(angles: Sequence[Expr]) -> tuple[Expr, Expr]:
    """(cos, sin) of a sum of angles."""
    first, *more = angles
    if not more:
        return cos(first), sin(first)
    cosine, sine = _of_a_sum(more)
    return cos(first) * cosine - sin(first) * sine, sin(first) * cosine + cos(first) * sine
