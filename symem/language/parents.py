"""Trees and forests: of each place its parent, by an array that is known; the brackets that tell roots from the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sympy import Eq, Expr, Ge, Gt, Indexed, Le, Lt, Ne, S
from sympy.core.relational import Relational

from symem.language.support import Ends, Shape, Tex
from symem.language.supports import Labels


@dataclass(frozen=True)
class Parents(Labels):
    """Of each place of a plate its parent, another place of it; the number before the first place says that it is a root.

    Parameters
    ----------
    size : int or Symbol
        how many places there are.
    origin : int
        the first place of the declared index: roots have `origin - 1`.
    """

    assumptions: ClassVar[dict[str, bool]] = {"integer": True}
    kind: ClassVar[str] = "parent"

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (S.NegativeOne, self.size - 1)

    def __str__(self) -> str:
        return f"Parents({self.size})"

    def in_latex(self, tex: Tex) -> str:
        return r"\{0, 1, \dots, " + tex(self.size) + r"\}"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        """A random forest of one root or two, its places in any order."""
        (places,) = shape
        above = np.array([rng.integers(0, max(place, 1)) for place in range(places)])
        above[0] = above[places // 2 : places // 2 + rng.integers(0, 2)] = -1
        order = rng.permutation(places)
        found = np.empty(places, int)
        found[order] = np.where(above < 0, -1, order[above])
        return found


def has_parent(entry: Expr) -> Any:
    """The condition that a place has one, of its entry parent[v], which counts from 0."""
    return Ge(entry, 0)


def says_of_parent(condition: Any) -> tuple[Expr, bool] | None:
    """(parent[v], whether there is one) of a condition that says that, in whatever form; of another, None."""
    if not isinstance(condition, Relational):
        return None
    left, right = condition.args
    kind = type(condition)
    if left.is_number:
        left, right, kind = right, left, _TURNED.get(kind, kind)
    offset, entry = left.as_coeff_Add()
    found = _SAID.get((kind, right - offset))
    return (entry, found) if isinstance(entry, Indexed) and found is not None else None


_TURNED = {Ge: Le, Le: Ge, Gt: Lt, Lt: Gt}
_SAID = {
    (Ge, S.Zero): True, (Gt, S.NegativeOne): True, (Ne, S.NegativeOne): True,
    (Lt, S.Zero): False, (Le, S.NegativeOne): False, (Eq, S.NegativeOne): False,
}  # fmt: skip
