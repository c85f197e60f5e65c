"""What a support is: a set, with all that is to be known of it.

That is its ends, what SymPy may take for granted, how it is printed, coordinates without constraints, a random
member, and what the emitted module is told of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sympy import And, Eq, Expr, Ge, Gt, Le, Lt, floor, oo

from symem.runtime.charts import Chart, IntervalChart

Shape = tuple[int, ...]
Ends = tuple[Any, Any]
Tex = Callable[[Any], str]


@dataclass(frozen=True)
class Support:
    """A set.

    Attributes:
        ends: infimum and supremum, where they are always the same.
        assumptions: what SymPy may take for granted of its members.
        open: whether its finite ends are left out.
        discrete: whether its members are whole numbers; `finite`: whether a posterior on it is a table.
        of_matrices: whether its members are square matrices.
        narrowness: of two sets that are asked of one symbol, the one where it is higher is meant.
        words: what it is in a sentence, if that needs saying.
        kind: what the emitted module checks of an array in it, a row of `symem.runtime.checks`.
        drawn: how the emitted module draws a latent in it where a fit begins, a case of `symem.runtime.draws`.
    """

    ends: ClassVar[tuple[Expr, Expr]] = (-oo, oo)
    assumptions: ClassVar[dict[str, bool]] = {"real": True}
    open: ClassVar[bool] = False
    discrete: ClassVar[bool] = False
    finite: ClassVar[bool] = False
    of_matrices: ClassVar[bool] = False
    narrowness: ClassVar[int] = 3
    words: ClassVar[str] = ""
    kind: ClassVar[str] = "real"
    drawn: ClassVar[str] = "real"

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        """Infimum and supremum."""
        return self.ends

    @property
    def first(self) -> int:
        """What the declared index of its members counts from."""
        return 0

    @property
    def number(self) -> Expr:
        """How many members it has."""
        return oo

    def condition(self, number: Expr, *, whole: bool = True) -> Any:
        """That a number is a member; `whole` says that it is known to be whole."""
        low, high = self.bounds
        if low == high:
            return Eq(number, low)
        above, below = (Gt, Lt) if self.open else (Ge, Le)
        return And(
            above(number, low) if low != -oo else True,
            below(number, high) if high != oo else True,
            Eq(number, floor(number)) if self.discrete and not whole else True,
        )

    def in_latex(self, tex: Tex) -> str:
        """The set as a formula; `tex` prints its ends."""
        low, high = self.bounds
        return f"{'(' if low == -oo else '['}{tex(low)}, {tex(high)}{')' if high == oo else ']'}"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        """Random members, an array of that shape; `ends` stand for bounds that data decide."""
        low, high = ends or map(float, self.bounds)
        if np.all(np.isfinite(low) & np.isfinite(high)):
            return low + (high - low) * rng.beta(4, 4, shape)
        away = rng.gamma(4.0, 0.5, shape)
        return np.select([np.isfinite(low), np.isfinite(high)], [low + away, high - away], 2 - away)

    def chart(self, values: np.ndarray) -> Chart:
        """Coordinates without constraints, around an array of members."""
        return IntervalChart(values, *self._numbers())

    def defect(self, values: np.ndarray) -> float:
        """How far an array of numbers is from the set."""
        low, high = self._numbers()
        return 0.0 if np.all(values >= low) and np.all(values <= high) else np.inf

    def _numbers(self) -> tuple[float, float]:
        low, high = (float(end) if end.is_number else np.nan for end in self.bounds)
        return low, high

    def admits(self, number: Expr) -> bool:
        """Whether a number lies in the closure of the set, an open end at a finite bound excluded for half-lines."""
        low, high = self.bounds
        inside = number.is_real is not False and number >= low and number <= high
        return bool(inside) and not (self.assumptions.get("positive") and number.is_zero and high == oo)

    def __str__(self) -> str:
        return type(self).__name__
