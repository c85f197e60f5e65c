"""A symbol of a model with what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from sympy import Expr, IndexedBase

from symem.language.plates import Axis, index_symbol
from symem.language.support import Support


class Role(Enum):
    """What a symbol is to the model."""

    DATA = "data"
    KNOWN = "known"
    LATENT = "latent"
    FACTOR = "approximated"
    PARAMETER = "parameter"
    SIZE = "size"
    MASK = "mask"


@dataclass(frozen=True)
class Variable:
    """A symbol with its role, the size of each index slot, and its support.

    Args:
        name: an identifier, unique in the model.
        symbol: the internal `Symbol` or `IndexedBase`, with the assumptions of the support.
        role: data, known, latent, a latent that a factor of a mean field stands for, parameter, size, or the mask of data that may be
            missing.
        sizes: one internal size for each slot; empty for a scalar.
        support: the set that it, or each entry of it, lies in.
        declared: what the user wrote.
        missing: data of which NaN entries (of labels: NaN or negative ones) are latent.
        shape: (d,) if each entry is a vector, (r, c) if it is a matrix, () if it is a number.
        seen: of a latent vector, the data and the mask of the entries of it that were seen.
    """

    name: str
    symbol: Any
    role: Role
    sizes: tuple[Expr, ...]
    support: Support
    declared: Any
    missing: bool = False
    shape: tuple[Expr, ...] = ()
    seen: tuple[Any, Any] | None = None

    @property
    def of_numbers(self) -> bool:
        """Whether the user wrote an array of numbers, be it read as vectors."""
        return isinstance(self.declared, IndexedBase)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """An axis for each slot, its index named after the variable."""
        return tuple(Axis(index_symbol(f"{self.name}_{slot}"), size) for slot, size in enumerate(self.sizes))
