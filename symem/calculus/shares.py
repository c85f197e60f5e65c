"""Shares on a simplex: with the multiplier λ, ∂Q/∂θ_k = λ gives θ_k = g(λ) h_k, and the constraint gives λ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

from sympy import Add, Expr, Max, Mul, Sum, Symbol, expand

from symem.calculus.differentiate import Unknown
from symem.calculus.roots import simplified
from symem.calculus.stationarity import Root, Stationarity
from symem.language.leaves import places_of
from symem.language.plates import total
from symem.language.supports import Simplex

MULTIPLIER = Symbol("lamda", real=True)


@dataclass(frozen=True)
class Shares:
    """The members of a simplex, the h_k that they are proportional to, and Σ h."""

    members: tuple[Unknown, ...]
    shares: tuple[Expr, ...]
    whole: Expr
    equations: tuple[Expr, ...]


def shares_of(problem: Stationarity) -> Iterator[Shares]:
    """The simplexes whose members are each proportional to something of their own."""
    for unknown in problem.pending:
        group = problem.constraint_of(unknown)
        if group is None or not _is_whole(group, problem):
            continue
        raws = tuple(map(problem.raw, group))
        found = [_share(raw, member, problem) for raw, member in zip(raws, group, strict=True)]
        shares = tuple(pair[0] for pair in found if pair)
        if len(shares) == len(group) and len({pair[1] for pair in found if pair}) == 1:
            yield Shares(group, shares, _sum(shares, group, problem), raws)


def ended_shares_of(problem: Stationarity) -> Iterator[Shares]:
    """The same where a share may come out negative, and is 0 then."""
    for found in shares_of(problem):
        if all(problem.is_ended(member) for member in found.members):
            shares = tuple(Max(0, share) for share in found.shares)
            yield replace(found, shares=shares, whole=_sum(shares, found.members, problem))


def normalised(found: Shares) -> list[Root]:
    """θ_k = h_k / Σ h."""
    values = [simplified(share / found.whole) for share in found.shares]
    return [
        Root(member, value, raw - MULTIPLIER, value, (MULTIPLIER, found.whole))
        for member, value, raw in zip(found.members, values, found.equations, strict=True)
    ]


def _is_whole(group: tuple[Unknown, ...], problem: Stationarity) -> bool:
    """Whether the group covers its simplex: all cells by name, or one index over all of them."""
    variable = problem.supports[group[0]]
    assert isinstance(variable.support, Simplex)
    if not variable.sizes:
        return group in problem.simplexes
    cells = places_of(group[0].atom)[-variable.support.axes :]
    if any(cell.is_Integer for cell in cells):
        return bool(len(group) == prod(variable.sizes[-variable.support.axes :]))
    return len(group) == 1


def _share(raw: Expr, unknown: Unknown, problem: Stationarity) -> tuple[Expr, Expr] | None:
    """(h, g) in θ = g(λ) h, where g is the same for all cells."""
    found = problem.alone(raw - MULTIPLIER, unknown)
    if found is None or not problem.is_free(found[1]):
        return None
    value = found[1]
    _, held = simplified(value).as_independent(MULTIPLIER, as_Add=False)
    share = simplified(value / held)
    if share.has(MULTIPLIER) or held.free_symbols != {MULTIPLIER}:
        return None
    return (expand(share, deep=False) if isinstance(share, Mul) and share.has(Add) else share), held


def _sum(shares: tuple[Expr, ...], group: tuple[Unknown, ...], problem: Stationarity) -> Expr:
    if len(group) > 1 or not group[0].axes:
        return problem.collapse(Add(*shares))
    support = problem.supports[group[0]].support
    assert isinstance(support, Simplex)
    cells = group[0].axes[-support.axes :]
    parts = [total(part, cells) for part in Add.make_args(shares[0])]
    return problem.collapse(Add(*map(_folded, parts)))


def _folded(part: Expr) -> Expr:
    """A sum of what no index touches as a multiple of it."""
    if isinstance(part, Sum) and not part.function.free_symbols & {limit[0] for limit in part.limits}:
        return Mul(part.function, *(limit[2] + 1 for limit in part.limits))
    return part
