"""Matrix expressions as expressions in their entries, so that one lowering serves numbers, vectors and matrices.

M[a, b] of a word is a sum over inner indices, a product at a time, in the order that costs least. What must be
computed as a whole (a Cholesky factor, an inverse, a log-determinant) becomes a definition of its own, made once
and read wherever the same matrix occurs; a positive definite matrix is factorised once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from sympy import Add, Eq, Expr, IndexedBase, Mul, Pow, S, Sum, Symbol, preorder_traversal

from symem.codegen.lowering.entry_places import PATTERN, place
from symem.codegen.lowering.product_order import ProductOrder
from symem.codegen.lowering.whole_matrices import Masked, Wholes
from symem.errors import NotDerivedError
from symem.language.leaves import name_of, places_of
from symem.language.matrices import (
    ENTRY,
    BlockInverse,
    Diagonal,
    MatrixEntry,
    T,
    Unit,
    Whole,
    is_matrix,
    is_positive_definite,
    letters,
    shape,
    transpose,
    word_of,
)
from symem.language.plates import Axis, Iverson, LinearSolution
from symem.language.traces import BlockLogDet, Element, LogDet, Tr


@dataclass
class Entries(Wholes):
    """Rewrites matrix expressions in entries.

    Args:
        order: in which products are computed.
        solving: whether an inverse beside other letters is a linear system rather than a matrix.
    """

    order: ProductOrder = field(kw_only=True)
    solving: bool = False
    patterns: dict[str, Expr] = field(default_factory=dict)

    # -- numbers ----------------------------------------------------------------------------------------

    def scalar(self, expr: Expr, busy: frozenset[Symbol] = frozenset()) -> Expr:
        """A number made of matrices, in entries."""
        if isinstance(expr, Tr):
            return self._trace(expr, busy)
        if isinstance(expr, LogDet):
            return self.log_det(expr.args[0], expr.args[1])
        if isinstance(expr, BlockLogDet):
            return self._block_log_det(expr)
        if isinstance(expr, Element):
            return self.entry(expr.args[0], expr.args[1], expr.args[2], busy)
        if isinstance(expr, Sum):
            self._enter(expr)
            return Sum(self.scalar(expr.function, busy | _bound(expr)), *expr.limits)
        if not expr.args or not any(is_matrix(part) for part in preorder_traversal(expr)):
            return expr
        return expr.func(*(self.scalar(part, busy) for part in expr.args))

    def _enter(self, expr: Sum) -> None:
        self.sizes.update({index: upper + 1 for index, _lower, upper in expr.limits})

    def _trace(self, expr: Tr, busy: frozenset[Symbol]) -> Expr:
        if self._is_distance(expr):
            return self._distance(expr, busy)
        if expr.is_form:
            return self.entry(expr.args[0], S.Zero, S.Zero, busy)
        first, last = self.order.halves(expr.word)
        sizes = shape(first[0])[0], shape(first[-1])[1]
        row = self._fresh(busy, sizes[0])
        if not last:
            return Sum(self._chain(first, row, row, busy | {row}), Axis(row, sizes[0]).limits)
        column = self._fresh(busy | {row}, sizes[1])
        inner = busy | {row, column}
        product = self._chain(first, row, column, inner) * self._chain(last, column, row, inner)
        return Sum(product, *(Axis(i, n).limits for i, n in zip((row, column), sizes, strict=True)))

    def _is_distance(self, expr: Expr) -> bool:
        """Whether a form reads (x - m)ᵀ P⁻¹ (x - m) with P positive definite."""
        word = expr.word
        if len(word) != 3 or not isinstance(word[2], Add) or not isinstance(word[1], Pow):
            return False
        return word[1].exp == -1 and is_positive_definite(word[1].base) and word[0] == transpose(word[2])

    def _distance(self, expr: Expr, busy: frozenset[Symbol]) -> Expr:
        """The squared length of the whitened difference, in which no large terms cancel."""
        matrix, residual = expr.word[1].base, expr.word[2]
        size = shape(matrix)[0]
        row = self._fresh(busy, size)
        column = self._fresh(busy | {row}, size)
        whitening = self.whitening(matrix).xreplace({place(size, 1): row, place(size, 2): column})
        inner = self.entry(residual, column, S.Zero, busy | {row, column})
        return Sum(Sum(whitening * inner, Axis(column, size).limits) ** 2, Axis(row, size).limits)

    # -- entries ----------------------------------------------------------------------------------------

    def entry(self, expr: Expr, row: Expr, column: Expr, busy: frozenset[Symbol] = frozenset()) -> Expr:
        """The entry of a matrix expression; a number stands for that multiple of the identity."""
        busy = busy | {each for each in (row, column) if isinstance(each, Symbol)}
        if not is_matrix(expr):
            return self.scalar(expr, busy) * _delta(row, column)
        for kind, reading in _READINGS:
            if isinstance(expr, kind):
                return reading(self, expr, row, column, busy)
        raise NotDerivedError(f"{expr} has no entries: {type(expr).__name__} is not in the table.")

    def letter(self, expr: MatrixEntry, row: Expr, column: Expr, _busy: frozenset[Symbol]) -> Expr:
        base = IndexedBase(name_of(expr), real=True)
        places = (row,) if expr.dimensions[1] == 1 else (row, column)
        if expr.is_symmetric_letter:
            places = tuple(sorted(places, key=str))
        return base[(*expr.indices, *places)]

    def transposed(self, expr: T, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        return self.entry(expr.args[0], column, row, busy)

    def whole(self, expr: Whole, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        return self.entry(expr.args[0], row, column, busy)

    def sum(self, expr: Sum, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        self._enter(expr)
        return Sum(self.entry(expr.function, row, column, busy | _bound(expr)), *expr.limits)

    def add(self, expr: Add, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        return Add(*(self.entry(part, row, column, busy) for part in expr.args))

    def diagonal(self, expr: Diagonal, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        return self.scalar(expr.at(row), busy) * _delta(row, column)

    def unit(self, expr: Unit, row: Expr, _column: Expr, _busy: frozenset[Symbol]) -> Expr:
        return _delta(row, expr.args[0])

    def block_inverse(self, expr: BlockInverse, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        matrix, mask, size = expr.args
        mask, back = self._by_pattern(matrix, mask)
        symbol = self.definition("block_inverse", Masked(matrix, mask, size), self._block(matrix, mask, size))
        return self.inverse_at(symbol, size, row, column).xreplace(back)

    def _block(self, matrix: Expr, mask: Expr, size: Expr) -> Callable[[Symbol, Symbol], Expr]:
        def value(row: Symbol, column: Symbol) -> Expr:
            hidden = [1 - mask.xreplace({ENTRY: each}) for each in (row, column)]
            inner = self.inverse(Masked(matrix, mask, size))
            return Mul(*hidden) * self.inverse_at(inner, size, row, column)

        return value

    def _block_log_det(self, expr: BlockLogDet) -> Expr:
        matrix, mask, size = expr.args
        mask, back = self._by_pattern(matrix, mask)
        return self.log_det(Masked(matrix, mask, size), size).xreplace(back)

    def _by_pattern(self, matrix: Expr, mask: Expr) -> tuple[Expr, dict[Symbol, Expr]]:
        """A mask of rows as one of the patterns that occur, and what leads from a pattern's index to a row's.

        Rows of one pattern share what is computed of it.
        """
        slots = places_of(mask)
        if len(slots) != 2 or slots[1] != ENTRY or slots[0] in matrix.free_symbols:
            return mask, {}
        name = name_of(mask).removeprefix("observed_")
        self.sizes[PATTERN] = Symbol(f"n_patterns_{name}", integer=True, positive=True)
        self.patterns[name] = self.sizes[slots[0]]
        which = IndexedBase(f"pattern_{name}", integer=True, nonnegative=True)[slots[0]]
        return IndexedBase(f"patterns_{name}", real=True)[PATTERN, ENTRY], {PATTERN: which}

    def masked(self, expr: Masked, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        matrix, mask, _size = expr.args
        hidden = [1 - mask.xreplace({ENTRY: place}) for place in (row, column)]
        seen = mask.xreplace({ENTRY: row}) * _delta(row, column)
        return Mul(*hidden) * self.entry(matrix, row, column, busy) + seen

    def power(self, expr: Pow, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        if expr.exp == -1 and expr.base in self.opposite:
            return self.entry(self.opposite[expr.base], row, column, busy)
        if expr.exp == -1:
            return self.inverse_at(self.inverse(expr.base), shape(expr)[0], row, column)
        if expr.exp.is_Integer and expr.exp > 1:
            return self._chain(letters(expr), row, column, busy)
        if expr.exp.is_Integer and expr.exp < -1:
            return self._chain((expr.func(expr.base, -1),) * -int(expr.exp), row, column, busy)
        raise NotDerivedError(f"{expr}: only whole powers of a matrix have entries here.")

    def product(self, expr: Mul, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        commuting, word = expr.args_cnc()
        number = self.scalar(Mul(*commuting), busy)
        return number * self._chain(letters(word_of(word)), row, column, busy)

    # -- products, in the order that costs least ----------------------------------------------------------

    def _chain(self, word: Sequence[Expr], row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        if len(word) == 1:
            return self.entry(word[0], row, column, busy)
        if isinstance(word[0], T) and isinstance(word[0].args[0], Unit):
            return self._chain(word[1:], word[0].args[0].args[0], column, busy)
        if isinstance(word[-1], Unit):
            return self._chain(word[:-1], row, word[-1].args[0], busy)
        system = self._system(word, row, column, busy)
        if system is not None:
            return system
        left, right = self.order.split(word)
        if all(isinstance(each, Diagonal) for each in left):
            return Mul(*(self.scalar(each.at(row), busy) for each in left)) * self._chain(
                right, row, column, busy
            )
        if all(isinstance(each, Diagonal) for each in right):
            return self._chain(left, row, column, busy) * Mul(
                *(self.scalar(each.at(column), busy) for each in right)
            )
        size = shape(right[0])[0]
        if size == 1:
            return self._chain(left, row, S.Zero, busy) * self._chain(right, S.Zero, column, busy)
        inner = self._fresh(busy, size)
        busy = busy | {inner}
        product = self._chain(left, row, inner, busy) * self._chain(right, inner, column, busy)
        return Sum(product, Axis(inner, size).limits)

    def _system(self, word: Sequence[Expr], row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr | None:
        """B M⁻¹ or M⁻¹ B as the solution of a linear system."""
        if not self.solving:
            return None
        for position, each in enumerate(word):
            if isinstance(each, Pow) and each.exp == -1:
                return self._solution(word, position, row, column, busy)
        return None

    def _solution(
        self, word: Sequence[Expr], place: int, row: Expr, column: Expr, busy: frozenset[Symbol]
    ) -> Expr | None:
        matrix, size = word[place].base, shape(word[place].base)[0]
        first, second, inner = self._fresh_all(busy, size, 3)
        held = busy | {first, second, inner}
        left, right = word[:place], word[place + 1 :]
        if right:
            vector = self._chain(right, first, column, held)
            solved = LinearSolution(
                inner, first, second, self.entry(matrix, first, second, held), vector, size
            )
            if not left:
                return solved.xreplace({inner: row})
            return Sum(self._chain(left, row, inner, held) * solved, Axis(inner, size).limits)
        vector = self._chain(left, row, first, held)
        return LinearSolution(column, first, second, self.entry(matrix, second, first, held), vector, size)

    def _fresh_all(self, busy: frozenset[Symbol], size: Expr, number: int) -> tuple[Symbol, ...]:
        """Inner indices that nothing around uses."""
        free = (index for k in count(3) if (index := place(size, k)) not in busy)
        found = tuple(next(free) for _ in range(number))
        self.sizes.update(dict.fromkeys(found, size))
        return found

    def _fresh(self, busy: frozenset[Symbol], size: Expr) -> Symbol:
        return self._fresh_all(busy, size, 1)[0]


def _bound(expr: Sum) -> frozenset[Symbol]:
    return frozenset(limit[0] for limit in expr.limits)


def _delta(row: Expr, column: Expr) -> Expr:
    return S.One if row == column else Iverson(Eq(row, column))


_READINGS: tuple[tuple[type, Callable[..., Expr]], ...] = (
    (Masked, Entries.masked),
    (BlockInverse, Entries.block_inverse),
    (MatrixEntry, Entries.letter),
    (Unit, Entries.unit),
    (T, Entries.transposed),
    (Whole, Entries.whole),
    (Diagonal, Entries.diagonal),
    (Pow, Entries.power),
    (Sum, Entries.sum),
    (Add, Entries.add),
    (Mul, Entries.product),
)
