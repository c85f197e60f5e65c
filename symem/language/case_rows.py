"""Whether probabilities that are written case by case sum to one, whatever the label before.

A chain that only moves on has no next label after the last: a row that forgets it would be taken for a law.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from sympy import Add, Expr, Indexed, Integer, Piecewise, Symbol, simplify

from symem.errors import NormalisationError
from symem.language.categories import Categories, categories
from symem.language.declarations import Declaration
from symem.language.symbol_names import stated_name

#: How many labels are tried where their number is a symbol.
_TRIED = 3


def check_rows(declarations: Iterable[Declaration]) -> None:
    """Every row sums to one, as far as its cells are seen: none holds an array along the cells.

    Raises:
        NormalisationError: naming the row, and what it sums to.
    """
    for line in declarations:
        if line.name == "Categorical":
            cells = categories(line.distribution.arguments, line.own, line.name)
            if cells.index:
                _check(line, cells)


def _check(line: Declaration, cells: Categories) -> None:
    (whole,) = cells.probabilities
    if not whole.has(Piecewise) or any(entry.has(cells.index) for entry in whole.atoms(Indexed)):
        return
    own = {stated_name(entry) for entry in line.entries}
    labels = sorted((each for each in whole.atoms(Indexed) if stated_name(each) in own), key=str)
    for row, values in _rows(labels, cells):
        total = simplify(Add(*(_at(whole, cells, values, cell) for cell in _values(cells))))
        if not total.has(Piecewise) and total != 1:
            here = " and ".join(f"{label} = {place}" for label, place in row.items()) or "it"
            raise NormalisationError(
                f"{line.entries[0]}: where {here}, the probabilities sum to {total}, not to 1. Write what happens there as a case of its "
                f"own, and the others under the condition that it is elsewhere."
            )


def _values(cells: Categories) -> range:
    """The values of a label: of as many as there are, or of three."""
    first = cells.support.origin
    return range(first, first + (int(cells.size) if cells.size.is_Integer else _TRIED))


def _rows(labels: list[Indexed], cells: Categories) -> Iterator[tuple[dict[Indexed, Expr], dict[Expr, Expr]]]:
    """Each choice of the labels before: as it is told, and as numbers."""
    values = list(_values(cells))
    last = cells.size - 1 + cells.support.origin
    for chosen in product(values, repeat=len(labels)):
        told = {
            label: last if at == values[-1] else Integer(at) for label, at in zip(labels, chosen, strict=True)
        }
        yield told, {label: Integer(at) for label, at in zip(labels, chosen, strict=True)}


def _at(whole: Expr, cells: Categories, values: dict[Expr, Expr], cell: int) -> Expr:
    """The probability of a cell beside labels."""
    size = {cells.size: Integer(_TRIED)} if isinstance(cells.size, Symbol) else {}
    return whole.xreplace(values).xreplace({cells.index: Integer(cell)}).xreplace(size)
