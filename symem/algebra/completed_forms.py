"""Quadratic forms with their squares completed: x'Px - 2m'Px + m'Pm as (x - m)'P(x - m).

The expanded form is linear in features of the data; this one keeps its digits where the terms of that cancel.
"""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Add, Expr, S, expand

from symem.language.leaves import name_of
from symem.language.matrices import transpose, word_of
from symem.language.plates import Iverson
from symem.language.traces import Tr, trace


def centred_forms(value: Expr, moving: frozenset[str]) -> Expr:
    """The value with the quadratic forms of data, arrays of the names in `moving`, completed where that uses up
    all forms with the same matrix between; the value itself where nothing is gained.
    """
    value = expand(value, log=False)
    kept: list[Expr] = []
    for row, middle, weight in _squares(value, moving):
        residual = row + _offset(value, row, middle, weight)
        rest = expand(value - weight * trace(transpose(residual) * word_of(middle) * residual, 1), log=False)
        if not any(_is_like(term, middle, weight) for term in Add.make_args(rest)):
            kept.append(weight * Tr(word_of((transpose(residual), *middle, residual))))
            value = rest
    return Add(value, *kept)


def _is_like(term: Expr, middle: tuple[Expr, ...], weight: Expr) -> bool:
    """Whether a term is a number times that weight, times a form with that matrix between."""
    factor, form = term.as_independent(Tr, as_Add=False)
    return isinstance(form, Tr) and form.word[1:-1] == middle and bool((factor / weight).is_number)


def _squares(value: Expr, moving: frozenset[str]) -> Iterable[tuple[Expr, tuple[Expr, ...], Expr]]:
    """(vector, matrix between as letters, weight) of every quadratic form of data."""
    for term in Add.make_args(value):
        weight, form = term.as_independent(Tr, as_Add=False)
        if isinstance(form, Tr) and form.is_form and len(form.word) > 1:
            first, *middle, last = form.word
            names = {name_of(each) for each in (last,) if hasattr(each, "base")}
            if first == transpose(last) and names & moving:
                yield last, tuple(middle), weight


def _offset(value: Expr, row: Expr, middle: tuple[Expr, ...], weight: Expr) -> Expr:
    """What must be added to the vector to complete the square, from the cross terms."""
    parts: list[Expr] = []
    for term in Add.make_args(value):
        factor, form = term.as_independent(Tr, as_Add=False)
        if isinstance(form, Tr) and form.is_form and not (factor / weight).has(Iverson):
            other = _beside(form.word, row, middle)
            parts += [factor / (2 * weight) * other] if other is not None else []
    return Add(*parts) if parts else S.Zero


def _beside(word: tuple[Expr, ...], row: Expr, middle: tuple[Expr, ...]) -> Expr | None:
    """v of a form v' P x or x' P v, v being another vector."""
    for each in (word, tuple(transpose(letter) for letter in reversed(word))):
        head = each[: len(each) - len(middle) - 1]
        if each[-1] == row and each[len(head) : -1] == middle and head and head != (transpose(row),):
            return transpose(word_of(head))
    return None
