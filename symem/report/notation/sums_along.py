"""Sums along sequences as books write them: over the places of each sequence, and from t = 2 where a place stands beside the
one before.

Inside, a sum over pairs of neighbours runs from the first pair, and one over sequences that differ in length to the end of
the longest, with a bracket.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from sympy import Add, And, Expr, Indexed, Integer, Le, Mul, Piecewise, S, Sum, Symbol, Tuple, true

from symem.algebra.rewriting import bottom_up, is_negative
from symem.language.leaves import name_of, places_of
from symem.language.matrices import MatrixEntry
from symem.language.plates import Iverson, reindex


def sums_along(expr: Expr, lengths: Mapping[Symbol, Expr], pairs: AbstractSet[str]) -> Expr:
    """The same sums for a reader; `lengths` has the size of each sequence by that of the longest, `pairs` names the arrays
    whose entries belong to two neighbours, and which number them by the first.

    >>> from sympy import IndexedBase, symbols
    >>> x, (t, T) = IndexedBase("x"), symbols("t T", integer=True)
    >>> sums_along(Sum(x[t]*x[t + 1], (t, 0, T - 2)), {}, frozenset())
    Sum(x[t - 1]*x[t], (t, 1, T - 1))
    """

    def told(node: Expr) -> Expr:
        if not isinstance(node, Sum):
            return node
        body, limits = node.function, list(node.limits)
        for place, limit in enumerate(limits):
            body, limits[place] = _from_the_second(body, limit, pairs)
        return _to_own_ends(body, limits, lengths)

    return bottom_up(expr, told) if expr.has(Sum) else expr


def _from_the_second(body: Expr, limit: Tuple, pairs: AbstractSet[str]) -> tuple[Expr, Tuple]:
    """What stands at s and s + 1 by what stands at t - 1 and t."""
    index, low, high = limit
    entries = body.atoms(Indexed, MatrixEntry)
    if low != 0 or any(name_of(entry) in pairs and index in places_of(entry) for entry in entries):
        return body, limit
    shifts = {slot - index for entry in entries for slot in places_of(entry)}
    most = max((shift for shift in shifts if shift.is_Integer), default=S.Zero)
    if most <= 0:
        return body, limit
    return reindex(body, {index: index - most}), Tuple(index, low + most, high + most)


def _to_own_ends(body: Expr, limits: list[Tuple], lengths: Mapping[Symbol, Expr]) -> Expr:
    """[t <= L_j - 1] over the places of the longest as a sum to L_j - 1."""
    body = _bracket_first(body)
    for place, (index, low, high) in enumerate(limits):
        longest = next((each for each in high.free_symbols if each in lengths), None)
        if longest is None:
            continue
        own = name_of(lengths[longest])
        for bracket in [each for each in Mul.make_args(body) if isinstance(each, Iverson)]:
            (condition,) = bracket.args
            conditions = And.make_args(condition)
            found = next((each for each in conditions if _is_end(each, index, own)), None)
            if found is None:
                continue
            end = found.rhs - (found.lhs - index)
            rest = And(*(each for each in conditions if each is not found))
            body = body / bracket * (Iverson(rest) if rest != S.true else Integer(1))
            limits[place] = Tuple(index, low, end)
            break
    free = [limit for limit in limits if body == 1 and not _is_needed(limit[0], limits)]
    for index, low, high in free[:1]:
        body, limits = high - low + 1, [each for each in limits if each[0] != index]
    if not limits:
        return body
    positive = _turned(body)
    return Sum(body, *limits) if positive is None else -Sum(positive, *limits)


def _bracket_first(body: Expr) -> Expr:
    """[t <= L] a + [t <= L] b as [t <= L] (a + b)."""
    terms = Add.make_args(body)
    held = [{each for each in Mul.make_args(term) if isinstance(each, Iverson)} for term in terms]
    shared = set.intersection(*held) if len(terms) > 1 else set()
    return Mul(*shared, Add(*(term / Mul(*shared) for term in terms))) if shared else body


def _turned(body: Expr) -> Expr | None:
    """What is summed without the minus sign that all of it has; None where it has none."""
    if isinstance(body, Piecewise) and len(body.args) == 2 and body.args[1] == (S.Zero, true):
        value, held = body.args[0].args
        return Piecewise((-value, held), (S.Zero, true)) if is_negative(value) else None
    return -body if is_negative(body) else None


def _is_end(condition: Expr, index: Symbol, length: str) -> bool:
    if not isinstance(condition, Le):
        return False
    ends = {name_of(each) for each in condition.rhs.atoms(Indexed)}
    return bool((condition.lhs - index).is_Integer) and ends == {length}


def _is_needed(index: Symbol, limits: list[Tuple]) -> bool:
    return any(index in Tuple(*limit[1:]).free_symbols for limit in limits)
