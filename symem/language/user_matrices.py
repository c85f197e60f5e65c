"""Letters back in the user's matrix expressions: what `transcription` does, undone.

A number beside matrices is a multiple of the identity again; a form uᵀMv is the number that a product with one
row and one column is; a diagonal is diag(v), or diag of a vector that is given by its entries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import (
    Add,
    Determinant,
    Dummy,
    Expr,
    Identity,
    Indexed,
    Integer,
    Lambda,
    MatAdd,
    MatMul,
    MatPow,
    MatrixExpr,
    Mul,
    Pow,
    Trace,
    ZeroMatrix,
    log,
)
from sympy.matrices.expressions import DiagMatrix, FunctionMatrix, Inverse, Transpose
from sympy.matrices.expressions.matexpr import MatrixElement

from symem.language.leaves import UnitVector, UnseenInverse, UnseenPart, name_of
from symem.language.matrices import ENTRY, BlockInverse, Diagonal, T, Unit, Whole, is_matrix, letters, shape
from symem.language.operators import OneByOne, dressed, plain
from symem.language.traces import BlockLogDet, Element, LogDet, Tr, entry_of
from symem.language.transcription import stated_array
from symem.language.where_vanishing import WhereVanishing

Outward = Callable[[Any], Any]


def user_matrix(expr: Expr, outward: Outward) -> Any:
    """A matrix expression in letters as SymPy's; `outward` translates letters and numbers."""
    rule = next((rule for kinds, rule in _MATRICES if isinstance(expr, kinds)), None)
    return dressed(rule(expr, outward)) if rule else outward(expr)


def user_number(expr: Expr, outward: Outward) -> Any:
    """A trace, a form, a log-determinant or an entry."""
    rule = next(rule for kinds, rule in _NUMBERS if isinstance(expr, kinds))
    return rule(expr, outward)


def _inside(expr: Expr, outward: Outward) -> Any:
    """The plain matrix expression; a number as a multiple of the identity has no size here."""
    return plain(outward(expr))


def _sum(expr: Add, outward: Outward) -> Any:
    rows, cols = map(outward, shape(expr))
    parts = [_inside(part, outward) for part in expr.args]
    whole = [part if isinstance(part, MatrixExpr) else part * Identity(rows) for part in parts]
    return MatAdd(*whole).doit() if whole else ZeroMatrix(rows, cols)


def _product(expr: Mul, outward: Outward) -> Any:
    commuting, word = expr.args_cnc()
    size = outward(shape(expr)[0])
    factors = [_inside(each, outward) for each in word]
    matrices = [each if isinstance(each, MatrixExpr) else each * Identity(size) for each in factors]
    return MatMul(outward(Mul(*commuting)), *matrices).doit()


def _power(expr: Pow, outward: Outward) -> Any:
    base = _inside(expr.base, outward)
    return Inverse(base) if expr.exp == -1 else MatPow(base, expr.exp)


def _diagonal(expr: Diagonal, outward: Outward) -> Any:
    entry, size = expr.args
    if isinstance(entry, Indexed):
        return DiagMatrix(_vector(entry, outward(size), outward))
    if isinstance(entry, Pow) and isinstance(entry.base, Indexed) and entry.exp.is_Integer:
        inner = DiagMatrix(_vector(entry.base, outward(size), outward))
        return Inverse(inner) if entry.exp == -1 else MatPow(inner, entry.exp)
    entries = outward(entry.xreplace({ENTRY: (row := Dummy("a", integer=True, nonnegative=True))}))
    return DiagMatrix(FunctionMatrix(outward(size), 1, Lambda((row, Dummy("b")), entries)))


def _vector(entry: Indexed, size: Expr, outward: Outward) -> Any:
    """The vector of which `entry` holds the entries at the place `ENTRY`."""
    found = outward(entry)
    if isinstance(found, MatrixElement):
        return plain(found.args[0])
    places = tuple(map(outward, entry.indices[:-1]))
    array = stated_array(name_of(entry), (size, Integer(1)), plated=bool(places))
    return array[places] if places else array


def _block(expr: BlockInverse, outward: Outward) -> Any:
    matrix, mask, size = expr.args
    return UnseenInverse(_inside(matrix, outward), _vector(mask, outward(size), outward))


def _log_det(expr: LogDet, outward: Outward) -> Expr:
    return log(Determinant(_inside(expr.args[0], outward)))


def _block_log_det(expr: BlockLogDet, outward: Outward) -> Expr:
    matrix, mask, size = expr.args
    return log(Determinant(UnseenPart(_inside(matrix, outward), _vector(mask, outward(size), outward))))


def _trace(expr: Tr, outward: Outward) -> Expr:
    """A word into which a definition was put may be any expression, so its own shape decides."""
    (word,) = expr.args
    if not is_matrix(word):
        return outward(word)
    if shape(word)[0] == 1 and (entry := entry_of(letters(word))) is not None:
        return _element(entry, outward)
    inside = _inside(word, outward)
    return OneByOne(inside) if shape(word)[0] == 1 else Trace(inside)


def _element(expr: Element, outward: Outward) -> Expr:
    matrix, row, column = (_inside(each, outward) if is_matrix(each) else outward(each) for each in expr.args)
    return MatrixElement(matrix, row, column)


Rule = tuple[Any, Callable[[Any, Outward], Any]]
_MATRICES: tuple[Rule, ...] = (
    (Add, _sum),
    (Mul, _product),
    (Pow, _power),
    (T, lambda expr, outward: Transpose(_inside(expr.args[0], outward))),
    (Whole, lambda expr, outward: _inside(expr.args[0], outward)),
    (Diagonal, _diagonal),
    (Unit, lambda expr, outward: UnitVector(*map(outward, expr.args))),
    (BlockInverse, _block),
    (WhereVanishing, lambda expr, outward: expr.func(*(_inside(each, outward) for each in expr.args))),
)
_NUMBERS: tuple[Rule, ...] = (
    (Tr, _trace),
    (LogDet, _log_det),
    (BlockLogDet, _block_log_det),
    (Element, _element),
)

#: The kinds of numbers that matrices make.
NUMBERS_OF_MATRICES = tuple(kind for kind, _ in _NUMBERS)
