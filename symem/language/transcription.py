"""A user's matrix expressions transcribed into letters that do not commute (`symem.language.matrices`).

Symbols and indices stay the user's; `reading` turns them inward afterwards. A product with one row and one column
becomes the number it is, and a vector inside diag(v) becomes an array of numbers: diag(v[k]) is
Diagonal(v[k, ENTRY], d).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import (
    Add,
    Basic,
    BlockMatrix,
    Determinant,
    Expr,
    Identity,
    Indexed,
    IndexedBase,
    MatAdd,
    MatMul,
    MatPow,
    MatrixBase,
    MatrixExpr,
    MatrixSymbol,
    Mul,
    Pow,
    S,
    Sum,
    Trace,
    Tuple,
    ZeroMatrix,
    exp,
)
from sympy.matrices.expressions import DiagMatrix, FunctionMatrix, Inverse, Transpose
from sympy.matrices.expressions.matexpr import MatrixElement

from symem.errors import ModelError, ShapeError
from symem.language.leaves import (
    IndexedMatrix,
    IndexedMatrixEntry,
    MatrixSum,
    UnitVector,
    UnseenInverse,
    UnseenPart,
    name_of,
)
from symem.language.matrices import (
    ENTRY,
    BlockInverse,
    Diagonal,
    MatrixArray,
    MatrixEntry,
    Unit,
    is_matrix,
    transpose,
)
from symem.language.operators import OneByOne
from symem.language.traces import BlockLogDet, Element, LogDet, element, inverse, trace


def transcribed(expr: Any) -> Any:
    """An expression with its matrices in letters; one without matrices as it is.

    Raises:
        ModelError: a matrix stands in it that has no letters, such as one of written-out entries.
        ShapeError: diag(…) holds no vector.
    """
    if isinstance(expr, (MatrixExpr, MatrixBase)):
        return _matrix(expr)
    if not isinstance(expr, Basic) or not _holds_matrices(expr):
        return expr
    rule = next((rule for kinds, rule in _SCALARS if isinstance(expr, kinds)), _parts)
    return rule(expr)


def number(expr: Any) -> Any:
    """The same, and a matrix of one row and one column as a number.

    Raises:
        ShapeError: it is a matrix with more rows or columns.
    """
    read = transcribed(expr)
    if not isinstance(expr, (MatrixExpr, MatrixBase)):
        return read
    if expr.shape != (1, 1):
        raise ShapeError(f"{expr} is {dimensions(expr.shape)}, but a number is needed here.")
    return trace(read, 1) if is_matrix(read) else read


def dimensions(shape: tuple[Any, Any]) -> str:
    """A shape in words: d × 1."""
    return f"{shape[0]} × {shape[1]}"


def _holds_matrices(expr: Basic) -> bool:
    return bool(expr.atoms(MatrixExpr, MatrixBase, MatrixElement, OneByOne, Trace, Determinant))


def _matrix(expr: Any) -> Expr:
    if isinstance(expr, MatrixBase):
        return _written_out(expr)
    rule = next((rule for kinds, rule in _MATRICES if isinstance(expr, kinds)), None)
    if isinstance(expr, BlockMatrix):
        raise ModelError(
            f"{expr} is a matrix of blocks, which is not read: declare it as one matrix, or write its rows as vectors of "
            f"their own, each with a distribution."
        )
    if rule is None:
        raise ModelError(
            f"{expr} ({type(expr).__name__}) is not read: write it with products, sums, .T, .I, diag(v) and "
            f"Identity(d), or give its value as a MatrixSymbol in known=."
        )
    found = rule(expr)
    whole = isinstance(expr, (MatAdd, MatMul, MatPow)) and expr.shape == (1, 1)
    return trace(found, 1) if whole and is_matrix(found) else found


def _written_out(matrix: Any) -> Expr:
    """Zeros, and multiples of the identity."""
    rows, cols = matrix.shape
    if not any(matrix):
        return S.Zero
    if rows == cols and matrix == matrix[0, 0] * type(matrix).eye(rows):
        return matrix[0, 0]
    raise ModelError(
        f"The matrix {matrix.tolist()} is written out: name it, MatrixSymbol('S', {rows}, {cols}), and give its entries "
        f"with the data, known=[S]."
    )


def _letter(expr: MatrixSymbol) -> Expr:
    return MatrixArray(expr.name, *expr.shape)()


def _entry(expr: IndexedMatrixEntry) -> Expr:
    return MatrixArray(expr.base.name, *expr.shape)[tuple(map(transcribed, expr.indices))]


def _power(expr: Any) -> Expr:
    base, exponent = transcribed(expr.args[0]), expr.args[1]
    if exponent == -1:
        return inverse(base)
    if is_matrix(base) and not exponent.is_Integer:
        raise ModelError(f"{expr}: a matrix has whole powers only.")
    return Pow(base, exponent)


def _diagonal(expr: DiagMatrix) -> Expr:
    return Diagonal(_on_diagonal(expr.args[0]), expr.shape[0])


def _on_diagonal(vector: Any) -> Expr:
    """The entries of a vector at the bound index `ENTRY`."""
    if isinstance(vector, MatrixSymbol):
        return IndexedBase(vector.name)[ENTRY]
    if isinstance(vector, IndexedMatrixEntry):
        return IndexedBase(vector.base.name)[(*map(transcribed, vector.indices), ENTRY)]
    if isinstance(vector, MatAdd):
        return Add(*map(_on_diagonal, vector.args))
    if isinstance(vector, ZeroMatrix):
        return S.Zero
    if isinstance(vector, FunctionMatrix):
        return transcribed(vector.lamda(ENTRY, S.Zero))
    if isinstance(vector, MatMul):
        coefficient, matrices = vector.as_coeff_matrices()
        if len(matrices) == 1:
            return transcribed(coefficient) * _on_diagonal(matrices[0])
    raise ModelError(
        f"diag({vector}): inside diag stands a vector of parameters or of data, v[k] or MatrixSymbol('v', d, 1)."
    )


def _matrix_sum(expr: Any) -> Expr:
    return Sum(transcribed(expr.function), *(map(tuple, expr.limits)))


def _number_sum(expr: Any) -> Expr:
    limits = [Tuple(limit[0], *map(transcribed, limit[1:])) for limit in expr.limits]
    inside = (
        number(expr.function)
        if getattr(expr.function, "shape", None) == (1, 1)
        else transcribed(expr.function)
    )
    return expr.func(inside, *limits)


def _parts(expr: Any) -> Any:
    return expr.func(*(number(each) for each in expr.args))


def _unseen(expr: Any) -> tuple[Expr, Expr, Expr]:
    """The matrix, the mask at `ENTRY` and the size of the part of a matrix where a mask is 0."""
    matrix, mask = expr.args
    return transcribed(matrix), _on_diagonal(mask), expr.shape[0]


def _determinant(expr: Any) -> Expr:
    if isinstance(expr.arg, UnseenPart):
        return exp(BlockLogDet(*_unseen(expr.arg)))
    return exp(LogDet(transcribed(expr.arg), expr.arg.shape[0]))


def _element(expr: MatrixElement) -> Expr:
    matrix, row, column = expr.args
    return element(transcribed(matrix), transcribed(row), transcribed(column))


Rule = tuple[Any, Callable[[Any], Any]]
_MATRICES: tuple[Rule, ...] = (
    (MatrixSymbol, _letter),
    (IndexedMatrixEntry, _entry),
    (MatAdd, lambda expr: Add(*map(transcribed, expr.args))),
    (MatMul, lambda expr: Mul(*map(transcribed, expr.args))),
    ((Inverse, MatPow), _power),
    (Transpose, lambda expr: transpose(transcribed(expr.arg))),
    (Identity, lambda _expr: S.One),
    (ZeroMatrix, lambda _expr: S.Zero),
    (DiagMatrix, _diagonal),
    (MatrixSum, _matrix_sum),
    (UnitVector, lambda expr: Unit(*map(transcribed, expr.args))),
    (UnseenInverse, lambda expr: BlockInverse(*_unseen(expr))),
)
_SCALARS: tuple[Rule, ...] = (
    (OneByOne, lambda expr: number(expr.args[0])),
    (Trace, lambda expr: trace(transcribed(expr.arg), expr.arg.shape[0])),
    (Determinant, _determinant),
    (MatrixElement, _element),
    (Sum, _number_sum),
)


def names_on_diagonals(expr: Any) -> set[str]:
    """The vectors that stand inside diag(…) in an expression in letters: arrays of numbers."""
    return {name_of(entry) for entry in expr.atoms(Indexed) if ENTRY in entry.indices}


def entries_on_diagonals(expr: Any, names: set[str]) -> Any:
    """An expression in letters, v[k][a, 0] of a vector that stands inside diag(…) read as v[k, a]."""
    if not names:
        return expr
    return expr.xreplace(
        {
            entry: entry_on_diagonal(entry)
            for entry in expr.atoms(Element)
            if isinstance(entry.args[0], MatrixEntry) and name_of(entry.args[0]) in names
        }
    )


def entry_on_diagonal(entry: Element) -> Expr:
    """v[k][a, 0] as the number v[k, a]."""
    vector, row, _column = entry.args
    return IndexedBase(name_of(vector))[(*vector.indices, row)]


def stated_array(name: str, shape: tuple[Any, Any], *, plated: bool) -> Any:
    """What a user writes for an array of matrices: an `IndexedMatrix`, or a `MatrixSymbol` where there are no plates."""
    return IndexedMatrix(name, *shape) if plated else MatrixSymbol(name, *shape)


__all__ = ["dimensions", "number", "stated_array", "transcribed"]
