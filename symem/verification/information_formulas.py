"""The formulas of the information in numbers, along a direction in which the parameters move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sympy import Expr

from symem.derivation import Definition, Derivation, InformationBlock
from symem.evaluation.arithmetic import evaluate
from symem.evaluation.stacks import Array
from symem.language.leaves import name_of, places_of
from symem.language.matrices import MatrixEntry

#: What stands for the letter of a direction, and how much of each place of its parameter is meant.
_Side = tuple[Mapping[str, Array], Array]


def along(
    derivation: Derivation, arrays: Mapping[str, Any], theta: Any, way: Array
) -> tuple[float | None, float | None]:
    """v'i_Y v and v'i_{Z|X} v along v, which is over all entries of a named tuple of parameters; None where a block has no
    formula. `arrays` have posteriors and statistics.
    """
    blocks, count = derivation.informed.information, len(derivation.scores)
    if len(blocks) < count * (count + 1) // 2:
        return None, None
    complete = sum(_of_block(each, each.complete, arrays, theta, way) for each in blocks)
    lacking = any(each.missing is None for each in blocks)
    pairs = [] if lacking else [(each, each.missing) for each in blocks]
    missing = sum(_of_block(each, told, arrays, theta, way) for each, told in pairs if told is not None)
    return complete, None if lacking else missing


def _of_block(
    block: InformationBlock, definition: Definition, arrays: Mapping[str, Any], theta: Any, way: Array
) -> float:
    """Both blocks of two parameters, that of one by itself once."""
    if definition.value == 0:
        return 0.0
    (here, one), (there, other) = (_part(each, theta, way) for each in block.parameters)
    found = 0.0
    for letters, weight in _sides(block.directions[0], one):
        for more, beside in _sides(block.directions[1], other):
            with np.errstate(all="ignore"):
                told = evaluate([definition], {**arrays, **letters, **more})[name_of(definition.symbol)]
            found += float(np.sum(np.asarray(told, dtype=float) * np.multiply.outer(weight, beside)))
    return found if np.array_equal(here, there) else 2 * found


def _part(parameter: Expr, theta: Any, way: Array) -> tuple[Array, Array]:
    """The numbers of the entries of a parameter with some fixed places, in its shape, and how far they move."""
    start = 0
    for name, value in theta._asdict().items():
        stop = start + int(np.size(value))
        if name == name_of(parameter):
            break
        start = stop
    chosen = tuple(int(place) if place.is_Integer else slice(None) for place in places_of(parameter))
    numbers = np.arange(start, stop).reshape(np.shape(value))[chosen]
    return numbers, np.asarray(way[numbers])


def _sides(letter: Expr, moved: Array) -> Iterator[_Side]:
    """Of numbers all places together; of vectors and matrices one place after the other."""
    if not isinstance(letter, MatrixEntry):
        yield {}, moved
        return
    inner = 1 if letter.dimensions[1] == 1 else 2
    shape = moved.shape[: moved.ndim - inner]
    for place in np.ndindex(shape):
        weight = np.zeros(shape)
        weight[place] = 1.0
        yield {name_of(letter): moved[place]}, weight
