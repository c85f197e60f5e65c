"""What users write for vectors and matrices over plates: `x[i]`, a d × 1 matrix expression, and `Sigma[k]`.

SymPy's own matrix expressions do the rest, with two additions. A product with one row and one column is a
number, so that `(x[i] - mu[k]).T*Sigma[k].I*(x[i] - mu[k])/2 - log(det(Sigma[k]))` may be written as a book
prints it; and matrices that do not fit are refused with both shapes.
"""

from __future__ import annotations

from typing import Any, Self

from sympy import (
    Basic,
    Expr,
    Indexed,
    MatAdd,
    MatMul,
    MatPow,
    MatrixBase,
    MatrixExpr,
    MatrixSymbol,
    S,
    Symbol,
    Tuple,
    SympifyError,
    sympify,
)
from sympy.core.symbol import Str
from sympy.matrices.expressions import DiagMatrix, Inverse, Transpose
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.printing.precedence import PRECEDENCE

from symem.errors import PlateError, ShapeError


class IndexedMatrix(Basic):  # type: ignore[misc]
    """An array of matrices over plates: `IndexedMatrix("Sigma", d, d)[k]` is a d × d matrix expression."""

    def __new__(cls, name: Any, rows: Any, cols: Any) -> Self:
        label = name if isinstance(name, Str) else Str(str(name))
        made: Self = Basic.__new__(cls, label, _dimension(rows, label), _dimension(cols, label))
        return made

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return self.args[1], self.args[2]

    def __getitem__(self, places: Any) -> IndexedMatrixEntry:
        return IndexedMatrixEntry(self, *(places if isinstance(places, (tuple, Tuple)) else (places,)))

    def _sympystr(self, _printer: Any) -> str:
        return self.name

    def _latex(self, printer: Any) -> str:
        return str(printer.doprint(Symbol(self.name)))


def IndexedVector(name: Any, size: Any) -> IndexedMatrix:
    """An array of vectors over plates: `IndexedVector("x", d)[i]` is a d × 1 matrix expression."""
    return IndexedMatrix(name, size, 1)


def _dimension(stated: Any, owner: Str) -> Expr:
    read = as_basic(stated)
    if (
        not isinstance(read, Expr)
        or read.is_commutative is False
        or (read.is_number and not (read.is_Integer and read.is_positive))
    ):
        raise ShapeError(f"{owner}: a dimension is a symbol or a positive whole number, not {stated!r}.")
    return read


def as_basic(stated: Any) -> Any:
    """A SymPy object as it is, or as a number stands for one; text is never read, because reading it would run it."""
    try:
        return sympify(stated, strict=True)
    except SympifyError:
        return stated


class OneByOne(Expr):  # type: ignore[misc]
    """The number that a matrix expression with one row and one column is."""

    is_commutative = True
    is_real = True
    is_extended_real = True

    def __new__(cls, matrix: Any) -> Expr:
        if not isinstance(matrix, MatrixExpr):
            return as_basic(matrix)
        made: Expr = Expr.__new__(cls, matrix)
        return made

    @property
    def T(self) -> OneByOne:
        return self

    def _sympystr(self, printer: Any) -> str:
        return f"({printer.doprint(self.args[0])})"

    def _latex(self, printer: Any) -> str:
        return str(printer.parenthesize(self.args[0], 0))


class _Matrix(MatrixExpr):  # type: ignore[misc]
    """Operators that dress what SymPy makes of them."""

    _op_priority = 12.0
    #: What `sympy.stats` asks of a covariance: nothing is known by itself.
    is_positive_definite = None
    is_positive_semidefinite = None

    def __add__(self, other: Any) -> Any:
        return _sum(self, "+", other)

    def __radd__(self, other: Any) -> Any:
        return _sum(other, "+", self)

    def __sub__(self, other: Any) -> Any:
        return _sum(self, "-", other)

    def __rsub__(self, other: Any) -> Any:
        return _sum(other, "-", self)

    def __mul__(self, other: Any) -> Any:
        return _product(self, other)

    def __rmul__(self, other: Any) -> Any:
        return _product(other, self)

    __matmul__, __rmatmul__ = __mul__, __rmul__

    def __truediv__(self, other: Any) -> Any:
        return _product(self, 1 / as_basic(other))

    def __neg__(self) -> Any:
        return _product(S.NegativeOne, self)

    def __pow__(self, exponent: Any) -> Any:
        return _power(self, exponent)

    @property
    def T(self) -> Any:
        return dressed(Transpose(plain(self)).doit())

    def inv(self) -> Any:
        if self.shape[0] != self.shape[1]:
            raise ShapeError(f"{self} is {_size(self)}: only a square matrix has an inverse.")
        return dressed(Inverse(plain(self)).doit())

    I = property(inv)  # noqa: E741 - SymPy's name

    def _entry(self, row: Any, column: Any, **_options: Any) -> Expr:
        return MatrixElement(self, row, column)


