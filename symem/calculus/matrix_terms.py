"""The part of a matrix scalar that data fill: a word is turned so that its data stand together.

tr(Σ⁻¹ μ xᵀ) is tr(P · H) with parameters P = Σ⁻¹ μ and data H = xᵀ; a product of forms (βᵀx)(xᵀβ) is the cycle
β βᵀ · x xᵀ. Where data stand in more than one place of a cycle, as in xᵀΣ⁻¹Xβ, it cannot be split.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product as cartesian

from sympy import Expr, Pow

from symem.language.matrices import MatrixArray, T, is_symmetric, shape, transpose, word_of
from symem.language.traces import Tr, trace

#: What stands where data stand in a word of parameters.
HOLE = "_data"


@dataclass(frozen=True)
class Filled:
    """A scalar of matrices as (parameters around a hole, what fills it); `hole` is the letter of the hole."""

    around: Expr
    data: Expr
    hole: Expr


def is_hole(letter: Expr) -> bool:
    return str(getattr(letter, "base", "")) == HOLE


def fill(scalars: Sequence[Expr], holds: Callable[[Expr], bool]) -> Filled | None:
    """Split a product of traces and forms at its data; None where the data do not stand together.

    Args:
        scalars: `Tr`s and powers of them.
        holds: whether a letter holds parameters.
    """
    forms = [each.base for each in scalars if isinstance(each, Pow) for _ in range(int(each.exp))]
    forms += [each for each in scalars if isinstance(each, Tr)]
    for cycle in _cycles(forms):
        turned = _data_last(cycle, holds)
        if turned is not None:
            return _filled(*turned)
    return None


def _cycles(forms: list[Expr]) -> list[tuple[Expr, ...]]:
    """The cycles that a product of forms can be written as: each form may be read backwards."""
    ways = [(form.word, _backwards(form.word)) if len(forms) > 1 else (form.word,) for form in forms]
    if len(forms) > 1 and not all(form.is_form for form in forms):
        return []
    return [tuple(letter for word in chosen for letter in word) for chosen in cartesian(*ways)]


def _backwards(word: Sequence[Expr]) -> tuple[Expr, ...]:
    return tuple(transpose(letter) for letter in reversed(word))


def _data_last(
    cycle: tuple[Expr, ...], holds: Callable[[Expr], bool]
) -> tuple[tuple[Expr, ...], tuple[Expr, ...]] | None:
    """(parameters, data) of a cycle whose data are neighbours."""
    flags = [holds(letter) for letter in cycle]
    starts = [p for p, flag in enumerate(flags) if flag and not flags[p - 1]]
    if len(starts) != 1:
        return None
    turned = cycle[starts[0] :] + cycle[: starts[0]]
    count = sum(flags)
    return turned[:count], turned[count:]


def _filled(parameters: tuple[Expr, ...], data: tuple[Expr, ...]) -> Filled:
    """Data stand as a column where they are a vector, else as the turn of the word has them."""
    value = word_of(data)
    if shape(value)[0] == 1:
        return _placed(parameters, transpose(value), as_row=True)
    filled = _placed(parameters, value, as_row=False)
    if shape(value)[1] != 1 and filled.around.has(T(filled.hole)) and T(filled.hole) != filled.hole:
        return _placed(parameters, transpose(value), as_row=True)
    return filled


def _placed(parameters: tuple[Expr, ...], value: Expr, *, as_row: bool) -> Filled:
    hole = _hole(value)
    here = transpose(hole) if as_row else hole
    return Filled(trace(word_of(parameters) * here, shape(parameters[0])[0]), value, hole)


def _hole(value: Expr) -> Expr:
    return MatrixArray(HOLE, *shape(value), "symmetric" if is_symmetric(value) else "")()


def matrix_scalars(factors: Sequence[Expr]) -> list[Expr]:
    """The factors that are traces, forms or powers of them."""
    return [f for f in factors if isinstance(f.base if isinstance(f, Pow) else f, Tr)]
