"""The formulas of the information in numbers, as matrices over all entries of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Expr

from symem.derivation import Definition, Derivation, InformationBlock
from symem.evaluation.arithmetic import evaluate
from symem.evaluation.stacks import Array
from symem.language.leaves import name_of, places_of
from symem.language.matrices import MatrixEntry


@dataclass
class Told:
    """A symmetric matrix over all entries, and of which of them a formula told."""

    values: Array
    known: Array

    @classmethod
    def of(cls, size: int) -> Told:
        return cls(np.zeros((size, size)), np.zeros((size, size), dtype=bool))

    def put(self, rows: Array, columns: Array, block: Array) -> None:
        for at, value in (((rows, columns), block), ((columns, rows), block.T)):
            self.values[np.ix_(*at)] = value
            self.known[np.ix_(*at)] = True

    def in_basis(self, basis: Array) -> tuple[Array, Array]:
        """B'MB, and where all entries that have a part in it are known."""
        touched = (basis != 0).astype(float)
        lacking = touched.T @ ~self.known @ touched
        return basis.T @ self.values @ basis, lacking == 0


def complete_and_missing(derivation: Derivation, arrays: Mapping[str, Any], theta: Any) -> tuple[Told, Told]:
    """The information of complete data and what of it is missing, at a named tuple of parameters, with posteriors and statistics
    in `arrays`.
    """
    places, size = _numbered(theta)
    complete, missing = Told.of(size), Told.of(size)
    for block in derivation.information:
        one, other = (_chosen(each, places[name_of(each)]) for each in block.parameters)
        for whole, definition in ((complete, block.complete), (missing, block.missing)):
            if definition is not None:
                whole.put(
                    one.ravel(), other.ravel(), _over_directions(block, definition, arrays, (one, other))
                )
    return complete, missing


def _numbered(theta: Any) -> tuple[dict[str, Array], int]:
    """Of each parameter the numbers of its entries, in its shape."""
    found, start = {}, 0
    for name, value in theta._asdict().items():
        stop = start + int(np.size(value))
        found[name] = np.arange(start, stop).reshape(np.shape(value))
        start = stop
    return found, start


def _chosen(parameter: Expr, numbers: Array) -> Array:
    """The entries that a parameter with some fixed places is."""
    chosen = tuple(int(place) if place.is_Integer else slice(None) for place in places_of(parameter))
    return np.asarray(numbers[chosen])


def _over_directions(
    block: InformationBlock, definition: Definition, arrays: Mapping[str, Any], entries: tuple[Array, Array]
) -> Array:
    """The formula for all entries of both, a matrix being moved in each entry, a symmetric one in two."""
    sizes = [int(np.prod(each.shape)) for each in entries]
    inner = [_directions(each, entry) for each, entry in zip(block.directions, entries, strict=True)]
    found = np.empty(
        [n for size, units in zip(sizes, inner, strict=True) for n in (size // len(units), len(units))]
    )
    for a, one in enumerate(inner[0]):
        for b, other in enumerate(inner[1]):
            moved = {**arrays, **one, **other}
            with np.errstate(all="ignore"):
                value = evaluate([definition], moved)[name_of(definition.symbol)]
            found[:, a, :, b] = np.reshape(np.asarray(value, dtype=float), (found.shape[0], found.shape[2]))
    return found.reshape(sizes)


def _directions(letter: Expr, entries: Array) -> list[dict[str, Array]]:
    """A unit vector or matrix for each entry at one place."""
    if not isinstance(letter, MatrixEntry):
        return [{}]
    shape = entries.shape[-1:] if letter.dimensions[1] == 1 else entries.shape[-2:]
    units = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    if letter.is_symmetric_letter:
        units = (units + np.swapaxes(units, -1, -2)) / 2
    return [{name_of(letter): unit} for unit in units]