class IndexedMatrixEntry(_Matrix):
    """One matrix of an array over plates."""

    is_symbol = True

    def __new__(cls, base: IndexedMatrix, *places: Any) -> Self:
        if not places:
            raise PlateError(f"{base}[] needs an index; for a single matrix write MatrixSymbol.")
        read = tuple(map(as_basic, places))
        if not all(isinstance(place, Expr) and place.is_commutative for place in read):
            raise PlateError(f"{base}{list(places)}: an index is an Idx, a label such as z[i], or a number.")
        made: Self = Basic.__new__(cls, base, *read)
        return made

    @property
    def base(self) -> IndexedMatrix:
        return self.args[0]

    @property
    def indices(self) -> tuple[Any, ...]:
        return tuple(self.args[1:])

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return self.base.shape

    @property
    def name(self) -> str:
        return str(self)

    def doit(self, **_hints: Any) -> Self:
        return self

    def _eval_transpose(self) -> None:
        return None

    def _sympystr(self, printer: Any) -> str:
        return f"{self.base.name}[{', '.join(printer.doprint(place) for place in self.indices)}]"

    def _latex(self, printer: Any) -> str:
        places = ",".join(printer.doprint(place) for place in self.indices)
        return f"{printer.doprint(self.base)}_{{{places}}}"


class _Sum(_Matrix, MatAdd):
    def _sympystr(self, printer: Any) -> str:
        first, *rest = (printer.doprint(dressed(part)) for part in self.args)
        return first + "".join(f" - {part[1:]}" if part[0] == "-" else f" + {part}" for part in rest)


class _Product(_Matrix, MatMul):
    def _sympystr(self, printer: Any) -> str:
        """Numbers in front, what divides at the end: S_1[k]/S_0[k]."""
        coefficient, matrices = self.as_coeff_matrices()
        above, below = coefficient.as_numer_denom()
        minus = "-" if above.could_extract_minus_sign() else ""
        factors = [] if above in (1, -1) else [-above if minus else above]
        shown = "*".join(
            printer.parenthesize(dressed(each), PRECEDENCE["Mul"]) for each in (*factors, *matrices)
        )
        return minus + shown + ("" if below == 1 else f"/{printer.parenthesize(below, PRECEDENCE['Pow'])}")


class _Power(_Matrix, MatPow):
    pass


class _Transposed(_Matrix, Transpose):
    pass


class _Inverted(_Matrix, Inverse):
    def _sympystr(self, printer: Any) -> str:
        return f"{printer.parenthesize(dressed(self.arg), PRECEDENCE['Pow'])}**(-1)"


class _OnDiagonal(_Matrix, DiagMatrix):
    def _sympystr(self, printer: Any) -> str:
        return f"diag({printer.doprint(self.args[0])})"


class MatrixSum(_Matrix):
    """A sum of matrices over plates: args (summand, (index, low, high), …)."""

    def __new__(cls, summand: Any, *limits: Any) -> Expr:
        made: Expr = Basic.__new__(cls, summand, *(Tuple(*limit) for limit in limits))
        return made

    @property
    def shape(self) -> tuple[Expr, Expr]:
        found: tuple[Expr, Expr] = self.args[0].shape
        return found

    @property
    def function(self) -> Expr:
        return self.args[0]

    @property
    def limits(self) -> tuple[Any, ...]:
        return tuple(self.args[1:])

    @property
    def bound_symbols(self) -> list[Any]:
        return [limit[0] for limit in self.limits]

    @property
    def free_symbols(self) -> set[Any]:
        ends = {symbol for limit in self.limits for end in limit[1:] for symbol in end.free_symbols}
        return (self.function.free_symbols - set(self.bound_symbols)) | ends

    def doit(self, **_hints: Any) -> Self:
        return self

    def _eval_transpose(self) -> Any:
        return self.func(Transpose(self.function).doit(), *self.limits)

    def _sympystr(self, printer: Any) -> str:
        limits = ", ".join(f"({', '.join(map(printer.doprint, limit))})" for limit in self.limits)
        return f"Sum({printer.doprint(self.function)}, {limits})"

    def _latex(self, printer: Any) -> str:
        signs = [
            rf"\sum_{{{printer.doprint(limit[0])}={printer.doprint(limit[1])}}}^{{{printer.doprint(limit[2])}}}"
            for limit in reversed(self.limits)
        ]
        return " ".join([*signs, printer.doprint(self.function)])


