"""The names of symbols: read off what a user wrote, and refused where they cannot stand in Python code."""

from __future__ import annotations

import keyword
from typing import Any

from sympy import (
    Idx,
    Indexed,
    IndexedBase,
    MatrixBase,
    MatrixExpr,
    MatrixSymbol,
    Sum,
    Symbol,
    preorder_traversal,
)

from symem.errors import ModelError, NameClashError
from symem.language.leaves import IndexedMatrix, array_of, labels_in, name_of

#: The options of an emitted `fit`, which takes data, constants and sizes by name beside them.
FIT_OPTIONS = frozenset({"start", "tol", "max_iter", "n_init", "seed", "callback", "verbose", "accelerate"})


def stated_name(symbol: Any) -> str:
    """The name a user gave to a symbol, an array or an entry of one.

    Raises:
        ModelError: it is none of them.
    """
    if isinstance(array_of(symbol), (IndexedBase, Idx, Symbol, IndexedMatrix, MatrixSymbol)):
        return name_of(symbol)
    if isinstance(symbol, (MatrixBase, MatrixExpr)):
        raise ModelError(
            f"{symbol} is no single matrix: name an IndexedMatrix, an entry such as x[i], or a MatrixSymbol."
        )
    raise ModelError(f"{symbol!r} is not a symbol: name a Symbol, an IndexedBase or an entry such as x[i].")


def check_name(name: str) -> None:
    """Refuse a name that cannot be an identifier of the emitted module.

    Raises:
        NameClashError: it is a keyword, starts with an underscore, or holds other characters than letters and digits.
    """
    if not (name.isidentifier() and name.isascii()) or keyword.iskeyword(name) or name.startswith("_"):
        raise NameClashError(
            f"The name {name!r} cannot stand in a Python module: rename the symbol to letters, digits and "
            f"underscores, a letter first, that are no Python keyword (for λ write 'lam')."
        )


def check_keyword(name: str) -> None:
    """Refuse a datum, constant or size that is called as an option of `fit` is.

    Raises:
        NameClashError: it is.
    """
    if name in FIT_OPTIONS:
        raise NameClashError(
            f"The name {name!r} is an option of fit(…), which takes data, constants and sizes by name too: rename it."
        )


def stated_names(expr: Any) -> list[str]:
    """The names in an expression, the outermost and leftmost first."""
    found = [
        a for a in preorder_traversal(expr) if isinstance(a, (Indexed, Symbol)) and not isinstance(a, Idx)
    ]
    return [stated_name(each) for each in found]


def names_in(expr: Any) -> set[str]:
    """The names of the arrays and scalars of an expression, indices apart."""
    bound = {limit[0] for inner in expr.atoms(Sum) for limit in inner.limits}
    arrays = labels_in(expr)
    scalars = {s for s in expr.free_symbols if isinstance(s, Symbol) and s not in bound and s not in arrays}
    return {str(array) for array in arrays} | {str(s.name) for s in scalars}
