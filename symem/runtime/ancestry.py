"""Arrays of parents: what they must be, and the order in which their places stand below one another."""

from __future__ import annotations

from typing import Any

import numpy as np

from symem.runtime.branch_messages import _depths_of, _levels_of
from symem.runtime.description import Array
from symem.runtime.loop import DataError


def _as_parents(name: str, array: np.ndarray, spec: Array) -> np.ndarray:
    """Parents as places counted from 0, a root's -1; every place leads to a root."""
    places, first = len(array), spec.origin
    parents = array.astype(np.intp) - first
    roots = f"{first - 1} for a root"
    outside = np.flatnonzero((parents < -1) | (parents >= places))
    if len(outside):
        seen = f"{name}[{outside[0]}] is {parents[outside[0]] + first}"
        raise DataError(
            f"{seen}, which is no place: it must be one of {first}, ..., {first + places - 1}, or {roots}."
        )
    _, above = _depths_of(parents)
    if np.any(above >= 0):
        way = [int(above[above >= 0][0])]
        while (following := int(parents[way[-1]])) not in way:
            way.append(following)
        circle = [each + first for each in (*way[way.index(following) :], following)]
        told = " -> ".join(map(str, circle))
        raise DataError(
            f"{name} leads round in a circle, {told}: every place must lead to a root, and {name} is {roots}."
        )
    return parents


def _roots_of(parent: Any) -> Any:
    """The places that have no parent."""
    return np.flatnonzero(np.asarray(parent) < 0)


def _below_roots(parent: Any) -> Any:
    """The other places, parents before their children."""
    return np.concatenate([np.empty(0, int), *_levels_of(parent)[1:]])
