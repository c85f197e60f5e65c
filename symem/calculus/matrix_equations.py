"""One equation between matrices, one unknown: cancel a common invertible factor, solve what is linear.

Solved are Σ Aⱼ X = C, Σ X Bⱼ = C and A X B = C, and the equation of a covariance, c X⁻¹ + Σ X⁻¹ Mⱼ X⁻¹ = 0.
(Petersen & Pedersen 2012, section 5.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True)
class Words:
    """Σ c·word = 0, the words that hold the unknown matrix apart from the rest."""

    unknown: Expr
    held: tuple[Word, ...]
    rest: tuple[Word, ...]


def in_words(equation: Expr, unknown: Expr) -> Words | None:
    """An equation between matrices as words, a common invertible factor cancelled; None where it is not one in X."""
    parts = [_with_forms_inside(c, letters(w), unknown) for c, w in words(equation)]
    if any(isinstance(letter, Sum) and letter.has(unknown) for _c, word in parts for letter in word):
        return None
    if any(c.has(unknown) for c, _word in parts):
        return None
    parts = _without_common(_without_common(_without_number(parts), unknown, 0), unknown, -1)
    held = tuple((c, w) for c, w in parts if _holds(w, unknown))
    rest = tuple((c, w) for c, w in parts if not _holds(w, unknown))
    return Words(unknown, held, rest) if held else None


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


def any_words(equation: Words) -> Iterator[Words]:
    """Σ Aⱼ X Bⱼ = C; which of these sums can be solved is seen when solving."""
    yield equation


def linear_root(equation: Words) -> Expr | None:
    """X, where it stands on one side of every word, or between the same two."""
    return _linear(equation.held, equation.rest, equation.unknown)


def _linear(held: Sequence[Word], rest: Sequence[Word], unknown: Expr) -> Expr | None:
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


@dataclass(frozen=True)
class Scattered:
    """c X⁻¹ + X⁻¹ M X⁻¹ = 0, X being a covariance; c X⁻¹ + M = 0, X being a precision."""

    count: Expr
    scatter: Expr
    is_precision: bool


def scattered(equation: Words) -> Iterator[Scattered]:
    """The equation of a covariance or of a precision, if it is one."""
    upside_down = Pow(equation.unknown, -1)
    count, scatter = S.Zero, S.Zero
    if not equation.unknown.is_symmetric_letter:
        return
    for coefficient, word in equation.held:
        if word == (upside_down,):
            count += coefficient
        elif word == (Pow(equation.unknown, -2),):
            scatter += coefficient
        elif _stands_between(upside_down, word) and not _holds(word[1:-1], equation.unknown):
            scatter += coefficient * word_of(word[1:-1])
        else:
            return
    if count != 0 and not is_matrix(count) and bool(equation.rest) == (scatter == 0):
        yield Scattered(count, _added(equation.rest) if equation.rest else scatter, bool(equation.rest))


def _stands_between(letter: Expr, word: Sequence[Expr]) -> bool:
    return len(word) >= 2 and word[0] == word[-1] == letter


def scatter_over_count(equation: Scattered) -> Expr:
    """X = -M/c of a covariance, X = -c M⁻¹ of a precision."""
    if equation.is_precision:
        return _over_matrix(equation.count, expand(-equation.scatter))
    return _over(-equation.scatter, equation.count)


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
