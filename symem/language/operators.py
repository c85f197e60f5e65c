"""Operators on matrix expressions that hold vectors or matrices over plates.

SymPy's own matrix expressions do the work, with two additions. A product with one row and one column is a
number, so that `(x[i] - mu[k]).T*Sigma[k].I*(x[i] - mu[k])/2 - log(det(Sigma[k]))` may be written as a book
prints it; and matrices that do not fit are refused with both shapes.
"""

from __future__ import annotations

from typing import Any

from sympy import (
    Basic,
    Expr,
    Identity,
    MatAdd,
    MatMul,
    MatPow,
    MatrixBase,
    MatrixExpr,
    S,
    SympifyError,
    ZeroMatrix,
    sympify,
)
from sympy.matrices.expressions import DiagMatrix, Inverse, Transpose
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.printing.precedence import PRECEDENCE

from symem.errors import ShapeError
from symem.language.where_vanishing import WhereVanishing


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


class OperatedMatrix(MatrixExpr):  # type: ignore[misc]
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


class _Sum(OperatedMatrix, MatAdd):  # type: ignore[misc]
    def _sympystr(self, printer: Any) -> str:
        first, *rest = (printer.doprint(dressed(part)) for part in self.args)
        return str(first) + "".join(f" - {part[1:]}" if part[0] == "-" else f" + {part}" for part in rest)


class _Product(OperatedMatrix, MatMul):  # type: ignore[misc]
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


class _Power(OperatedMatrix, MatPow):  # type: ignore[misc]
    pass


class _Transposed(OperatedMatrix, Transpose):  # type: ignore[misc]
    pass


class _Inverted(OperatedMatrix, Inverse):  # type: ignore[misc]
    def _sympystr(self, printer: Any) -> str:
        return f"{printer.parenthesize(dressed(self.arg), PRECEDENCE['Pow'])}**(-1)"


class _OnDiagonal(OperatedMatrix, DiagMatrix):  # type: ignore[misc]
    def _sympystr(self, printer: Any) -> str:
        return f"diag({printer.doprint(self.args[0])})"


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
    if made.shape == (1, 1) and not made.is_symbol:
        return OneByOne(made)
    own = _DRESS.get(type(made))
    return _of_kind(own, made) if own else made


def sized(value: Any, like: Any) -> Any:
    """What a matrix of the shape of `like` equals, a number being that multiple of the identity."""
    if not isinstance(like, MatrixExpr) or isinstance(value, MatrixExpr | WhereVanishing):
        return value
    rows, cols = like.shape
    return ZeroMatrix(rows, cols) if value == 0 else dressed(MatMul(value, Identity(rows)).doit())


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
