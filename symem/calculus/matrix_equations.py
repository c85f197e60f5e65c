"""One equation between matrices, one unknown: cancel a common invertible factor, solve what is linear.

Solved are Σ Aⱼ X = C, Σ X Bⱼ = C and A X B = C, and the equation of a covariance, c X⁻¹ + Σ X⁻¹ Mⱼ X⁻¹ = 0.
(Petersen & Pedersen 2012, section 5.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Add, Expr, Mul, Pow, S, Sum, expand

from symem.language.matrices import (
    BlockInverse,
    Diagonal,
    T,
    is_matrix,
    is_positive_definite,
    letters,
    shape,
    transpose,
    word_of,
)
from symem.language.traces import Tr, inverse, words

Word = tuple[Expr, tuple[Expr, ...]]


@dataclass(frozen=True)
class Around:
    """coefficient · left · X · right."""

    coefficient: Expr
    left: tuple[Expr, ...]
    right: tuple[Expr, ...]


def isolate_matrix(equation: Expr, unknown: Expr) -> Expr | None:
    """The matrix at which an equation holds, in terms of everything else; None if it is not solved here."""
    parts = [_with_forms_inside(c, letters(w), unknown) for c, w in words(equation)]
    if any(isinstance(letter, Sum) and letter.has(unknown) for _c, word in parts for letter in word):
        return None
    if any(c.has(unknown) for c, _word in parts):
        return None
    parts = _without_common(_without_common(_without_number(parts), unknown, 0), unknown, -1)
    held = [(c, w) for c, w in parts if _holds(w, unknown)]
    rest = [(c, w) for c, w in parts if not _holds(w, unknown)]
    if not held:
        return None
    if unknown.is_symmetric_letter:
        found = _covariance(held, rest, unknown)
        if found is not None:
            return found
    return _linear(held, rest, unknown)


def _with_forms_inside(coefficient: Expr, word: tuple[Expr, ...], unknown: Expr) -> Word:
    """a (uᵀx) is a uᵀ · x, for an unknown vector x."""
    form = next((f for f in Mul.make_args(coefficient) if isinstance(f, Tr) and f.has(unknown)), None)
    if form is None or shape(unknown)[1] != 1:
        return coefficient, word
    turned = form.word if form.word[-1] == unknown else _turned(form.word)
    return coefficient / form, (*word, *turned)


def _holds(word: Sequence[Expr], unknown: Expr) -> bool:
    return any(letter.has(unknown) for letter in word)


def _without_number(parts: list[Word]) -> list[Word]:
    """Cancel the numbers that every word is multiplied by, such as 1/σ²."""
    shared = set.intersection(*(set(Mul.make_args(c)) for c, _word in parts))
    common = Mul(*(factor for factor in shared if not factor.is_number))
    return [(c / common, word) for c, word in parts]


def _without_common(parts: list[Word], unknown: Expr, end: int) -> list[Word]:
    """Cancel an invertible letter that every word begins (or ends) with."""
    while parts and all(word and word != (S.One,) for _c, word in parts):
        first = parts[0][1][end]
        if first.has(unknown) or not is_invertible(first) or any(w[end] != first for _c, w in parts):
            break
        parts = [(c, w[1:] if end == 0 else w[:-1]) for c, w in parts]
    return parts


def is_invertible(letter: Expr) -> bool:
    """Whether a letter is an invertible matrix by its form."""
    if isinstance(letter, BlockInverse):
        return False
    if isinstance(letter, Pow) and letter.exp == -1:
        return True
    return is_positive_definite(letter) or (isinstance(letter, Diagonal) and bool(letter.args[0].is_nonzero))


# -- linear equations --------------------------------------------------------------------------------------


def _linear(held: list[Word], rest: list[Word], unknown: Expr) -> Expr | None:
    around = [_around(c, w, unknown) for c, w in held]
    if any(each is None for each in around):
        if unknown.is_symmetric_letter or any(_around(c, w, T(unknown)) is None for c, w in held):
            return None
        turned = [(c, _turned(w)) for c, w in held]
        return _linear(turned, [(c, _turned(w)) for c, w in rest], unknown)
    cases = [each for each in around if each is not None]
    right_side = -_added(rest)
    if all(not each.left for each in cases):
        return _solved(right_side, _added([(e.coefficient, e.right) for e in cases]), from_left=False)
    if all(not each.right for each in cases):
        return _solved(right_side, _added([(e.coefficient, e.left) for e in cases]), from_left=True)
    if len({(each.left, each.right) for each in cases}) == 1:
        return _between(Add(*(each.coefficient for each in cases)), cases[0], right_side)
    return _one_sided(cases, right_side)


def _solved(right_side: Expr, factor: Expr, *, from_left: bool) -> Expr:
    """The X of factor · X = right_side, or of X · factor = right_side; where Q is concave the factor is negative."""
    if not is_matrix(factor):
        return _over(right_side, factor)
    undo = inverse(expand(-factor))
    return undo * expand(-right_side) if from_left else expand(-right_side) * undo


def _around(coefficient: Expr, word: Sequence[Expr], unknown: Expr) -> Around | None:
    places = [p for p, letter in enumerate(word) if letter.has(unknown)]
    if len(places) != 1 or word[places[0]] != unknown:
        return None
    return Around(coefficient, tuple(word[: places[0]]), tuple(word[places[0] + 1 :]))


def _turned(word: Sequence[Expr]) -> tuple[Expr, ...]:
    return tuple(transpose(letter) for letter in reversed(word))


def _between(coefficient: Expr, case: Around, right_side: Expr) -> Expr | None:
    left, right = word_of(case.left), word_of(case.right)
    if any(is_matrix(side) and shape(side)[0] != shape(side)[1] for side in (left, right)):
        return None
    return _times(inverse(coefficient * left), right_side, inverse(right))


def _one_sided(cases: list[Around], right_side: Expr) -> Expr | None:
    """Σ cⱼ Aⱼ X B with one B for all, or A X Σ cⱼ Bⱼ."""
    if len({each.right for each in cases}) == 1 and _is_square(word_of(cases[0].right)):
        left = _added([(each.coefficient, each.left) for each in cases])
        return _times(inverse(left), right_side, inverse(word_of(cases[0].right)))
    if len({each.left for each in cases}) == 1 and _is_square(word_of(cases[0].left)):
        right = _added([(each.coefficient, each.right) for each in cases])
        return _times(inverse(word_of(cases[0].left)), right_side, inverse(right))
    return None


def _is_square(matrix: Expr) -> bool:
    return not is_matrix(matrix) or shape(matrix)[0] == shape(matrix)[1]


# -- covariances -------------------------------------------------------------------------------------------


def _covariance(held: list[Word], rest: list[Word], unknown: Expr) -> Expr | None:
    """c X⁻¹ + X⁻¹ M X⁻¹ = 0 at X = -M/c; c X⁻¹ + M = 0 at X = -c M⁻¹, X being a precision."""
    counts, scatter = S.Zero, S.Zero
    upside_down = Pow(unknown, -1)
    for coefficient, word in held:
        if word == (upside_down,):
            counts += coefficient
        elif len(word) >= 2 and word[0] == word[-1] == upside_down and not _holds(word[1:-1], unknown):
            scatter += coefficient * word_of(word[1:-1])
        else:
            return None
    if counts == 0 or is_matrix(counts):
        return None
    if not rest and scatter != 0:
        return _over(-scatter, counts)
    if rest and scatter == 0:
        return _over_matrix(counts, expand(-_added(rest)))
    return None


def _over_matrix(number: Expr, matrix: Expr) -> Expr:
    """number · matrix⁻¹, a number common to both cancelled."""
    content, primitive = matrix.as_content_primitive()
    return number / content * inverse(primitive)


def _over(matrix: Expr, number: Expr) -> Expr:
    """matrix / number, a sign common to both cancelled."""
    if number.could_extract_minus_sign():
        matrix, number = -matrix, -number
    return _times(matrix, 1 / number)


# -- products and sums -------------------------------------------------------------------------------------


def _added(parts: Sequence[tuple[Expr, Sequence[Expr]]]) -> Expr:
    return Add(*(c * word_of(word) for c, word in parts))


def _times(*factors: Expr) -> Expr:
    """A product multiplied out, inverses kept whole."""
    return Add(*(c * word for c, word in words(Mul(*factors))))
