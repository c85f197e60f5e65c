"""The cells that the probabilities of a Categorical or Multinomial run over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Add, Eq, Expr, Idx, Integer, Piecewise, S, Sum, Tuple, cancel, exp, log

from symem.errors import PlateError
from symem.language.plates import Iverson
from symem.language.ranges import free_indices, own_range
from symem.language.support import Support
from symem.language.supports import Labels, Simplex, UnitInterval

Requirement = tuple[Expr, Support]


@dataclass(frozen=True)
class Categories:
    """Cells along an index, or written one by one.

    Args:
        probabilities: one expression in the index, or one for each cell.
        index: the index, or None.
    """

    probabilities: tuple[Expr, ...]
    index: Idx | None

    @property
    def size(self) -> Expr:
        return own_range(self.index).size if self.index else Integer(len(self.probabilities))

    @property
    def support(self) -> Labels:
        origin = own_range(self.index).lower if self.index else S.Zero
        if not origin.is_Integer:
            raise PlateError(f"The range of {self.index} must start at a number, not at {origin}.")
        return Labels(self.size, int(origin))

    def log_probability(self, value: Expr) -> Expr:
        """log p(value), in the user's symbols."""
        if self.index:
            return log(self.probabilities[0].subs(self.index, value))
        return Add(*(Iverson(Eq(value, cell)) * log(p) for cell, p in enumerate(self.probabilities)))

    def requirements(self) -> Iterator[Requirement]:
        """An entry w[k] lies on a simplex; entries that sum to one by themselves lie in (0, 1), and so do cases without the index."""
        if self.index:
            for part in self._cases():
                if part.has(self.index):
                    yield part, Simplex()
                elif not part.is_number:
                    yield part, UnitInterval()
        elif told_sum(Add(*self.probabilities)) == 1:
            yield from ((entry, UnitInterval()) for entry in self.probabilities)
        else:
            yield Tuple(*self.probabilities), Simplex()

    def _cases(self) -> Iterator[Expr]:
        """What a cell may have, of which conditions choose one."""
        (whole,) = self.probabilities
        yield from (value for value, _ in whole.args) if isinstance(whole, Piecewise) else (whole,)


def told_sum(whole: Expr) -> Expr:
    """A sum written out; of fractions, as the chances of a softmax are, over one denominator."""
    found = whole.expand()
    return found if found.is_number or found.has(Sum) or not found.has(exp) else cancel(whole)


def categories(arguments: tuple[Expr, ...], own: tuple[Idx, ...], owner: str) -> Categories:
    """Read the probabilities of a Categorical or Multinomial.

    Raises:
        PlateError: a single probability holds no index over the cells, or several.
    """
    if len(arguments) > 1:
        return Categories(arguments, None)
    free = free_indices(arguments[0], own)
    if len(free) != 1:
        raise PlateError(
            f"{owner}: the probabilities {arguments[0]} must hold exactly one index that runs over the categories, "
            f"such as w[k]; {len(free)} were found."
        )
    return Categories(arguments, free[0])