class UnseenPart(_Matrix):
    """The rows and columns of a symmetric matrix where a mask is 0: args (matrix, mask)."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        found: tuple[Expr, Expr] = self.args[0].shape
        return found

    def doit(self, **_hints: Any) -> Self:
        return self

    def _eval_transpose(self) -> Self:
        return self

    def _sympystr(self, printer: Any) -> str:
        matrix, mask = map(printer.doprint, self.args)
        return f"({matrix})[{mask} = 0]"


class UnseenInverse(UnseenPart):
    """The inverse of that part, in its place among zeros."""

    def _sympystr(self, printer: Any) -> str:
        return f"{super()._sympystr(printer)}**(-1)"


_DRESS: dict[type[MatrixExpr], type[MatrixExpr]] = {
    MatAdd: _Sum,
    MatMul: _Product,
    MatPow: _Power,
    Transpose: _Transposed,
    Inverse: _Inverted,
    DiagMatrix: _OnDiagonal,
}
_PLAIN = {own: usual for usual, own in _DRESS.items()}


def dressed(made: Any) -> Any:
    """A matrix expression on which the operators of this file act; a number if it is one by one."""
    if not isinstance(made, MatrixExpr):
        return made
    if made.shape == (1, 1) and not isinstance(made, (IndexedMatrixEntry, MatrixSymbol)):
        return OneByOne(made)
    own = _DRESS.get(type(made))
    return _of_kind(own, made) if own else made


def plain(stated: Any) -> Any:
    """The same in SymPy's own kinds of sums and products."""
    usual = _PLAIN.get(type(stated))
    return _of_kind(usual, stated) if usual else as_basic(stated)


def _of_kind(kind: type[MatrixExpr], made: MatrixExpr) -> MatrixExpr:
    return (
        DiagMatrix.__new__(kind, made.args[0])
        if issubclass(kind, DiagMatrix)
        else Basic.__new__(kind, *made.args)
    )


def _sum(left: Any, sign: str, right: Any) -> Any:
    left, right = plain(left), plain(right)
    if not all(isinstance(each, (Expr, MatrixBase)) for each in (left, right)):
        return NotImplemented
    if getattr(left, "shape", None) != getattr(right, "shape", None):
        raise ShapeError(
            f"{left} {sign} {right}: {_size(left)} and {_size(right)} do not add up; for a number in a matrix write "
            f"s*Identity(d), for the number that two vectors make u.T*v."
        )
    return dressed(MatAdd(left, -right if sign == "-" else right).doit())


def _product(left: Any, right: Any) -> Any:
    left, right = plain(left), plain(right)
    if not all(isinstance(each, (Expr, MatrixBase)) for each in (left, right)):
        return NotImplemented
    if all(isinstance(each, MatrixExpr) for each in (left, right)) and left.shape[1] != right.shape[0]:
        raise ShapeError(
            f"{left} * {right}: {_size(left)} times {_size(right)} is no product; transpose one with .T, or give "
            f"their common dimension one symbol."
        )
    return dressed(MatMul(left, right).doit())


def _power(base: Any, exponent: Any) -> Any:
    if base.shape[0] != base.shape[1]:
        raise ShapeError(f"{base} is {_size(base)}: only a square matrix has powers.")
    return dressed(MatPow(plain(base), exponent).doit())


def _size(stated: Any) -> str:
    if not isinstance(stated, MatrixExpr):
        return "a number"
    rows, cols = stated.shape
    return f"{rows} × {cols}"


def array_of(entry: Any) -> Any:
    """The array or the single matrix that an entry belongs to."""
    inner = entry.args[0] if isinstance(entry, MatrixElement) else entry
    return inner.base if isinstance(inner, (Indexed, IndexedMatrixEntry)) else inner


def places_of(entry: Any) -> tuple[Any, ...]:
    """Where in its array an entry stands; of an entry of a vector the row is the last."""
    if isinstance(entry, MatrixElement):
        return (*places_of(entry.args[0]), entry.args[1])
    return tuple(entry.indices) if isinstance(entry, (Indexed, IndexedMatrixEntry)) else ()


def diag(*vector: Any) -> Any:
    """The diagonal matrix whose diagonal is a vector: `diag(psi)`, `diag(v[k])`.

    Raises:
        ShapeError: it is no vector.
    """
    entries = vector[0] if len(vector) == 1 else None
    if not isinstance(entries, MatrixExpr) or entries.shape[1] != 1:
        raise ShapeError(
            f"diag({', '.join(map(str, vector))}): diag takes a vector, such as diag(v[k]) with v = IndexedVector('v', d) or "
            f"diag(psi) with psi = MatrixSymbol('psi', d, 1)."
        )
    return dressed(DiagMatrix(entries))


__all__ = [
    "IndexedMatrix",
    "IndexedMatrixEntry",
    "IndexedVector",
    "MatrixSum",
    "OneByOne",
    "array_of",
    "diag",
    "dressed",
    "places_of",
    "plain",
]
