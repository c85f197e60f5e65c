"""Rows with a single one among zeros are labels: z[i, k] is [z[i] = k]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sympy import Eq, Expr, Indexed, IndexedBase

from symem.errors import SupportError
from symem.language.plates import Iverson
from symem.language.supports import Labels, OneHot
from symem.language.variables import Variable


def one_hot(table: Mapping[str, Variable]) -> tuple[str, ...]:
    """The arrays that are such rows."""
    return tuple(name for name, variable in table.items() if isinstance(variable.support, OneHot))


def as_labels(
    names: tuple[str, ...], whole: Expr, constraints: tuple[Expr, ...], variables: Mapping[str, Variable]
) -> tuple[Expr, tuple[Expr, ...], dict[str, Variable]]:
    """Read every one-hot array as an array of labels with one slot less."""
    table = dict(variables)
    for name in names:
        variable = table[name]
        if not isinstance(variable.symbol, IndexedBase):
            raise SupportError(f"{name} is one-hot, so it needs an index for its cells: write {name}[i, k].")
        *rows, cells = variable.sizes
        label = IndexedBase(name, integer=True, nonnegative=True)
        table[name] = replace(variable, symbol=label, sizes=tuple(rows), support=Labels(cells))
        whole = _read(whole, variable, label)
        constraints = tuple(_read(each, variable, label) for each in constraints)
    return whole, constraints, table


def _read(expr: Expr, variable: Variable, label: IndexedBase) -> Expr:
    rules = {}
    for atom in expr.atoms(Indexed):
        if atom.base == variable.symbol:
            *rows, cell = atom.indices
            if not rows:
                raise SupportError(
                    f"{atom} is one-hot with a single index: write a label and Labels(K) instead."
                )
            rules[atom] = Iverson(Eq(label[tuple(rows)], cell))
    return expr.xreplace(rules)
