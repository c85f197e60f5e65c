"""Logarithms of gamma functions that are concave in pairs: of the one that rises no more is there than of those that fall.

log Γ(u + x) - log Γ(u) is concave in u for x ≥ 0, as ψ' falls; log Γ(Σ u) - Σ log Γ(u), less the logarithm of the multivariate
beta function, is concave in all u, as that is the log-partition of a Dirichlet law (Wainwright & Jordan 2008, section 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from sympy import Add, Expr, Mul, S, Sum, loggamma

from symem.calculus.bessel_partitions import without_bessel_partitions
from symem.calculus.curvature import Curvature, Sign
from symem.calculus.differentiate import Unknown
from symem.calculus.separate import Term, rejoin
from symem.derivation import Chart
from symem.language.plates import Axis, reindex, total
from symem.language.special import LogGammaRatio


def is_concave(
    terms: Sequence[Term], unknowns: Sequence[Unknown], sign: Sign, charts: Sequence[Chart]
) -> bool:
    """Whether terms are known to be concave together in the coordinates of charts."""
    straight = [unknown for unknown, chart in zip(unknowns, charts, strict=True) if chart.is_straight]
    rest = _without_pairs(list(terms), straight, sign)
    if len(straight) == len(unknowns):
        rest = without_bessel_partitions(rest, unknowns, sign)
    return Curvature(unknowns, sign, charts)(rejoin(rest)).concave


def straightened(charts: Sequence[Chart]) -> tuple[Chart, ...]:
    """The coordinates in which the unknowns are themselves: what is concave there and climbed elsewhere has one maximum as well."""
    return tuple(Chart("positive") if chart.kind in {"log", "power"} else Chart() for chart in charts)


def _without_pairs(terms: list[Term], unknowns: Sequence[Unknown], sign: Sign) -> list[Term]:
    """The terms without logarithms of gamma functions that are concave in pairs."""
    for term in terms:
        falling = _balanced(term, terms, unknowns, sign)
        if falling:
            left = [each for each in terms if each is not term and each not in falling]
            return _without_pairs(left, unknowns, sign)
    return terms


def in_ratios(terms: Sequence[Term], unknowns: Sequence[Unknown], sign: Sign) -> list[Term]:
    """The terms with log Γ(u + x) - log Γ(u) as one function, which keeps its digits, where as much of either is there."""
    for term in terms:
        weight, argument = _weighted(term.factor)
        entries = [] if argument is None else [e for u in unknowns for e in u.entries(argument)]
        beside = argument - entries[0] if len(entries) == 1 else S.Zero
        if beside == 0 or any(u.entries(beside) for u in unknowns):
            continue
        falling = _balanced(term, terms, unknowns, sign, exactly=True)
        if falling and len(falling) == 1:
            left = [each for each in terms if each is not term and each not in falling]
            ratio = Term(weight * LogGammaRatio(entries[0], beside), term.axes)
            return [ratio, *in_ratios(left, unknowns, sign)]
    return list(terms)


def _balanced(
    term: Term, terms: Sequence[Term], unknowns: Sequence[Unknown], sign: Sign, *, exactly: bool = False
) -> list[Term] | None:
    """The terms that fall, with which one that rises is concave; none where it does not rise, or they are not all there:
    as much of them as of it, or more if need not be `exactly`.
    """
    allowed: tuple[int | None, ...] = (0,) if exactly else (0, 1)
    weight, argument = _weighted(term.factor)
    if argument is None or sign(weight) not in (0, 1):
        return None
    found = []
    for entry, axes in _needed(argument, term.axes, unknowns, sign):
        own = [axis for axis in axes if axis.index in entry.free_symbols]
        needed = total(weight, tuple(axis for axis in axes if axis not in own))
        other = next((each for each in terms if _covers(each, entry, own, needed, sign, allowed)), None)
        if other is None:
            return None
        found.append(other)
    return found


def _weighted(factor: Expr) -> tuple[Expr, Expr | None]:
    """(c, v) of c log Γ(v)."""
    held = [each for each in Mul.make_args(factor) if isinstance(each, loggamma)]
    return (factor / held[0], held[0].args[0]) if len(held) == 1 else (factor, None)


def _needed(
    argument: Expr, axes: Sequence[Axis], unknowns: Sequence[Unknown], sign: Sign
) -> Iterator[tuple[Expr, tuple[Axis, ...]]]:
    """The entries of which log Γ must fall, over which axes; the argument itself where it is no such sum."""
    parts = Add.make_args(argument)
    moving = [part for part in parts if any(unknown.entries(part) for unknown in unknowns)]
    rest = Add(*(part for part in parts if part not in moving))
    bare = [part.function if isinstance(part, Sum) else part for part in moving]
    plain = all(any(unknown.matches(part) for unknown in unknowns) for part in bare)
    if not plain or sign(rest) not in (0, 1) or (rest != 0 and len(moving) > 1):
        yield argument, tuple(axes)
        return
    for part, entry in zip(moving, bare, strict=True):
        inner = [Axis(index, high + 1) for index, _low, high in part.limits] if isinstance(part, Sum) else ()
        yield entry, (*axes, *inner)


def _covers(
    term: Term, entry: Expr, axes: Sequence[Axis], needed: Expr, sign: Sign, allowed: Sequence[int | None]
) -> bool:
    """Whether a term is -C log Γ(entry), the sign of C less what is needed being one of those allowed."""
    weight, argument = _weighted(term.factor)
    if argument is None or argument.is_Add:
        return False
    own = [axis for axis in term.axes if axis.index in argument.free_symbols]
    beside = [axis for axis in term.axes if axis not in own]
    for order in permutations(axes) if len(own) == len(axes) else ():
        rules = {old.index: new.index for old, new in zip(own, order, strict=True)}
        if reindex(argument, rules) == entry:
            return sign(-reindex(total(weight, tuple(beside)), rules) - needed) in allowed
    return False
