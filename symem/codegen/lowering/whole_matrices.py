"""What is computed of a matrix as a whole: its Cholesky factor, its inverse, its log-determinant.

Each is a definition of its own, made once and read wherever the same matrix occurs; a positive definite matrix is
factorised once for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sympy import Expr, IndexedBase, Sum, Symbol, log

from symem.codegen.lowering.entry_places import place
from symem.codegen.lowering.matrix_factors import (
    CholeskyEntry,
    CholeskyInverseEntry,
    InverseEntry,
    WhiteningEntry,
)
from symem.derivation import Definition
from symem.language.leaves import name_of
from symem.language.matrices import BlockInverse, MatrixEntry, is_positive_definite, shape
from symem.language.plates import Axis


class Masked(BlockInverse):
    """The matrix with the rows and columns where a mask is 1 replaced by those of the identity: args as of it.

    Its inverse and its determinant are those of the block where the mask is 0.
    """


@dataclass
class Wholes(ABC):
    """Makes these definitions.

    Args:
        sizes: the size of every index in scope, extended as sums are entered.
        name: a free name like the one wanted.
        made: the definitions that the rewritten expressions read, in an order in which they can be computed.
    """

    sizes: dict[Symbol, Expr]
    name: Callable[[str], str]
    made: list[Definition] = field(default_factory=list)
    known: dict[tuple[str, Expr], Expr] = field(default_factory=dict)
    opposite: dict[Expr, Expr] = field(default_factory=dict)

    @abstractmethod
    def entry(self, expr: Expr, row: Expr, column: Expr, busy: frozenset[Symbol] = frozenset()) -> Expr:
        """The entry of a matrix expression."""

    def inverse(self, matrix: Expr) -> Expr:
        """A symbol for the inverse, over plates, row and column."""
        if is_positive_definite(matrix) or isinstance(matrix, Masked):
            return self.definition(
                "inverse", matrix, lambda a, b: CholeskyInverseEntry(a, b, self.cholesky(matrix))
            )
        return self.definition("inverse", matrix, lambda a, b: InverseEntry(a, b, self.entry(matrix, a, b)))

    def whitening(self, matrix: Expr) -> Expr:
        return self.definition("whitening", matrix, lambda a, b: WhiteningEntry(a, b, self.cholesky(matrix)))

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
        return self.definition("cholesky", matrix, lambda a, b: CholeskyEntry(a, b, self.entry(matrix, a, b)))

    def log_det(self, matrix: Expr, size: Expr) -> Expr:
        """Twice the sum of the logarithms of the Cholesky factor's diagonal."""
        if matrix in self.opposite:
            return -self.log_det(self.opposite[matrix], size)
        factor, row = self.cholesky(matrix), place(size, 1)
        diagonal = factor.xreplace({place(size, 2): row})
        plates = self._plates(matrix)
        return self._kept("log_det", matrix, plates, lambda: 2 * Sum(log(diagonal), Axis(row, size).limits))

    def definition(self, kind: str, matrix: Expr, value: Callable[[Symbol, Symbol], Expr]) -> Expr:
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

    def inverse_at(self, symbol: Expr, size: Expr, row: Expr, column: Expr) -> Expr:
        first, second = sorted((row, column), key=str)
        return symbol.xreplace({place(size, 1): first, place(size, 2): second})


def _free_indices(expr: Expr, sizes: Mapping[Symbol, Expr]) -> set[Symbol]:
    return {symbol for symbol in expr.free_symbols if symbol in sizes}


def _described(kind: str, matrix: Expr) -> str:
    """Sigma_inverse for a letter; the kind alone for anything else."""
    return f"{name_of(matrix)}_{kind}" if isinstance(matrix, MatrixEntry) else kind
