"""Numbers made of matrices: traces, bilinear forms, log-determinants, entries; and matrices multiplied out.

A trace is expanded into words; a word is a cycle, cut wherever a bond has dimension one into bilinear forms
uᵀMv, each turned so that equal scalars look equal. (Magnus & Neudecker 2019, chapters 1 and 9.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from sympy import (
    Add,
    Eq,
    Expr,
    Integer,
    Mul,
    Pow,
    S,
    Sum,
    expand,
    expand_log,
    log,
)

from symem.language.matrices import (
    COORDINATE,
    ENTRY,
    BlockInverse,
    Diagonal,
    Unit,
    Whole,
    is_matrix,
    is_positive_definite,
    is_square,
    letters,
    shape,
    transpose,
    word_of,
)
from symem.language.plates import Iverson, rebind


class _Scalar(Expr):  # type: ignore[misc]
    """A number made of matrices; SymPy's rewriting is to leave its inside alone, as it does a function's."""

    is_Function = True
    is_commutative = True
    is_real = True
    is_extended_real = True


class Tr(_Scalar):
    """The trace of a word, or the bilinear form uᵀMv if the word begins with a row. `trace` forms it."""

    def __new__(cls, word: Expr) -> Expr:
        numbers, word = word.args_cnc() if isinstance(word, Mul) else ([], [word])
        made: Expr = Expr.__new__(cls, Mul(*word)) if word != [0] else S.Zero
        return Mul(*numbers, made)

    @property
    def word(self) -> tuple[Expr, ...]:
        return letters(self.args[0])

    @property
    def is_form(self) -> bool:
        return bool(shape(self.word[0])[0] == 1)

    def _eval_is_extended_nonnegative(self) -> bool | None:
        return True if is_square(self.word) else None

    def _eval_is_nonnegative(self) -> bool | None:
        return self._eval_is_extended_nonnegative()

    def _eval_derivative(self, symbol: Expr) -> Expr:
        return slope(self.args[0], symbol, shape(self.args[0])[0])

    def _sympystr(self, printer: Any) -> str:
        inside = " ".join(_bracketed(printer.doprint(each), each) for each in self.word)
        return f"({inside})" if self.is_form else f"tr({inside})"


class LogDet(_Scalar):
    """log det M: args (M, size)."""

    def _eval_derivative(self, symbol: Expr) -> Expr:
        matrix, size = self.args
        return trace(Pow(matrix, -1) * differential(matrix, symbol), size)

    def _sympystr(self, printer: Any) -> str:
        return f"logdet({printer.doprint(self.args[0])})"


class BlockLogDet(_Scalar):
    """log det of the block of a symmetric matrix where a mask is 0: args as of `BlockInverse`."""

    free_symbols = BlockInverse.free_symbols
    bound_symbols = BlockInverse.bound_symbols


class Element(_Scalar):
    """The entry of a matrix expression in row a and column b: args (M, a, b). `element` forms it."""

    def _sympystr(self, printer: Any) -> str:
        matrix, row, column = self.args
        return f"({printer.doprint(matrix)})[{row}, {column}]"


def _bracketed(text: str, letter: Expr) -> str:
    return f"({text})" if isinstance(letter, Add) else text


def words(expr: Expr) -> tuple[tuple[Expr, Expr], ...]:
    """A matrix expression multiplied out: (coefficient, word); forms inside a word are numbers."""
    found = []
    for part in Add.make_args(expand(expr)):
        commuting, word = part.args_cnc()
        numbers, rest = _without_forms(_cancelled(letters(word_of(word))))
        found.append((Mul(*commuting, *numbers), word_of(rest)))
    return tuple(found)


def _cancelled(sequence: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """(XᵀX)⁻¹ XᵀX = I, and the product of two diagonals is one."""
    for place, letter in enumerate(sequence):
        following = sequence[place + 1] if place + 1 < len(sequence) else None
        if isinstance(letter, Diagonal) and isinstance(following, Diagonal):
            both = Diagonal(letter.args[0] * following.args[0], letter.args[1])
            if both == 1 or is_matrix(both):
                own = () if both == 1 else (both,)
                return _cancelled((*sequence[:place], *own, *sequence[place + 2 :])) or (S.One,)
        if isinstance(letter, Pow) and letter.exp == -1 and isinstance(letter.base, Whole):
            inner = letters(letter.base.args[0])
            before, after = sequence[:place], sequence[place + 1 :]
            if after[: len(inner)] == inner:
                return _cancelled((*before, *after[len(inner) :])) or (S.One,)
            if before[-len(inner) :] == inner:
                return _cancelled((*before[: -len(inner)], *after)) or (S.One,)
    return sequence


def _without_forms(sequence: tuple[Expr, ...]) -> tuple[list[Expr], tuple[Expr, ...]]:
    """a (uᵀMv) bᵀ is the number uᵀMv times a bᵀ."""
    if len(sequence) < 3:
        return [], sequence
    cuts = [p + 1 for p, each in enumerate(sequence[:-1]) if shape(each)[1] == 1]
    inner = [sequence[a:b] for a, b in pairwise(cuts)]
    if not inner:
        return [], sequence
    return [_form(segment) for segment in inner], (*sequence[: cuts[0]], *sequence[cuts[-1] :])


def inverse(expr: Expr) -> Expr:
    """M⁻¹, the inverse of an inverse taken away; of a 1 × 1 matrix the number 1/m."""
    if is_matrix(expr) and shape(expr) == (1, 1):
        return 1 / trace(expr, 1)
    if isinstance(expr, Pow) and expr.exp == -1:
        return expr.base
    if is_matrix(expr) and isinstance(expr, Mul):
        commuting, word = expr.args_cnc()
        if all(shape(each)[0] == shape(each)[1] for each in letters(word_of(word))):
            return Mul(*(1 / c for c in commuting), *(inverse(each) for each in reversed(word)))
        return Mul(*(1 / c for c in commuting)) * Pow(Whole(word_of(word)), -1)
    return Pow(expr, -1)


def trace(expr: Expr, size: Any) -> Expr:
    """tr(expr) for a square expression of `size` rows, as a sum of products of forms and traces."""
    return Add(*(coefficient * _trace_of_word(word, S(size)) for coefficient, word in words(expr)))


@cache
def _trace_of_word(word: Expr, size: Expr) -> Expr:
    sequence = letters(word)
    if sequence == (S.One,):
        return size
    place = next((p for p, each in enumerate(sequence) if isinstance(each, Sum)), None)
    if place is not None:
        others = (*sequence[:place], *sequence[place + 1 :])
        around = {symbol for each in others for symbol in each.free_symbols}
        inner = rebind(sequence[place], around)
        body = word_of((*sequence[:place], inner.function, *sequence[place + 1 :]))
        return Sum(trace(body, size), *inner.limits)
    cuts = [p for p, each in enumerate(sequence) if shape(each)[1] == 1]
    if not cuts:
        return Tr(word_of(_turned(sequence)))
    turned = sequence[cuts[0] + 1 :] + sequence[: cuts[0] + 1]
    forms, segment = [], []
    for each in turned:
        segment.append(each)
        if shape(each)[1] == 1:
            forms.append(_form(tuple(segment)))
            segment = []
    return Mul(*forms)


def _form(segment: tuple[Expr, ...]) -> Expr:
    backwards = tuple(transpose(each) for each in reversed(segment))
    chosen = min(segment, backwards, key=_key)
    return Tr(word_of(chosen))


def _turned(sequence: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The least of all rotations of a cycle and of its transpose."""
    backwards = tuple(transpose(each) for each in reversed(sequence))
    turns = [
        cycle[place:] + cycle[:place] for cycle in (sequence, backwards) for place in range(len(sequence))
    ]
    return min(turns, key=_key)


