"""The order in which a product of matrices costs least."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sympy import Expr, Symbol

from symem.language.leaves import name_of
from symem.language.matrices import Diagonal, MatrixArray, shape


@dataclass(frozen=True)
class ProductOrder:
    """Cuts words in two: `guess` is a typical number for a size, products of `data` alone are computed once."""

    sizes: Mapping[Symbol, Expr]
    guess: Callable[[Expr], int]
    data: frozenset[str]

    def halves(self, word: Sequence[Expr]) -> tuple[Sequence[Expr], Sequence[Expr]]:
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

    def split(self, word: Sequence[Expr]) -> tuple[Sequence[Expr], Sequence[Expr]]:
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
        plates = {index for each in word for index in each.free_symbols if index in self.sizes}
        numbers = [shape(word[0])[0], shape(word[-1])[1], *(self.sizes[index] for index in plates)]
        numbers += [] if diagonal else [inner]
        letters_ = {name_of(symbol) for each in word for symbol in each.atoms(MatrixArray)}
        cost = 0.01 if letters_ <= self.data and not plates else 1.0
        for number in numbers:
            cost *= self.guess(number)
        return cost
