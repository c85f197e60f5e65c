"""A combination of sums as one sum: common axes, the factors that allow them, and the summand that results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container

from sympy import Add, Eq, Expr, Indexed, Mul, Sum

from symem.calculus.separate import Term
from symem.language.plates import Axis, Iverson, index_symbol, reindex

#: How the names of such axes begin.
UNIFORM = "at_"


def named(term: Term) -> Term:
    """Axes named by their sizes, so that sums over the same range are recognised."""
    rules: dict[Expr, Expr] = {}
    axes: list[Axis] = []
    used: dict[Expr, int] = defaultdict(int)
    for axis in sorted(term.axes, key=lambda a: str(a.index)):
        used[axis.size] += 1
        name = index_symbol(f"{UNIFORM}{axis.size}_{used[axis.size]}")
        rules[axis.index] = name
        axes.append(Axis(name, axis.size))
    return Term(reindex(term.factor, rules), tuple(axes))


def is_share(factor: Expr, axis: Axis, tables: Container[Expr]) -> bool:
    """Whether a factor is one when it is summed over an axis: a probability γ_ik, or [u_i = k] of a label u_i."""
    if isinstance(factor, Iverson) and isinstance(factor.args[0], Eq):
        places = [place for place in factor.args[0].args if place != axis.index]
        return len(places) == 1 and isinstance(places[0], Indexed)
    return isinstance(factor, Indexed) and factor.base in tables and factor.indices[-1] == axis.index


def completed(terms: list[Term], tables: Container[Expr]) -> list[Term]:
    """Every term over the same axes: n f = Σ_i f, f = Σ_k γ_ik f and f = Σ_l [u_i = l] f."""
    axes = tuple(dict.fromkeys(axis for term in terms for axis in term.axes))
    for axis in (*axes, *axes):
        shares = [f for t in terms for f in t.factors() if is_share(f, axis, tables)]
        terms = [_extended(term, axis, shares) for term in terms]
    return terms


def _extended(term: Term, axis: Axis, shares: list[Expr]) -> Term:
    if axis in term.axes:
        return term
    if term.factor.as_powers_dict().get(axis.size) == 1:
        return Term(term.factor / axis.size, (*term.axes, axis))
    reach = term.factor.free_symbols | term.indices | {axis.index}
    for share in shares:
        if {place for entry in share.atoms(Indexed) for place in entry.indices} <= reach:
            return Term(term.factor * share, (*term.axes, axis))
    return term


def shared_axes(terms: list[Term]) -> set[Axis]:
    return set.intersection(*(set(term.axes) for term in terms)) if terms else set()


def twice(term: Term, axis: Axis) -> bool:
    return [each.size for each in term.axes].count(axis.size) > 1


def body_over(terms: list[Term], shared: set[Axis]) -> Expr:
    """The summand over the shared axes, inner sums as products of sums over single axes."""
    return Add(*(_inner(term, shared) for term in terms))


def _inner(term: Term, shared: set[Axis]) -> Expr:
    """Σ_jl a_j b_l = Σ_j a_j Σ_j b_j, where the summand falls apart."""
    axes = [axis for axis in term.axes if axis not in shared]
    outer = [f for f in term.factors() if not f.free_symbols & {a.index for a in axes}]
    value = Mul(*outer)
    rest = [f for f in term.factors() if f not in outer]
    for axis in axes:
        own = [f for f in rest if axis.index in f.free_symbols]
        if any(other.index in f.free_symbols for f in own for other in axes if other != axis):
            return Mul(*outer) * Sum(Mul(*rest), *(a.limits for a in axes))
        index = index_symbol("each")
        value *= Sum(Mul(*own).xreplace({axis.index: index}), (index, 0, axis.size - 1))
    return value
