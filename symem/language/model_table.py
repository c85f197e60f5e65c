"""The table that `print(model)` shows: every symbol with its role, its shape and the set it lies in."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from symem.language.symbol_names import stated_name
from symem.language.variables import Role, Variable


def table_of(
    variables: Iterable[Variable],
    simplexes: Iterable[tuple[str, ...]],
    counting: Collection[str] = (),
    left_out: Collection[str] = (),
) -> str:
    """A row for each variable but masks, and for scalars that lie on a simplex together; `counting` count rows; what is missing of
    those `left_out` is no latent.
    """
    rows = [("symbol", "role", "shape", "support")]
    rows += [
        _row(variable, counts=variable.name in counting, left_out=variable.name in left_out)
        for variable in variables
        if variable.role is not Role.MASK
    ]
    rows += [(f"({', '.join(names)})", "", "", "Simplex together") for names in simplexes]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _row(variable: Variable, *, counts: bool, left_out: bool) -> tuple[str, str, str, str]:
    """A line of the table that `print(model)` shows."""
    of = stated_name(variable.declared)
    role = "weights" if counts else variable.role.value
    if variable.missing:
        role += " (NaN is left out)" if left_out else " (NaN is latent)"
    elif of != variable.name:
        role += f" ({of} where it is NaN)"
    sizes = (*variable.sizes, *variable.shape) if variable.of_numbers else variable.sizes
    shape = " × ".join(map(str, sizes)) or ("single" if variable.shape else "scalar")
    return variable.name, role, shape, _set(variable)


def _set(variable: Variable) -> str:
    """The set that each entry of a variable lies in."""
    entries = " × ".join(map(str, variable.shape))
    if not entries or variable.of_numbers:
        return str(variable.support)
    if variable.support.of_matrices:
        return f"{variable.support} {entries}"
    return f"R^{entries}" if len(variable.shape) == 1 else f"R^({entries})"
