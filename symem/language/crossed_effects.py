"""Latent numbers that meet in a square at places of which neither tells the other, (y[i] - a[g[i]] - b[h[i]])².

Given the data each a is correlated with every b that it meets, so that they are jointly normal as vectors (Searle, Casella &
McCulloch 1992, section 7.1): b is read as the vector of its entries along its last slot, and b[p] as e_pᵀb, e_p the unit
vector at p. What of a is left, one number a place, is integrated out given the vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from sympy import Expr, Indexed, IndexedBase, Pow, Sum, Symbol

from symem.language.leaves import name_of
from symem.language.matrices import MatrixArray, T, Unit
from symem.language.supports import Reals
from symem.language.traces import trace
from symem.language.variables import Role, Variable


def with_crossed_as_vectors(
    whole: Expr, variables: Mapping[str, Variable]
) -> tuple[Expr, dict[str, Variable]]:
    """The log-likelihood and the table of variables with as few of such latents as vectors as may be."""
    table, crossed = dict(variables), set(_crossed(whole, variables))
    meet = {name for pair in crossed for name in pair}
    order = sorted((name for name in variables if name in meet), key=lambda name: -len(variables[name].sizes))
    numbers: list[str] = []
    for name in order:
        if not any({name, other} in crossed for other in numbers):
            numbers.append(name)
            continue
        table[name] = _vector(table[name])
        whole = _with_units(whole, variables[name], table[name])
    return whole, table


def _crossed(whole: Expr, variables: Mapping[str, Variable]) -> Iterator[frozenset[str]]:
    """The pairs of latents that are."""
    numbers = {v.name for v in variables.values() if _is_number(v)}
    labels = {v.symbol for v in variables.values() if v.role is Role.LATENT and v.support.finite}
    for square in whole.atoms(Pow) if len(numbers) > 1 else ():
        entries = [e for e in _outside_sums(square) if name_of(e) in numbers and not e.has(*labels)]
        for one, other in combinations(sorted(entries, key=str), 2):
            apart = not (_tells(one, other) or _tells(other, one))
            if square.exp == 2 and apart and name_of(one) != name_of(other):
                yield frozenset({name_of(one), name_of(other)})


def _is_number(variable: Variable) -> bool:
    array = isinstance(variable.symbol, IndexedBase) and not variable.shape
    return array and variable.role is Role.LATENT and isinstance(variable.support, Reals)


def _outside_sums(expr: Expr) -> set[Indexed]:
    """The entries in an expression that stand under no sum inside it."""
    if isinstance(expr, Indexed):
        return {expr}
    return set() if isinstance(expr, Sum) else {e for each in expr.args for e in _outside_sums(each)}


def _tells(one: Indexed, other: Indexed) -> bool:
    """Whether the place of one entry follows from that of the other."""
    known = {index for place in other.indices for index in _indices(place) if place == index}
    return all(place in other.indices or _indices(place) <= known for place in one.indices)


def _indices(place: Expr) -> set[Expr]:
    if isinstance(place, Symbol):
        return {place}
    parts = place.indices if isinstance(place, Indexed) else place.args
    return {index for part in parts for index in _indices(part)}


def _vector(variable: Variable) -> Variable:
    *plates, size = variable.sizes
    array = MatrixArray(variable.name, size, 1)
    return replace(variable, symbol=array if plates else array(), sizes=tuple(plates), shape=(size,))


def _with_units(whole: Expr, numbers: Variable, vectors: Variable) -> Expr:
    """Every entry b[…, p] as e_pᵀ b[…]."""
    size = vectors.shape[0]
    rules = {}
    for entry in whole.atoms(Indexed):
        if entry.base == numbers.symbol:
            *plates, place = entry.indices
            vector = vectors.symbol[tuple(plates)] if plates else vectors.symbol
            rules[entry] = trace(T(Unit(place, size)) * vector, 1)
    return whole.xreplace(rules)
