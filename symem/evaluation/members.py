"""Random values of variables, in their supports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symem.errors import UnknownSymbolError
from symem.evaluation.arithmetic import Arithmetic
from symem.evaluation.stacks import Array

Shape = tuple[int, ...]
Ends = tuple[Any, Any]


def shape_of(variable: Any, arrays: Mapping[str, Any]) -> Shape:
    """The axes of a variable's array: its plates, then those of its vectors or matrices."""
    scope = Arithmetic(arrays)
    return tuple(scope.integer(size) for size in (*variable.sizes, *variable.shape))


def random_member(
    variable: Any, rng: np.random.Generator, arrays: Mapping[str, Any], ends: Ends | None = None
) -> Array:
    """An array in the support of a variable.

    Args:
        variable: gives the support, the sizes and the shape.
        rng: the source of randomness.
        arrays: sizes by name.
        ends: infimum and supremum of each entry, where arrays decide them.
    """
    if ends is None:
        low, high = (_end(end, arrays) for end in variable.support.bounds)
        ends = low, high
    return np.asarray(variable.support.member(rng, shape_of(variable, arrays), ends))


def _end(end: Any, arrays: Mapping[str, Any]) -> float:
    try:
        return Arithmetic(arrays).number(end)
    except UnknownSymbolError:
        return np.nan


def random_parameters(model: Any, rng: np.random.Generator, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """A point in the support of every parameter."""
    theta = {each.name: random_member(each, rng, arrays) for each in model.parameters}
    for group in model.simplexes:
        theta |= dict(zip(group, rng.dirichlet(np.full(len(group), 4.0)), strict=True))
    return theta
