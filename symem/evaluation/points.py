"""Entries of named arrays, of which some may differ from point to point.

Parameters do where a function of them is looked at from many sides: the points are one more plate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symem.errors import UnknownSymbolError
from symem.evaluation.stacks import Array, as_matrix, pick


@dataclass(frozen=True)
class Moving:
    """An array with one value for each point: the points are its first axis."""

    values: Array


@dataclass(frozen=True)
class Lookup:
    """Entries by name and places.

    Args:
        arrays: name -> number, array, or `Moving` array.
        axes: how many axes a place has; that of the points comes before them.
    """

    arrays: Mapping[str, Any]
    axes: int = 0

    @cached_property
    def points(self) -> int | None:
        """The number of points, if anything moves."""
        return next((len(each.values) for each in self.arrays.values() if isinstance(each, Moving)), None)

    @cached_property
    def _point(self) -> Array:
        return np.arange(self.points or 1).reshape(-1, *(1,) * self.axes)

    def part(self, start: int, stop: int) -> Lookup:
        """The same at some of the points."""
        moved = {
            name: Moving(each.values[start:stop])
            for name, each in self.arrays.items()
            if isinstance(each, Moving)
        }
        return Lookup({**self.arrays, **moved}, self.axes)

    def entry(self, name: str, places: tuple[Any, ...]) -> Any:
        """An entry for each place; the array itself if there are no places."""
        array = self._array(name)
        return (
            pick(array.values, (self._point, *places)) if isinstance(array, Moving) else pick(array, places)
        )

    def letter(self, name: str, places: tuple[Any, ...]) -> Array:
        """One matrix of an array for each place."""
        array, found = self._array(name), self.entry(name, places)
        whole = np.ndim(array.values) - 1 if isinstance(array, Moving) else np.ndim(array)
        return as_matrix(found, np.ndim(found) - (whole - len(places)))

    def _array(self, name: str) -> Any:
        if name not in self.arrays:
            raise UnknownSymbolError(f"No value for {name}.")
        return self.arrays[name]