def _key(sequence: Sequence[Expr]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names before places, so that a turn does not depend on what indices are called."""
    shown = tuple(map(_shown, sequence))
    return tuple(plain for plain, _whole in shown), tuple(whole for _plain, whole in shown)


@cache
def _shown(letter: Expr) -> tuple[str, str]:
    whole = str(letter)
    return _without_places(whole), whole


def _without_places(text: str) -> str:
    while (shorter := re.sub(r"\[[^\[\]]*\]", "", text)) != text:
        text = shorter
    return text


def log_det(expr: Expr, size: Any) -> Expr:
    """log det of a positive definite expression: numbers, diagonals and inverses are taken out."""
    if not is_matrix(expr):
        return S(size) * _log(expr)
    if isinstance(expr, Diagonal):
        return Sum(_log(expr.at(COORDINATE)), (COORDINATE, Integer(0), expr.args[1] - 1))
    if isinstance(expr, Pow) and expr.exp.is_Integer:
        return expr.exp * log_det(expr.base, size)
    commuting, word = expr.args_cnc()
    if commuting and commuting != [S.One]:
        return S(size) * _log(Mul(*commuting)) + log_det(word_of(word), size)
    if isinstance(expr, Mul) and all(map(is_positive_definite, letters(expr))):
        return Add(*(log_det(each, size) for each in letters(expr)))
    return LogDet(expr, S(size))


def _log(number: Expr) -> Expr:
    return expand_log(log(number), force=True)


def block_inverse(expr: Expr, mask: Expr, size: Any) -> Expr:
    """The inverse of the block where a mask is 0; of a diagonal matrix it is one."""
    entry = expr.args[0] if isinstance(expr, Diagonal) else expr
    if is_matrix(entry):
        return BlockInverse(expr, mask, S(size))
    return Diagonal((1 - mask) / entry, size)


def block_log_det(expr: Expr, mask: Expr, size: Any) -> Expr:
    """log det of the block where a mask is 0; of a diagonal matrix a sum."""
    entry = expr.args[0] if isinstance(expr, Diagonal) else expr
    if is_matrix(entry):
        return BlockLogDet(expr, mask, S(size))
    unseen = ((1 - mask) * _log(entry)).xreplace({ENTRY: COORDINATE})
    return Sum(unseen, (COORDINATE, Integer(0), S(size) - 1))


def element(expr: Expr, row: Any, column: Any) -> Expr:
    """The entry of a matrix expression, sums and numbers taken out."""
    return Add(*(coefficient * _element(word, S(row), S(column)) for coefficient, word in words(expr)))


def _element(word: Expr, row: Expr, column: Expr) -> Expr:
    if word == 1:
        return Iverson(Eq(row, column))
    if isinstance(word, Diagonal) and row == column:
        return word.at(row)
    if isinstance(word, Sum):
        return Sum(element(word.function, row, column), *word.limits)
    if row == column:
        sequence = letters(word)
        word = word_of(min(sequence, tuple(transpose(each) for each in reversed(sequence)), key=_key))
    return Element(word, row, column)


def entry_of(word: Sequence[Expr]) -> Element | None:
    """e_pᵀM e_q and e_pᵀv, or vᵀe_p, as the entries that they are; None of any other form."""
    turned = [transpose(each) for each in reversed(word)] if isinstance(word[-1], Unit) else list(word)
    if len(word) < 2 or not isinstance(transpose(turned[0]), Unit):
        return None
    row, *rest = turned
    column = rest.pop().args[0] if isinstance(rest[-1], Unit) and len(rest) > 1 else S.Zero
    return Element(word_of(rest), transpose(row).args[0], column)


def differential(expr: Expr, symbol: Expr) -> Expr:
    """∂M/∂s for a scalar symbol s: dM⁻¹ = -M⁻¹ dM M⁻¹."""
    if not expr.has(symbol):
        return S.Zero
    if isinstance(expr, Add):
        return Add(*(differential(each, symbol) for each in expr.args))
    if isinstance(expr, Mul):
        args = expr.args
        return Add(*(Mul(*args[:p], differential(a, symbol), *args[p + 1 :]) for p, a in enumerate(args)))
    if isinstance(expr, Pow) and is_matrix(expr.base) and expr.exp == -1:
        return -expr * differential(expr.base, symbol) * expr
    if isinstance(expr, Diagonal):
        entry, size = expr.args
        return Diagonal(entry.diff(symbol), size)
    if isinstance(expr, Sum) and is_matrix(expr):
        return Sum(differential(expr.function, symbol), *expr.limits)
    return expr.diff(symbol)


def slope(expr: Expr, symbol: Expr, size: Any) -> Expr:
    """∂ tr(M)/∂s."""
    return trace(differential(expr, symbol), size)
