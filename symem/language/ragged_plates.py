"""Plates whose size is data and differs between the places of another: t = 0, …, T[j] - 1 of sequence j."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sympy import Expr, Indexed, Le

from symem.language.leaves import name_of
from symem.language.plates import Axis, Iverson
from symem.language.reading import Extent
from symem.language.supports import Labels
from symem.language.variables import Role, Variable


@dataclass(frozen=True)
class RaggedPlate:
    """The array of its sizes, the size of the sequences and the name of their index, the size of the longest, and that
    of each.
    """

    lengths: str
    sequences: Expr
    index: str
    largest: Expr
    length: Expr

    def holds(self, variable: Variable) -> bool:
        """Whether an array stands over sequences and their places."""
        return variable.sizes[:2] == (self.sequences, self.largest)

    def there(self, axes: tuple[Axis, ...]) -> Expr:
        """The bracket of the places that are there, of an array over these axes."""
        return Iverson(Le(axes[1].index, self.length.base[axes[0].index] - 1))

    def in_rows(self, wanted: Mapping[str, Variable]) -> dict[str, Variable]:
        """The arrays as they stand in a table in which every row is a place of a sequence."""
        return {
            name: replace(each, sizes=each.sizes[1:]) if self.holds(each) else each
            for name, each in wanted.items()
        }


def ragged_plates(variables: Mapping[str, Variable], extents: Iterable[Extent]) -> tuple[RaggedPlate, ...]:
    """Those of a model."""
    found = []
    for extent in extents:
        entry, axes = extent.value, extent.axes
        variable = variables.get(name_of(entry)) if isinstance(entry, Indexed) and len(axes) == 1 else None
        if (
            variable is None
            or variable.role not in (Role.DATA, Role.KNOWN)
            or isinstance(variable.support, Labels)
        ):
            continue
        if entry.indices == (axes[0].index,):
            found.append(RaggedPlate(variable.name, axes[0].size, str(axes[0].index), extent.symbol, entry))
    return tuple(found)
