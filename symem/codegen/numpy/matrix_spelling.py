"""Linear algebra as NumPy expressions: stacks of products, systems, factors of matrices, diagonals, sums of logarithms."""

from __future__ import annotations

from symem.codegen.ir.nodes import Axes, Contract, DiagonalOf, Factor, LogTotal, Solve, without
from symem.codegen.numpy.speller import ATOM, Speller


def transposed(stored: Axes, wanted: Axes) -> str:
    if stored == wanted:
        return ""
    if stored == wanted[::-1]:
        return ".T"
    return f".transpose({', '.join(str(stored.index(axis)) for axis in wanted)})"


def stack(spell: Speller, node: Contract) -> tuple[str, int]:
    """A matrix product for every value of the axes that both sides keep."""
    left, right, over = node.left, node.right, node.over
    batch = tuple(axis for axis in node.axes if axis in left.axes and axis in right.axes)
    rows, columns = without(left.axes, (*batch, *over)), without(right.axes, (*batch, *over))
    first, second = (
        spell.turned(left, (*batch, *rows, *over)),
        spell.turned(right, (*batch, *over, *columns)),
    )
    got = (*batch, *rows, *columns)
    if len(over) == len(rows) == len(columns) == 1:
        text = f"np.matmul({first}, {second})"
    else:
        letters = dict(zip((*batch, *rows, *over, *columns), "abcdefghijklmnop", strict=False))
        sides = [
            "".join(letters[axis] for axis in each)
            for each in ((*batch, *rows, *over), (*batch, *over, *columns), got)
        ]
        text = f'np.einsum("{sides[0]},{sides[1]}->{sides[2]}", {first}, {second}, optimize=True)'
    return f"{text}{transposed(got, node.axes)}", ATOM


def log_total(spell: Speller, node: LogTotal) -> tuple[str, int]:
    """log Σ exp, axis by axis: the order in which its terms meet is not free in NumPy."""
    text, axes = spell(node.value), list(node.value.axes)
    for axis in node.over:
        text = f"np.logaddexp.reduce({text}, axis={axes.index(axis)})"
        axes.remove(axis)
    return text, ATOM


def solve(spell: Speller, node: Solve) -> tuple[str, int]:
    """Axes that only the right-hand side has are its columns."""
    spell.helpers.add("_solve")
    batch = without(node.matrix.axes, (node.row, node.column))
    columns = without(node.vector.axes, (*batch, node.row))
    matrix = spell.turned(node.matrix, (*batch, node.row, node.column))
    vector = spell.turned(node.vector, (*(a for a in batch if a in node.vector.axes), node.row, *columns))
    if not columns:
        return f"_solve({matrix}, {vector}){transposed((*batch, node.component), node.axes)}", ATOM
    got = (*batch, node.component, *columns)
    return f"_solve_all({matrix}, {vector}){transposed(got, node.axes)}", ATOM


def factor(spell: Speller, node: Factor) -> tuple[str, int]:
    spell.helpers.add(node.operation)
    places = (*without(node.axes, (node.row, node.column)), node.row, node.column)
    matrix = spell.turned(node.matrix, places)
    return f"{node.operation}({matrix}){transposed(places, node.axes)}", ATOM


def diagonal(_spell: Speller, node: DiagonalOf) -> tuple[str, int]:
    stored = node.base.stored
    places = stored.index(node.first), stored.index(node.second)
    got = (*without(stored, (node.first, node.second)), node.first)
    which = "" if places == (0, 1) else f", 0, {places[0]}, {places[1]}"
    return f"np.diagonal({node.base.name}{which}){transposed(got, node.axes)}", ATOM
