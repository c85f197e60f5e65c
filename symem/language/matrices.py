"""Vectors and matrices inside symem: letters that do not commute, traces and log-determinants.

A matrix expression is a SymPy expression in non-commuting letters: `W*T(W) + s` is W Wᵀ + s I, for the identity
is the number 1, and `Pow(M, -1)` is an inverse. A scalar is made of matrices by `trace` and `log_det` alone. A
trace is expanded into words; a word is a cycle, cut wherever a bond has dimension one into bilinear forms
uᵀMv, each turned so that equal scalars look equal. (Magnus & Neudecker 2019, chapters 1 and 9.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Self

from sympy import (
    Add,
    Eq,
    Expr,
    Indexed,
    IndexedBase,
    Integer,
    Mul,
    Pow,
    S,
    Sum,
    Symbol,
    Tuple,
    expand,
    expand_log,
    log,
)
from sympy.core.symbol import Str

from symem.language.plates import Iverson, index_symbol, rebind

Shape = tuple[Expr, Expr]

#: The bound index of the entries of a diagonal or of a mask: no plate and no sum has it.
ENTRY = index_symbol("_a")
#: The index of a sum over the entries of a diagonal.
COORDINATE = index_symbol("a")


class MatrixArray(IndexedBase):  # type: ignore[misc]
    """An array of matrices over plates, `Sigma` in Sigma[k]; `kind` is "", "symmetric", "positive
    semidefinite" or "positive definite".
    """

    is_commutative = False

    def __new__(cls, label: Any, rows: Any, cols: Any, kind: Any = "") -> Self:
        name = label if isinstance(label, Symbol) else Symbol(str(label))
        made: Self = Expr.__new__(cls, name, S(rows), S(cols), Str(str(kind)))
        made._name = str(name)
        made._shape = None
        return made

    @property
    def label(self) -> Symbol:
        return self.args[0]

    @property
    def dimensions(self) -> Shape:
        return self.args[1], self.args[2]

    @property
    def kind(self) -> str:
        return str(self.args[3].name)

    @property
    def assumptions0(self) -> dict[str, bool]:
        return {"commutative": False}

    @property
    def free_symbols(self) -> set[Any]:
        return {self, self.label}

    def __getitem__(self, places: Any, **_options: Any) -> MatrixEntry:
        return MatrixEntry(self, *(places if isinstance(places, (tuple, Tuple)) else (places,)))

    def __call__(self) -> MatrixEntry:
        """The one matrix of an array over no plates."""
        return MatrixEntry(self)

    def _sympystr(self, _printer: Any) -> str:
        return str(self.label)


class MatrixEntry(Indexed):  # type: ignore[misc]
    """One matrix of an array: Sigma[k], or Sigma itself where there are no plates."""

    is_commutative = False

    def __new__(cls, base: MatrixArray, *places: Any) -> Self:
        made: Self = Expr.__new__(cls, base, *(S(place) for place in places))
        return made

    @property
    def dimensions(self) -> Shape:
        found: Shape = self.base.dimensions
        return found

    @property
    def is_symmetric_letter(self) -> bool:
        return bool(self.base.kind != "")

    @property
    def name(self) -> str:
        return str(self)

    @property
    def free_symbols(self) -> set[Any]:
        inner = {symbol for place in self.indices for symbol in place.free_symbols}
        return {self, *self.base.free_symbols, *inner}

    def _eval_derivative(self, _symbol: Expr) -> Expr:
        return S.Zero

    def _sympystr(self, printer: Any) -> str:
        places = ", ".join(printer.doprint(place) for place in self.indices)
        return f"{self.base.label}[{places}]" if places else str(self.base.label)


class T(Expr):  # type: ignore[misc]
    """The transpose of a letter; of anything else it moves inwards."""

    is_commutative = False

    def __new__(cls, matrix: Expr) -> Expr:
        if not isinstance(matrix, MatrixEntry) or matrix.is_symmetric_letter:
            return transpose(matrix)
        made: Expr = Expr.__new__(cls, matrix)
        return made

    def _eval_derivative(self, _symbol: Expr) -> Expr:
        return S.Zero

    def _sympystr(self, printer: Any) -> str:
        return f"{printer.doprint(self.args[0])}'"


class Diagonal(Expr):  # type: ignore[misc]
    """diag(f(0), …, f(size - 1)): args (f in the bound index `ENTRY`, size)."""

    is_commutative = False

    def __new__(cls, entry: Any, size: Any) -> Expr:
        if not S(entry).has(ENTRY):
            return S(entry)
        made: Expr = Expr.__new__(cls, S(entry), S(size))
        return made

    @property
    def free_symbols(self) -> set[Any]:
        return set(self.args[0].free_symbols - {ENTRY})

    @property
    def bound_symbols(self) -> list[Any]:
        return [ENTRY]

    def _eval_power(self, exponent: Expr) -> Expr | None:
        entry, size = self.args
        return Diagonal(entry**exponent, size) if exponent.is_Integer else None

    def at(self, place: Any) -> Expr:
        """The entry in row and column `place`."""
        return self.args[0].xreplace({ENTRY: S(place)})

    def _sympystr(self, printer: Any) -> str:
        return f"diag({printer.doprint(self.args[0])})"


class Whole(Expr):  # type: ignore[misc]
    """A product that stays whole, as XᵀX in (XᵀX)⁻¹: its letters are not square, so that the inverse has no parts.

    SymPy would take the inverse of a product apart; `inverse` makes this of one that has none.
    """

    is_commutative = False

    def __new__(cls, product: Expr) -> Expr:
        if not isinstance(product, Mul) or not is_matrix(product):
            return product
        commuting, word = product.args_cnc()
        made: Expr = Expr.__new__(cls, word_of(word))
        return Mul(*commuting) * made

    def _sympystr(self, printer: Any) -> str:
        return f"({printer.doprint(self.args[0])})"


class BlockInverse(Expr):  # type: ignore[misc]
    """The inverse of the block of a symmetric matrix where a mask is 0, in its place among zeros.

    Args (matrix, mask in the bound index `ENTRY`, size): with S the rows of the identity where the mask is 0 it is
    Sᵀ (S M Sᵀ)⁻¹ S. It is the covariance of the unseen entries of a Gaussian with precision M, given the seen.
    """

    is_commutative = False

    @property
    def free_symbols(self) -> set[Any]:
        matrix, mask, _size = self.args
        return set((matrix.free_symbols | mask.free_symbols) - {ENTRY})

    @property
    def bound_symbols(self) -> list[Any]:
        return [ENTRY]


class _Scalar(Expr):  # type: ignore[misc]
    """A number made of matrices; SymPy's rewriting is to leave its inside alone, as it does a function's."""

    is_Function = True
    is_commutative = True
    is_real = True
    is_extended_real = True


class Tr(_Scalar):
    """The trace of a word, or the bilinear form uᵀMv if the word begins with a row. `trace` forms it."""

    def __new__(cls, word: Expr) -> Expr:
        made: Expr = Expr.__new__(cls, word) if word != 0 else S.Zero
        return made

    @property
    def word(self) -> tuple[Expr, ...]:
        return letters(self.args[0])

    @property
    def is_form(self) -> bool:
        return bool(shape(self.word[0])[0] == 1)

    def _eval_is_extended_nonnegative(self) -> bool | None:
        return True if _is_square(self.word) else None

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


# -- shapes and transposes ---------------------------------------------------------------------------------


def is_matrix(expr: Expr) -> bool:
    """Whether an expression is one of matrices rather than of numbers."""
    return expr.is_commutative is False


def shape(expr: Expr) -> Shape:
    """(rows, columns) of a matrix expression; a multiple of the identity alone has none.

    Raises:
        ValueError: the expression is a number.
    """
    if isinstance(expr, (MatrixEntry, MatrixArray)):
        return expr.dimensions
    if isinstance(expr, T):
        rows, cols = shape(expr.args[0])
        return cols, rows
    if isinstance(expr, (Diagonal, BlockInverse)):
        return expr.args[-1], expr.args[-1]
    if isinstance(expr, (Pow, Sum, Whole)):
        return shape(expr.args[0])
    parts = [part for part in expr.args if is_matrix(part)]
    if isinstance(expr, Mul) and parts:
        return shape(parts[0])[0], shape(parts[-1])[1]
    if isinstance(expr, Add) and parts:
        return shape(parts[0])
    raise ValueError(f"{expr} is a number, not a matrix")


def transpose(expr: Expr) -> Expr:
    """Mᵀ, moved inwards to the letters."""
    if not is_matrix(expr) or isinstance(expr, (Diagonal, BlockInverse)):
        return expr
    if isinstance(expr, T):
        return expr.args[0]
    if isinstance(expr, MatrixEntry):
        return expr if expr.is_symmetric_letter else T(expr)
    if isinstance(expr, Pow) and is_symmetric(expr.base):
        return expr
    if isinstance(expr, Mul):
        commuting, word = expr.args_cnc()
        return Mul(*commuting, *(transpose(each) for each in reversed(word)))
    if isinstance(expr, Add):
        return Add(*map(transpose, expr.args))
    return expr.func(transpose(expr.args[0]), *expr.args[1:])


def is_symmetric(expr: Expr) -> bool:
    """Whether a matrix expression is its own transpose by its form."""
    return bool(transpose(expr) == expr)


def letters(product: Expr) -> tuple[Expr, ...]:
    """The letters of a word from left to right, powers written out."""
    found: list[Expr] = []
    for each in Mul.make_args(product):
        if isinstance(each, Pow) and each.exp.is_Integer and each.exp > 1:
            found += [each.base] * int(each.exp)
        else:
            found.append(each)
    return tuple(found)


def word_of(sequence: Sequence[Expr]) -> Expr:
    return Mul(*sequence)


def words(expr: Expr) -> tuple[tuple[Expr, Expr], ...]:
    """A matrix expression multiplied out: (coefficient, word); forms inside a word are numbers."""
    found = []
    for part in Add.make_args(expand(expr)):
        commuting, word = part.args_cnc()
        numbers, rest = _without_forms(_cancelled(letters(word_of(word))))
        found.append((Mul(*commuting, *numbers), word_of(rest)))
    return tuple(found)


def _cancelled(sequence: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """(XᵀX)⁻¹ XᵀX = I."""
    for place, letter in enumerate(sequence):
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


# -- scalars of matrices -----------------------------------------------------------------------------------


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


def _is_square(sequence: tuple[Expr, ...]) -> bool:
    """Whether a word reads vᵀAᵀ P A v with P positive definite or nothing."""
    if sequence != tuple(transpose(each) for each in reversed(sequence)):
        return False
    middle = sequence[len(sequence) // 2] if len(sequence) % 2 else None
    return middle is None or is_positive_semidefinite(middle)


def is_positive_definite(expr: Expr) -> bool:
    """Whether a matrix expression is positive definite by its form."""
    if not is_matrix(expr):
        return bool(expr.is_positive)
    if isinstance(expr, MatrixEntry):
        return bool(expr.base.kind == "positive definite")
    if isinstance(expr, Diagonal):
        return bool(expr.args[0].is_positive)
    if isinstance(expr, Pow):
        return is_positive_definite(expr.base)
    if isinstance(expr, Add):
        return any(map(is_positive_definite, expr.args)) and all(map(is_positive_semidefinite, expr.args))
    return False


def is_positive_semidefinite(expr: Expr) -> bool:
    """Whether a matrix expression is positive semidefinite by its form: c AᵀPA with c ≥ 0, sums of such."""
    if is_positive_definite(expr) or isinstance(expr, MatrixEntry):
        return is_positive_definite(expr) or expr.base.kind == "positive semidefinite"
    if not is_matrix(expr):
        return bool(expr.is_nonnegative)
    if isinstance(expr, Add):
        return all(map(is_positive_semidefinite, expr.args))
    if isinstance(expr, (Sum, Whole)):
        return is_positive_semidefinite(expr.args[0])
    commuting, word = expr.args_cnc()
    sequence = letters(word_of(word))
    return len(sequence) > 1 and bool(Mul(*commuting).is_nonnegative) and _is_square(sequence)


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
    return Element(word, row, column)


# -- differentials -----------------------------------------------------------------------------------------


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
