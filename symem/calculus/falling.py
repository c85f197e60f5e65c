"""An equation in one positive number whose left side falls: no formula gives its root, but there is one place at most.

Shapes, degrees of freedom and concentrations have such equations: what else stands in them is put in first, each from
its own equation (Minka 2002 for a gamma distribution), and what is left is solved as a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from sympy import Add, Dummy, Expr, Lambda, Mul, S, expand_mul, log, oo

from symem.calculus.differentiate import Unknown
from symem.calculus.existence import of_inverse
from symem.calculus.falling_functions import (
    Parts,
    far_away,
    is_of_known_functions,
    lead_of,
    near_zero,
    parts_of,
)
from symem.calculus.putting_in import with_others_put_in
from symem.calculus.stationarity import Root, Stationarity
from symem.language.falling_root import FallingRoot, given_letter, unknown_letter
from symem.language.leaves import name_of
from symem.language.support import Support
from symem.language.supports import Reals


@dataclass(frozen=True)
class Falling:
    """Σ c·g(u) = 0 in an unknown of a problem, with everything else put in: what was `eliminated`."""

    unknown: Unknown
    parts: Parts
    problem: Stationarity
    eliminated: tuple[Unknown, ...] = ()


def falling_equations(problem: Stationarity) -> Iterator[Falling]:
    """The positive numbers whose equation, the others being put in, is a sum of functions that are known to fall."""
    for unknown in problem.free:
        if not _is_sought(unknown, problem):
            continue
        reduced = with_others_put_in(
            problem, unknown, problem.free, partial(_alone, problem), lambda whole: whole
        )
        found = None if reduced is None else _read(unknown, problem, *reduced)
        if found is not None:
            yield found


def _read(
    unknown: Unknown, problem: Stationarity, whole: Expr, gone: tuple[Unknown, ...] = ()
) -> Falling | None:
    """An equation of one positive number, if it is of functions that are known to fall; other entries of its array do not stand in it."""
    elsewhere = unknown.entries(whole.xreplace({unknown.atom: Dummy()}))
    parts = parts_of(whole, unknown.atom) if _is_sought(unknown, problem) and not elsewhere else {}
    known = bool(parts) and is_of_known_functions(parts, unknown.atom)
    return Falling(unknown, parts, problem, gone) if known else None


def _alone(problem: Stationarity, other: Unknown) -> Expr | None:
    """The solution of an equation for any value of the other numbers: by a formula, or else the root of it."""
    found = problem.own(other)
    read = _read(other, problem, problem.reduced(problem.slope(other))) if found is None else None
    return found if read is None else _root_of(read)


def falling_root(found: Falling) -> list[Root] | None:
    """The root, the others being put in."""
    value = _root_of(found)
    if not found.problem.is_free(value):
        return None
    raw = found.problem.raw(found.unknown)
    return [Root(found.unknown, value, raw, value, explicit=False, eliminated=found.eliminated)]


def falling_root_given_the_others(unknown: Unknown, problem: Stationarity) -> Root | None:
    """The root of the equation in which the others stand as they are."""
    raw = problem.raw(unknown)
    found = _read(unknown, problem, problem.collapse(raw))
    if found is None:
        return None
    value = _root_of(found)
    return Root(unknown, value, raw, value, law="falling equation", conditional=True)


def _is_sought(unknown: Unknown, problem: Stationarity) -> bool:
    """Whether an unknown may be any positive number."""
    return problem.supports[unknown].support.bounds == (0, oo) and not problem.is_ended(unknown)


def _root_of(found: Falling) -> FallingRoot:
    """The function and what it is given, over the coefficient of its digamma or Bessel functions."""
    atom, lead = found.unknown.atom, lead_of(found.parts, found.unknown.atom)
    letters = Letters(name_of(atom))
    moving = (
        letters.times(_over(c, lead)) * letters.inside(g, atom) for g, c in found.parts.items() if g != 1
    )
    function = Add(*moving) - letters.times(_over(-found.parts.get(S.One, S.Zero), lead))
    given = {letter: found.problem.collapse(value) for value, letter in letters.of.items()}
    unknown = unknown_letter(name_of(atom))
    return FallingRoot.of(function.xreplace({atom: unknown}), unknown, given)


def _over(value: Expr, lead: Expr) -> Expr:
    """A ratio, the logarithms that stand in it by themselves as one."""
    terms = Add.make_args(expand_mul(value / lead))
    logs = [term for term in terms if isinstance(term, log) or isinstance(-term, log)]
    inside = Mul(*(term.args[0] if isinstance(term, log) else 1 / (-term).args[0] for term in logs))
    return Add(*(term for term in terms if term not in logs), log(inside))


@dataclass
class Letters:
    """Letters for what a function is given, by what they stand for."""

    name: str
    of: dict[Expr, Dummy] = field(default_factory=dict)

    def times(self, value: Expr) -> Expr:
        """A number times a letter for what is left."""
        number, rest = value.as_coeff_Mul()
        if rest == 1:
            return number
        return number * self.of.setdefault(rest, given_letter(self.name, len(self.of)))

    def inside(self, g: Expr, atom: Expr) -> Expr:
        """A function of u, with letters for what it is given beside u."""
        if isinstance(g, Lambda) or g == atom:
            return g
        if not g.has(atom):
            return g if g.is_number else self.times(g)
        return g.func(*(self.inside(part, atom) for part in g.args))


# where there is a root --------------------------------------------------------------------------------------------


def _roots_in(value: Expr) -> list[FallingRoot]:
    """Those that stand in no other."""
    found = value.atoms(FallingRoot)
    inside = {each for root in found for each in root.function.expr.atoms(FallingRoot)}
    return sorted(found - inside, key=str)


def of_given(value: Expr, _support: Support) -> Iterator[Expr]:
    """What must not vanish in what the functions are given."""
    for root in _roots_in(value):
        for each in root.given:
            yield from of_inverse(each, Reals())


def of_root(value: Expr) -> Iterator[Expr]:
    """What must be positive for a root to exist: the function near 0, and less the function far away, if finite."""
    for root in _roots_in(value):
        u, parts = root.unknown, parts_of(root.function.expr, root.unknown)
        letters = dict(zip(root.function.variables[1:], root.given, strict=True))
        for end in (near_zero(parts, u), -far_away(parts, u)):
            if end.free_symbols and end.is_finite is not False:
                yield end.xreplace(letters)
