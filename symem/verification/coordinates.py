"""Parameters as points of the unconstrained space: logarithm, logit, log-ratios, Cholesky factors.

In these coordinates a gradient vanishes exactly where the constrained gradient with its multipliers does,
every move is feasible, and at a stationary point the Hessian has the signature of the Hessian on the
tangent space of the constraints. An entry that lies on the boundary has no coordinate: it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import expit, logit

from symem.language.supports import PositiveDefinite, Simplex, Support, Symmetric
from symem.verification.terms import Specialiser

Array = np.ndarray[Any, np.dtype[Any]]
Theta = dict[str, Any]

_BOUNDARY = 1e-12


@dataclass(frozen=True)
class Place:
    """Entries of parameter arrays that one coordinate chart covers: (name, flat positions)."""

    entries: tuple[tuple[str, int], ...]
    support: Support
    bounds: tuple[float, float] = (-np.inf, np.inf)


@dataclass(frozen=True)
class Coordinates:
    """The map between parameters and free coordinates, around one point.

    Args:
        model: gives parameters, supports and simplexes.
        theta: the point; its entries on the boundary get no coordinate.
        fixed: parameters that stay as they are.
    """

    model: Any
    theta: Mapping[str, Any]
    fixed: frozenset[str] = field(default_factory=frozenset)

    def places(self) -> Iterator[Place]:
        together = {name: group for group in self.model.simplexes for name in group}
        seen: set[str] = set()
        for variable in self.model.parameters:
            if variable.name in self.fixed or variable.name in seen:
                continue
            group = together.get(variable.name, ())
            seen |= set(group)
            if group:
                yield Place(tuple((name, 0) for name in group), Simplex())
            else:
                yield from self._array_places(variable)

    def _array_places(self, variable: Any) -> Iterator[Place]:
        shape = np.shape(self.theta[variable.name])
        size = int(np.prod(shape, dtype=int))
        block = 1
        if isinstance(variable.support, Simplex):
            block = int(np.prod(shape[len(shape) - variable.support.axes :], dtype=int))
        if isinstance(variable.support, PositiveDefinite | Symmetric):
            block = shape[-1] ** 2
        scope = Specialiser({})
        bounds = tuple(
            scope.number(end) if end.is_number else float("nan") for end in variable.support.bounds
        )
        for start in range(0, size, block):
            entries = tuple((variable.name, position) for position in range(start, start + block))
            yield Place(entries, variable.support, (bounds[0], bounds[1]))

    def free(self) -> Array:
        """The coordinates of the point."""
        parts = [_chart(place).free(self._inside(place)) for place in self.places()]
        return np.concatenate([np.zeros(0), *parts])

    def point(self, free: Array) -> Theta:
        """The parameters that coordinates stand for."""
        theta = {name: np.array(value, dtype=float) for name, value in self.theta.items()}
        start = 0
        for place in self.places():
            inside = self._inside(place)
            count = _chart(place).count(inside)
            values = _chart(place).values(free[start : start + count], inside)
            start += count
            for (name, position), value in zip(place.entries, values, strict=True):
                theta[name].flat[position] = value
        return theta

    def _inside(self, place: Place) -> Array:
        values = [
            np.asarray(self.theta[name], dtype=float).flat[position] for name, position in place.entries
        ]
        return np.array(values)

    @property
    def labels(self) -> list[str]:
        """The entry that each coordinate moves."""
        return [
            f"{place.entries[c][0]}[{place.entries[c][1]}]"
            for place in self.places()
            for c in range(_chart(place).count(self._inside(place)))
        ]


@dataclass(frozen=True)
class _Chart:
    free: Callable[[Array], Array]
    values: Callable[[Array, Array], Array]
    count: Callable[[Array], int]


def _chart(place: Place) -> _Chart:
    if isinstance(place.support, Simplex):
        return _SIMPLEX
    if isinstance(place.support, PositiveDefinite):
        return _POSITIVE_DEFINITE
    if isinstance(place.support, Symmetric):
        return _SYMMETRIC
    low, high = place.bounds
    return _interval_chart(low, high)


def _interval_chart(low: float, high: float) -> _Chart:
    """The chart of one number between two bounds, finite or not."""
    outward, inward = _line(low, high)

    def alive(inside: Array) -> bool:
        return bool(inside[0] - low > _BOUNDARY and high - inside[0] > _BOUNDARY)

    return _Chart(
        free=lambda inside: outward(inside) if alive(inside) else np.zeros(0),
        values=lambda free, inside: inward(free) if len(free) else inside,
        count=lambda inside: int(alive(inside)),
    )


def _line(low: float, high: float) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    if np.isfinite(low) and np.isfinite(high):
        span = high - low
        return (lambda value: logit((value - low) / span)), (lambda free: low + span * expit(free))
    if np.isfinite(low):
        return (lambda value: np.log(value - low)), (lambda free: low + np.exp(free))
    if np.isfinite(high):
        return (lambda value: np.log(high - value)), (lambda free: high - np.exp(free))
    return (lambda value: value), (lambda free: free)


def _live(inside: Array) -> Array:
    """Cells of a simplex that are not zero; the largest is the reference."""
    cells: Array = np.flatnonzero(inside > _BOUNDARY)
    return np.asarray(cells[cells != np.argmax(inside)])


def _simplex_free(inside: Array) -> Array:
    return np.asarray(np.log(inside[_live(inside)] / inside.max()))


def _simplex_values(free: Array, inside: Array) -> Array:
    weights = np.where(inside > _BOUNDARY, 1.0, 0.0)
    weights[_live(inside)] = np.exp(free)
    rest = 1.0 - inside[inside <= _BOUNDARY].sum()
    return np.where(inside > _BOUNDARY, rest * weights / weights.sum(), inside)


_SIMPLEX = _Chart(_simplex_free, _simplex_values, lambda inside: len(_live(inside)))


def _square(inside: Array) -> Array:
    side = round(np.sqrt(len(inside)))
    return inside.reshape(side, side)


def _triangle(inside: Array) -> tuple[Array, Array]:
    """Rows and columns of the entries on and below the diagonal."""
    return np.tril_indices(len(_square(inside)))


def _definite_values(free: Array, inside: Array) -> Array:
    """C G Gᵀ Cᵀ with C Cᵀ the point itself and G lower triangular, its diagonal exponentials (log-Cholesky)."""
    root = np.linalg.cholesky(_square(inside))
    rows, columns = _triangle(inside)
    inner = np.zeros(root.shape)
    inner[rows, columns] = np.where(rows == columns, np.exp(free), free)
    moved = root @ inner
    return np.asarray(moved @ moved.T).ravel()


def _symmetric_values(free: Array, inside: Array) -> Array:
    rows, columns = _triangle(inside)
    matrix = np.zeros(_square(inside).shape)
    matrix[rows, columns] = matrix[columns, rows] = free
    return matrix.ravel()


_POSITIVE_DEFINITE = _Chart(
    free=lambda inside: np.zeros(len(_triangle(inside)[0])),
    values=_definite_values,
    count=lambda inside: len(_triangle(inside)[0]),
)
_SYMMETRIC = _Chart(
    free=lambda inside: _square(inside)[_triangle(inside)],
    values=_symmetric_values,
    count=lambda inside: len(_triangle(inside)[0]),
)


def total_defect(model: Any, theta: Mapping[str, Any]) -> float:
    """How far theta is from its supports: simplexes that do not sum to one, values outside their bounds."""
    worst = 0.0
    for place in Coordinates(model, theta).places():
        values = np.array([np.asarray(theta[n], dtype=float).flat[p] for n, p in place.entries])
        if isinstance(place.support, Simplex):
            worst = max(worst, abs(float(values.sum()) - 1.0), float(np.max(-values, initial=0.0)))
        elif isinstance(place.support, PositiveDefinite | Symmetric):
            worst = max(worst, _matrix_defect(values, place.support))
        elif not (np.all(values >= place.bounds[0]) and np.all(values <= place.bounds[1])):
            worst = np.inf
        if not np.all(np.isfinite(values)):
            worst = np.inf
    return worst


def _matrix_defect(values: Array, support: Support) -> float:
    """How far a matrix is from its transpose, relative to itself; infinite if it ought to be definite and is not."""
    matrix = _square(values)
    if not np.all(np.isfinite(matrix)):
        return np.inf
    if isinstance(support, PositiveDefinite) and not np.linalg.eigvalsh(matrix)[0] > 0:
        return np.inf
    return float(np.max(np.abs(matrix - matrix.T), initial=0.0) / (1e-300 + np.max(np.abs(matrix))))


def directions(rng: np.random.Generator, count: int, width: int) -> Sequence[Array]:
    """Random directions of unit length."""
    raw = rng.normal(size=(count, width))
    return list(raw / np.linalg.norm(raw, axis=1, keepdims=True))
