"""Names for what the derivation brings in: stable from run to run, and none that the model has taken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sympy import Expr, IndexedBase, Symbol

from symem.language.model import Model
from symem.language.plates import Axis, index_symbol


@dataclass
class Names:
    """Allocates array names and indices beside those of a model."""

    model: Model
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.taken |= set(self.model.variables)

    def fresh(self, stem: str) -> str:
        name = stem
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def entry(self, stem: str, places: tuple[Expr, ...], **assumptions: bool) -> Expr:
        """A new array's entry at those places; without places, a new scalar."""
        name = self.fresh(stem)
        return IndexedBase(name, **assumptions)[places] if places else Symbol(name, **assumptions)

    def axis(self, size: Expr, stem: str, avoid: set[Any]) -> Axis:
        """An axis of that size whose index is in use for it already, else named after a stem."""
        avoided = {str(symbol) for symbol in avoid}
        known = [label for label, of in sorted(self.model.index_sizes.items()) if of == size]
        letters = [*known, *(f"{stem}_{letter}" for letter in ("value", "value_2", "value_3"))]
        return Axis(index_symbol(next(label for label in letters if label not in avoided)), size)


def at(entry: Expr, places: tuple[Expr, ...]) -> Expr:
    """The entry of the same array at other places."""
    return entry.base[places] if places else entry
