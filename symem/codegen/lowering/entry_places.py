"""The indices that run along the entries of vectors and matrices."""

from __future__ import annotations

from sympy import Expr, Symbol

from symem.language.plates import index_symbol

#: The index of the patterns in which entries are missing.
PATTERN = index_symbol("pattern")


def place(size: Expr, number: int) -> Symbol:
    """The index of entries of that number among those that run over `size`: 1 for rows, 2 for columns."""
    return index_symbol(f"_{size}_{number}")


def is_entry(index: Symbol) -> bool:
    """Whether an index runs along the entries of vectors and matrices."""
    return bool(index.name.startswith("_"))
