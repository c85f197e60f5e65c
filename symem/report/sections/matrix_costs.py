"""What vectors and matrices cost: operations counted by their shapes, a diagonal as the vector that it is.

A product of an r × m and an m × c matrix takes 2 r m c operations, an inverse of d rows d³, a log-determinant d³/3
(Golub & Van Loan 2013, sections 1.1 and 4.2). A word is multiplied from the side where that is cheaper; of a trace
and of a single entry only what they need is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sympy import Add, Expr, Integer, Mul, Pow

from symem.language.matrices import (
    BlockInverse,
    Diagonal,
    MatrixArray,
    MatrixEntry,
    T,
    is_matrix,
    letters,
    shape,
)
from symem.language.traces import BlockLogDet, Element, LogDet, Tr

Count = Callable[[Expr], Expr]
ONE = Integer(1)


def extent(expr: Expr) -> Expr:
    """How many numbers an expression has; a multiple of the identity is one number."""
    try:
        rows, columns = shape(expr)
    except ValueError:
        return ONE
    return rows if isinstance(expr, Diagonal) else rows * columns


def like(expr: Expr, name: str) -> Expr:
    """A letter of the same shape."""
    return MatrixArray(name, *shape(expr))()


def of_matrices(expr: Expr, count: Count) -> Expr | None:
    """The operations of an expression with matrices in it; nothing if it is one of numbers alone."""
    kind = next((kind for kind in RULES if isinstance(expr, kind)), None)
    if kind is None or (kind in (Add, Mul, Pow) and not is_matrix(expr)):
        return None
    return RULES[kind](expr, count)


def _sum(expr: Expr, count: Count) -> Expr:
    return (len(expr.args) - 1) * extent(expr) + Add(*map(count, expr.args))


def _product(expr: Expr, count: Count) -> Expr:
    commuting, word = expr.args_cnc()
    scaled = len(commuting) - 1 + extent(expr) if commuting and commuting != [-ONE] else Integer(0)
    return scaled + Add(*map(count, commuting)) + _word(letters(Mul(*word)), count)


def _word(word: Sequence[Expr], count: Count, *, single: bool = False) -> Expr:
    """The letters, and their products from the left or from the right; of a `single` entry one row and one column."""
    sizes = [shape(each) for each in word]
    rows = ONE if single else sizes[0][0]
    columns = ONE if single else sizes[-1][1]
    left = _from_the_left(list(word), [rows, *(each[1] for each in sizes[:-1]), columns])
    right = _from_the_left(word[::-1], [columns, *(each[0] for each in sizes[:0:-1]), rows])
    return Add(*map(count, word)) + (left if _degree(left) <= _degree(right) else right)


def _from_the_left(word: Sequence[Expr], ends: Sequence[Expr]) -> Expr:
    """The products of a word one after the other; `ends` are the rows of the first and the columns of each."""
    costs = []
    for place in range(1, len(word)):
        scales = isinstance(word[place], Diagonal) or (place == 1 and isinstance(word[0], Diagonal))
        outer = ends[0] * ends[place + 1]
        costs.append(outer if scales else 2 * outer * ends[place])
    return Add(*costs)


def _degree(cost: Expr) -> tuple[int, float]:
    """How fast a cost grows, and how much it is where all sizes are ten."""
    value = cost.xreplace(dict.fromkeys(cost.free_symbols, Integer(10)))
    return len(str(int(value))), float(value)


def _power(expr: Expr, count: Count) -> Expr:
    """A diagonal is inverted entry by entry; a matrix is factorised."""
    rest = count(expr.base)
    return rest + (extent(expr.base) if isinstance(expr.base, Diagonal) else factorising(expr))


def is_factorised(expr: Expr) -> bool:
    """Whether an expression takes a factorisation: an inverse or a determinant, of a matrix that is no diagonal."""
    if isinstance(expr, BlockInverse | BlockLogDet):
        return True
    inverted = isinstance(expr, LogDet) or (isinstance(expr, Pow) and is_matrix(expr))
    return inverted and not isinstance(expr.args[0], Diagonal)


def factorising(expr: Expr) -> Expr:
    """The operations of an inverse or a determinant itself, without those of its matrix."""
    if isinstance(expr, Pow):
        return shape(expr)[0] ** 3
    size = expr.args[-1]
    return size**3 if isinstance(expr, BlockInverse) else size**3 / 3


def _trace(expr: Expr, count: Count) -> Expr:
    """uᵀMv as a product; tr(AB) as the sum of the products of entries, all but the last product formed."""
    word = expr.word
    if expr.is_form:
        return _word(word, count)
    *before, last = word
    return count(last) + 2 * extent(last) + (_word(before, count) if before else 0)


def _determinant(expr: Expr, count: Count) -> Expr:
    matrix = expr.args[0]
    own = 2 * extent(matrix) if isinstance(matrix, Diagonal) else factorising(expr)
    return count(matrix) + own


def _entry(expr: Expr, count: Count) -> Expr:
    """One row and one column of what the entry is of."""
    return Add(*(_single(term, count) + 1 for term in Add.make_args(expr.args[0]))) - 1


def _single(term: Expr, count: Count) -> Expr:
    if not is_matrix(term):
        return count(term)
    commuting, word = term.args_cnc()
    alone = len(word) == 1
    return (
        Integer(len(commuting))
        + Add(*map(count, commuting))
        + (count(word[0]) if alone else _word(letters(Mul(*word)), count, single=True))
    )


def _diagonal(expr: Expr, count: Count) -> Expr:
    return expr.args[-1] * count(expr.args[0])


def _nothing(_expr: Expr, _count: Count) -> Expr:
    return Integer(0)


RULES: Mapping[type, Callable[[Expr, Count], Expr]] = {
    MatrixEntry: _nothing,
    T: lambda expr, count: count(expr.args[0]),
    Diagonal: _diagonal,
    BlockInverse: _determinant,
    BlockLogDet: _determinant,
    LogDet: _determinant,
    Tr: _trace,
    Element: _entry,
    Add: _sum,
    Mul: _product,
    Pow: _power,
}
