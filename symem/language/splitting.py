"""Functions of an entry that is one thing where a condition holds and another elsewhere: [c] f(a) + [not c] f(b), summand by
summand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Add, Dummy, Expr, Sum

from symem.language.plates import Iverson, outermost_sums

#: The entries of an expression that are to be split.
Entries = Callable[[Expr], list[Expr]]
#: Of an entry what it is, and under which condition, one of which holds.
Ways = Callable[[Expr], tuple[tuple[Any, Expr], tuple[Any, Expr]]]


def split(expr: Expr, entries: Entries, ways: Ways) -> Expr:
    """Split each summand at the innermost sum that holds an entry."""
    return Add(*(_summand(part, entries, ways) for part in Add.make_args(expr)))


def _summand(part: Expr, entries: Entries, ways: Ways) -> Expr:
    inner = {
        each: Sum(split(each.function, entries, ways), *each.limits)
        for each in sorted(outermost_sums(part), key=str)
        if entries(each)
    }
    shields = {each: Dummy() for each in inner}
    part = part.xreplace(shields)
    for entry in entries(part):
        part = Add(*(Iverson(where) * part.xreplace({entry: value}) for where, value in ways(entry)))
    return part.xreplace({shields[each]: inner[each] for each in inner})
