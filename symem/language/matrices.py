"""Vectors and matrices inside symem: letters that do not commute, their shapes, transposes and definiteness.

A matrix expression is a SymPy expression in non-commuting letters: `W*T(W) + s` is W Wᵀ + s I, for the identity
is the number 1, and `Pow(M, -1)` is an inverse. Numbers are made of matrices in `traces` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from sympy import (
    Add,
    Expr,
    Indexed,
    IndexedBase,
    Mul,
    Piecewise,
    Pow,
    S,
    Sum,
    Symbol,
    Tuple,
)
from sympy.core.symbol import Str

from symem.language.plates import index_symbol

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


class Unit(Expr):  # type: ignore[misc]
    """The vector that is 1 at a place and 0 elsewhere: args (place, size)."""

    is_commutative = False
    is_symmetric_letter = False

    @property
    def dimensions(self) -> Shape:
        return self.args[1], S.One

    @property
    def name(self) -> str:
        return "e"

    def _eval_derivative(self, _symbol: Expr) -> Expr:
        return S.Zero

    def _sympystr(self, printer: Any) -> str:
        return f"e[{printer.doprint(self.args[0])}]"


class T(Expr):  # type: ignore[misc]
    """The transpose of a letter; of anything else it moves inwards."""

    is_commutative = False

    def __new__(cls, matrix: Expr) -> Expr:
        if not isinstance(matrix, (MatrixEntry, Unit)) or matrix.is_symmetric_letter:
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


# -- shapes and transposes ---------------------------------------------------------------------------------


def is_matrix(expr: Expr) -> bool:
    """Whether an expression is one of matrices rather than of numbers."""
    return expr.is_commutative is False


def shape(expr: Expr) -> Shape:
    """(rows, columns) of a matrix expression; a multiple of the identity alone has none.

    Raises:
        ValueError: the expression is a number.
    """
    if hasattr(expr, "dimensions"):
        dimensions: Shape = expr.dimensions
        return dimensions
    if isinstance(expr, T):
        rows, cols = shape(expr.args[0])
        return cols, rows
    if isinstance(expr, (Diagonal, BlockInverse)):
        return expr.args[-1], expr.args[-1]
    if isinstance(expr, (Pow, Sum, Whole)):
        return shape(expr.args[0])
    told = (value for value, _ in expr.args) if isinstance(expr, Piecewise) else expr.args
    parts = [part for part in told if is_matrix(part)]
    if isinstance(expr, Mul) and parts:
        return shape(parts[0])[0], shape(parts[-1])[1]
    if isinstance(expr, (Add, Piecewise)) and parts:
        return shape(parts[0])
    raise ValueError(f"{expr} is a number, not a matrix")


def transpose(expr: Expr) -> Expr:
    """Mᵀ, moved inwards to the letters."""
    if not is_matrix(expr) or isinstance(expr, (Diagonal, BlockInverse)):
        return expr
    if isinstance(expr, T):
        return expr.args[0]
    if isinstance(expr, (MatrixEntry, Unit)):
        return expr if expr.is_symmetric_letter else T(expr)
    if isinstance(expr, Pow) and is_symmetric(expr.base):
        return expr
    if isinstance(expr, Mul):
        commuting, word = expr.args_cnc()
        return Mul(*commuting, *(transpose(each) for each in reversed(word)))
    if isinstance(expr, Add):
        return Add(*map(transpose, expr.args))
    if isinstance(expr, Piecewise):
        return Piecewise(*((transpose(value), condition) for value, condition in expr.args))
    return expr.func(transpose(expr.args[0]), *expr.args[1:])


def is_symmetric(expr: Expr) -> bool:
    """Whether a matrix expression is its own transpose by its form."""
    return bool(transpose(expr) == expr)


def letters(product: Expr) -> tuple[Expr, ...]:
    """The letters of a word from left to right, powers written out."""
    found: list[Expr] = []
    for each in Mul.make_args(product):
        if isinstance(each, Pow) and each.exp.is_Integer and is_matrix(each):
            found += [each.base if each.exp > 0 else Pow(each.base, -1)] * abs(int(each.exp))
        else:
            found.append(each)
    return tuple(found)


def word_of(sequence: Sequence[Expr]) -> Expr:
    return Mul(*sequence)


# -- definiteness  -----------------------------------------------------------------------------------


def is_square(sequence: tuple[Expr, ...]) -> bool:
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
    return len(sequence) > 1 and bool(Mul(*commuting).is_nonnegative) and is_square(sequence)
