"""Matrix expressions as expressions in their entries, so that one lowering serves numbers, vectors and matrices.

M[a, b] of a word is a sum over inner indices, a product at a time, in the order that costs least. What must be
computed as a whole (a Cholesky factor, an inverse, a log-determinant) becomes a definition of its own, made once
and read wherever the same matrix occurs; a positive definite matrix is factorised once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from sympy import Add, Eq, Expr, IndexedBase, Mul, Pow, S, Sum, Symbol, log, preorder_traversal

from symem.codegen.lowering.matrix_factors import (
    CholeskyEntry,
    CholeskyInverseEntry,
    InverseEntry,
    WhiteningEntry,
)
from symem.derivation import Definition
from symem.errors import NotDerivedError
from symem.language.leaves import name_of
from symem.language.matrices import (
    ENTRY,
    BlockInverse,
    Diagonal,
    MatrixArray,
    MatrixEntry,
    T,
    Whole,
    is_matrix,
    is_positive_definite,
    letters,
    shape,
    transpose,
    word_of,
)
from symem.language.plates import Axis, Iverson, LinearSolution, index_symbol
from symem.language.traces import BlockLogDet, Element, LogDet, Tr

#: The index of the patterns in which entries are missing.
PATTERN = index_symbol("pattern")


class Masked(BlockInverse):
    """The matrix with the rows and columns where a mask is 1 replaced by those of the identity: args as of it.

    Its inverse and its determinant are those of the block where the mask is 0.
    """


def place(size: Expr, number: int) -> Symbol:
    """The index of entries of that number among those that run over `size`: 1 for rows, 2 for columns."""
    return index_symbol(f"_{size}_{number}")


def is_entry(index: Symbol) -> bool:
    """Whether an index runs along the entries of vectors and matrices."""
    return bool(index.name.startswith("_"))


@dataclass
class Entries:
    """Rewrites matrix expressions in entries.

    Args:
        sizes: the size of every index in scope, extended as sums are entered.
        guess: a typical number for a size, by which products are ordered.
        name: a free name like the one wanted.
        data: names of arrays whose products are computed once.
        solving: whether an inverse beside other letters is a linear system rather than a matrix.
        made: the definitions that the rewritten expressions read, in an order in which they can be computed.
    """

    sizes: dict[Symbol, Expr]
    guess: Callable[[Expr], int]
    name: Callable[[str], str]
    data: frozenset[str] = frozenset()
    solving: bool = False
    made: list[Definition] = field(default_factory=list)
    known: dict[tuple[str, Expr], Expr] = field(default_factory=dict)
    opposite: dict[Expr, Expr] = field(default_factory=dict)
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
        first, last = self._halves(expr.word)
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

    def _halves(self, word: Sequence[Expr]) -> tuple[Sequence[Expr], Sequence[Expr]]:
        """A cycle cut into the two products of which it is the sum of all entries' products."""
        if len(word) == 1:
            return word, ()
        turns = [(*word[p:], *word[:p]) for p in range(len(word))]
        cuts = [(turn[:p], turn[p:]) for turn in turns for p in range(1, len(word))]
        return min(
            cuts,
            key=lambda cut: (
                self._cost(cut[0]) + self._cost(cut[1]) + self._joint(cut[0] + cut[1], len(cut[0]))
            ),
        )

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

    def block_inverse(self, expr: BlockInverse, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        matrix, mask, size = expr.args
        mask, back = self._by_pattern(matrix, mask)
        symbol = self._definition(
            "block_inverse", Masked(matrix, mask, size), self._block(matrix, mask, size)
        )
        return self._inverse_at(symbol, size, row, column).xreplace(back)

    def _block(self, matrix: Expr, mask: Expr, size: Expr) -> Callable[[Symbol, Symbol], Expr]:
        def value(row: Symbol, column: Symbol) -> Expr:
            hidden = [1 - mask.xreplace({ENTRY: each}) for each in (row, column)]
            inner = self.inverse(Masked(matrix, mask, size))
            return Mul(*hidden) * self._inverse_at(inner, size, row, column)

        return value

    def _block_log_det(self, expr: BlockLogDet) -> Expr:
        matrix, mask, size = expr.args
        mask, back = self._by_pattern(matrix, mask)
        return self.log_det(Masked(matrix, mask, size), size).xreplace(back)

    def _by_pattern(self, matrix: Expr, mask: Expr) -> tuple[Expr, dict[Symbol, Expr]]:
        """A mask of rows as one of the patterns that occur, and what leads from a pattern's index to a row's.

        Rows of one pattern share what is computed of it.
        """
        slots = tuple(getattr(mask, "indices", ()))
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
            return self._inverse_at(self.inverse(expr.base), shape(expr)[0], row, column)
        if expr.exp.is_Integer and expr.exp > 1:
            return self._chain(letters(expr), row, column, busy)
        raise NotDerivedError(f"{expr}: only whole powers of a matrix have entries here.")

    def product(self, expr: Mul, row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        commuting, word = expr.args_cnc()
        number = self.scalar(Mul(*commuting), busy)
        return number * self._chain(letters(word_of(word)), row, column, busy)

    # -- products, in the order that costs least ----------------------------------------------------------

    def _chain(self, word: Sequence[Expr], row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr:
        if len(word) == 1:
            return self.entry(word[0], row, column, busy)
        system = self._system(word, row, column, busy)
        if system is not None:
            return system
        left, right = self._split(word)
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

    def _split(self, word: Sequence[Expr]) -> tuple[Sequence[Expr], Sequence[Expr]]:
        place = min(
            range(1, len(word)),
            key=lambda p: (self._cost(word[:p]) + self._cost(word[p:]) + self._joint(word, p), p),
        )
        return word[:place], word[place:]

    def _cost(self, word: Sequence[Expr]) -> float:
        if len(word) == 1:
            return 0.0
        return min(
            self._cost(word[:p]) + self._cost(word[p:]) + self._joint(word, p) for p in range(1, len(word))
        )

    def _joint(self, word: Sequence[Expr], place: int) -> float:
        """How many multiplications the last product takes: for every plate, rows × inner × columns."""
        inner = shape(word[place])[0]
        diagonal = any(
            all(isinstance(each, Diagonal) for each in part) for part in (word[:place], word[place:])
        )
        plates = {index for each in word for index in _free_indices(each, self.sizes)}
        numbers = [shape(word[0])[0], shape(word[-1])[1], *(self.sizes[index] for index in plates)]
        numbers += [] if diagonal else [inner]
        letters_ = {name_of(symbol) for each in word for symbol in each.atoms(MatrixArray)}
        cost = 0.01 if letters_ <= self.data and not plates else 1.0
        for number in numbers:
            cost *= self.guess(number)
        return cost

    def _system(self, word: Sequence[Expr], row: Expr, column: Expr, busy: frozenset[Symbol]) -> Expr | None:
        """B M⁻¹ or M⁻¹ B as the solution of a linear system."""
        if not self.solving:
            return None
        for place, each in enumerate(word):
            if isinstance(each, Pow) and each.exp == -1:
                return self._solution(word, place, row, column, busy)
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

    # -- what is computed as a whole ----------------------------------------------------------------------

    def inverse(self, matrix: Expr) -> Expr:
        """A symbol for the inverse, over plates, row and column."""
        if is_positive_definite(matrix) or isinstance(matrix, Masked):
            return self._definition(
                "inverse", matrix, lambda a, b: CholeskyInverseEntry(a, b, self.cholesky(matrix))
            )
        return self._definition("inverse", matrix, lambda a, b: InverseEntry(a, b, self.entry(matrix, a, b)))

    def whitening(self, matrix: Expr) -> Expr:
        return self._definition("whitening", matrix, lambda a, b: WhiteningEntry(a, b, self.cholesky(matrix)))

    def inverse_as(self, matrix: Expr, letter: Expr, symbol: Expr) -> Expr:
        """The value of a definition that is the inverse of a matrix; from here on it is read wherever that occurs."""
        self.opposite[letter] = matrix
        kept, self.made = self.made, []
        self.inverse(matrix)
        *before, last = self.made
        self.made = [*kept, *before]
        self.known["inverse", matrix] = symbol
        return last.value.xreplace(dict(zip(last.symbol.indices[-2:], symbol.indices[-2:], strict=True)))

    def cholesky(self, matrix: Expr) -> Expr:
        return self._definition(
            "cholesky", matrix, lambda a, b: CholeskyEntry(a, b, self.entry(matrix, a, b))
        )

    def log_det(self, matrix: Expr, size: Expr) -> Expr:
        """Twice the sum of the logarithms of the Cholesky factor's diagonal."""
        if matrix in self.opposite:
            return -self.log_det(self.opposite[matrix], size)
        factor, row = self.cholesky(matrix), place(size, 1)
        diagonal = factor.xreplace({place(size, 2): row})
        plates = self._plates(matrix)
        return self._kept("log_det", matrix, plates, lambda: 2 * Sum(log(diagonal), Axis(row, size).limits))

    def _definition(self, kind: str, matrix: Expr, value: Callable[[Symbol, Symbol], Expr]) -> Expr:
        size = shape(matrix)[0]
        places = (place(size, 1), place(size, 2))
        self.sizes.update(dict.fromkeys(places, size))
        axes = (*self._plates(matrix), *(Axis(each, size) for each in places))
        return self._kept(kind, matrix, axes, lambda: value(*places))

    def _plates(self, matrix: Expr) -> tuple[Axis, ...]:
        return tuple(
            Axis(index, self.sizes[index]) for index in sorted(_free_indices(matrix, self.sizes), key=str)
        )

    def _kept(self, kind: str, matrix: Expr, axes: tuple[Axis, ...], value: Callable[[], Expr]) -> Expr:
        if (kind, matrix) not in self.known:
            found, name = value(), self.name(_described(kind, matrix))
            slots = tuple(axis.index for axis in axes)
            symbol = IndexedBase(name, real=True)[slots] if slots else Symbol(name, real=True)
            self.made.append(Definition(symbol, axes, found))
            self.known[kind, matrix] = symbol
        return self.known[kind, matrix]

    def forget(self, name: str) -> None:
        """What was made of an array that has changed is made anew."""
        self.known = {
            key: symbol
            for key, symbol in self.known.items()
            if name not in {str(s) for s in key[1].free_symbols}
        }

    def _inverse_at(self, symbol: Expr, size: Expr, row: Expr, column: Expr) -> Expr:
        first, second = sorted((row, column), key=str)
        return symbol.xreplace({place(size, 1): first, place(size, 2): second})

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


def _free_indices(expr: Expr, sizes: Mapping[Symbol, Expr]) -> set[Symbol]:
    return {symbol for symbol in expr.free_symbols if symbol in sizes}


def _described(kind: str, matrix: Expr) -> str:
    """Sigma_inverse for a letter; the kind alone for anything else."""
    return f"{name_of(matrix)}_{kind}" if isinstance(matrix, MatrixEntry) else kind


_READINGS: tuple[tuple[type, Callable[..., Expr]], ...] = (
    (Masked, Entries.masked),
    (BlockInverse, Entries.block_inverse),
    (MatrixEntry, Entries.letter),
    (T, Entries.transposed),
    (Whole, Entries.whole),
    (Diagonal, Entries.diagonal),
    (Pow, Entries.power),
    (Sum, Entries.sum),
    (Add, Entries.add),
    (Mul, Entries.product),
)
