"""Angles taken apart: cos(x - μ) = cos x cos μ + sin x sin μ, so that cosines and sines of data are statistics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Add, Expr, cos, expand, sin

from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term, separate
from symem.language.model import Variable


def angles_apart(term: Term, variables: Iterable[Variable]) -> list[Term]:
    """A term with each of these variables in an angle of its own, what holds none being one more."""
    rules = {wave: _expanded(wave, tuple(variables)) for wave in term.factor.atoms(cos, sin)}
    if all(old == new for old, new in rules.items()):
        return [term]
    return [Term(part.factor, part.axes + term.axes) for part in separate(term.factor.xreplace(rules))]


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
