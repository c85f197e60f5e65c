"""What users write for vectors and matrices over plates: `x[i]`, a d × 1 matrix expression, and `Sigma[k]`.

Beside them stand the leaves that a derivation brings in: a sum of matrices over plates, and the part of a matrix
where entries of a vector were not seen.
"""

from __future__ import annotations

from typing import Any, Self

from sympy import Basic, Expr, Indexed, MatrixExpr, S, Symbol, Tuple
from sympy.core.symbol import Str
from sympy.matrices.expressions import DiagMatrix, Transpose
from sympy.matrices.expressions.matexpr import MatrixElement

from symem.errors import PlateError, ShapeError
from symem.language.operators import OperatedMatrix, as_basic, dressed


class IndexedMatrix(Basic):  # type: ignore[misc]
    """An array of matrices over plates: `IndexedMatrix("Sigma", d, d)[k]` is a d × d matrix expression.

    Parameters
    ----------
    name : Any
        its name.
    rows : Any
        a positive whole number, or a symbol for one: a size.
    cols : Any
        the same.

    Raises
    ------
    ShapeError
        a dimension is something else.
    PlateError
        on indexing with what is no index; a single matrix is a `MatrixSymbol`.
    """

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
    """An array of vectors over plates: `IndexedVector("x", d)[i]` is a d × 1 matrix expression.

    Parameters
    ----------
    name : str
        its name.
    size : int or Symbol
        the number of entries: a positive whole number, or a symbol for one.

    Returns
    -------
    IndexedMatrix
        with one column.

    Raises
    ------
    ShapeError
        the size is something else.
    PlateError
        on indexing with what is no index; a single vector is `MatrixSymbol("b", d, 1)`.
    """
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


class IndexedMatrixEntry(OperatedMatrix):
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
        found: IndexedMatrix = self.args[0]
        return found

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


class MatrixSum(OperatedMatrix):
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
        return set(self.function.free_symbols - set(self.bound_symbols)) | ends

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


class UnitVector(OperatedMatrix):
    """The vector that is 1 at a place, which counts from 0, and 0 elsewhere: args (place, size)."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        return self.args[1], S.One

    def doit(self, **_hints: Any) -> Self:
        return self

    def _eval_transpose(self) -> None:
        return None

    def _sympystr(self, printer: Any) -> str:
        return f"e[{printer.doprint(self.args[0])}]"

    def _latex(self, printer: Any) -> str:
        return rf"\mathbf{{e}}_{{{printer.doprint(self.args[0])}}}"


class UnseenPart(OperatedMatrix):
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


def array_of(entry: Any) -> Any:
    """The array or the single matrix that an entry belongs to."""
    inner = entry.args[0] if isinstance(entry, MatrixElement) else entry
    return inner.base if isinstance(inner, (Indexed, IndexedMatrixEntry)) else inner


def name_of(symbol: Any) -> str:
    """The name of a symbol, of an array, or of the array that an entry belongs to."""
    array = array_of(symbol)
    label = getattr(array, "label", array)
    return label.name if isinstance(label, Symbol) else str(label)


def labels_in(expr: Any) -> set[Any]:
    """The symbols in an expression that stand for its arrays, no scalars."""
    return {entry.base.label for entry in expr.atoms(Indexed)}


def places_of(entry: Any) -> tuple[Any, ...]:
    """Where in its array an entry stands; of an entry of a vector the row is the last."""
    if isinstance(entry, MatrixElement):
        return (*places_of(entry.args[0]), entry.args[1])
    return tuple(entry.indices) if isinstance(entry, (Indexed, IndexedMatrixEntry)) else ()


def diag(*vector: Any) -> Any:
    """The diagonal matrix whose diagonal is a vector: `diag(psi)`, `diag(v[k])`.

    Parameters
    ----------
    *vector : matrix expression
        one d × 1 matrix expression.

    Returns
    -------
    matrix expression
        d × d.

    Raises
    ------
    ShapeError
        it is no vector.
    """
    entries = vector[0] if len(vector) == 1 else None
    if not isinstance(entries, MatrixExpr) or entries.shape[1] != 1:
        raise ShapeError(
            f"diag({', '.join(map(str, vector))}): diag takes a vector, such as diag(v[k]) with v = IndexedVector('v', d) or "
            f"diag(psi) with psi = MatrixSymbol('psi', d, 1)."
        )
    return dressed(DiagMatrix(entries))
