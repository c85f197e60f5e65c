"""Parameters as points of the unconstrained space: logarithm, logit, log-ratios, Cholesky factors.

In these coordinates a gradient vanishes exactly where the constrained gradient with its multipliers does,
every move is feasible, and at a stationary point the Hessian has the signature of the Hessian on the
tangent space of the constraints. An entry that lies on the boundary has no coordinate: it stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy.special import expit, logit

from symem.evaluation.stacks import Array
from symem.language.supports import Circle, PositiveDefinite, Simplex, Symmetric

Theta = dict[str, Any]

_BOUNDARY = 1e-12


class Chart(Protocol):
    """Coordinates of the entries of one array, around its values.

    Attributes:
        centre: the coordinates of the values.
        moved: the entry that each coordinate moves, by its place in the flat array.
        is_whole: whether every entry moves: none lies on the boundary.
    """

    centre: Array
    moved: Array
    is_whole: bool

    def values(self, free: Array) -> Array:
        """The array that coordinates stand for; axes before the last of the coordinates come first."""


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

    @cached_property
    def _charts(self) -> list[tuple[tuple[str, ...], Chart]]:
        blocks = (block for block in _blocks(self.model, self.theta) if not set(block.names) & self.fixed)
        return [(block.names, block.chart()) for block in blocks]

    def free(self) -> Array:
        """The coordinates of the point."""
        return np.concatenate([np.zeros(0), *(chart.centre for _names, chart in self._charts)])

    def point(self, free: Array) -> Theta:
        """The parameters that coordinates stand for; of a table of points, arrays with the points as first axis."""
        lead, start = free.shape[:-1], 0
        theta = {name: np.asarray(value, dtype=float) for name, value in self.theta.items()}
        theta = {name: np.broadcast_to(value, (*lead, *value.shape)) for name, value in theta.items()}
        for names, chart in self._charts:
            count = len(chart.centre)
            values = chart.values(free[..., start : start + count])
            start += count
            for place, name in enumerate(names):
                theta[name] = values if len(names) == 1 else values[..., place]
        return {name: value.reshape((*lead, *np.shape(self.theta[name]))) for name, value in theta.items()}

    @property
    def labels(self) -> list[str]:
        """The entry that each coordinate moves."""
        return [
            f"{names[0]}[{place}]" if len(names) == 1 else names[place]
            for names, chart in self._charts
            for place in chart.moved.tolist()
        ]

    @property
    def are_inside(self) -> bool:
        """Whether nothing that moves lies on the boundary."""
        return all(chart.is_whole for _names, chart in self._charts)


@dataclass(frozen=True)
class _Block:
    """Parameters that one chart covers: an array, or the scalars of a simplex."""

    names: tuple[str, ...]
    support: Any
    inside: Array

    def chart(self) -> Chart:
        if isinstance(self.support, Simplex):
            return _SimplexChart(self.rows)
        if isinstance(self.support, PositiveDefinite | Symmetric):
            kind = _DefiniteChart if isinstance(self.support, PositiveDefinite) else _SymmetricChart
            return kind(self.inside)
        if isinstance(self.support, Circle):
            return _CircleChart(self.inside)
        return _IntervalChart(self.inside, *self.bounds)

    @property
    def rows(self) -> Array:
        """The simplexes of an array, each a row."""
        outer = self.inside.shape[: self.inside.ndim - self.support.axes]
        return self.inside.reshape(*outer, -1)

    @property
    def bounds(self) -> tuple[float, float]:
        low, high = (float(end) if end.is_number else np.nan for end in self.support.bounds)
        return low, high

    def defect(self) -> float:
        """How far the values are from their support."""
        if not np.all(np.isfinite(self.inside)):
            return np.inf
        if isinstance(self.support, Simplex):
            gaps = np.abs(self.rows.sum(axis=-1) - 1.0)
            return max(float(np.max(gaps, initial=0.0)), float(np.max(-self.inside, initial=0.0)))
        if isinstance(self.support, PositiveDefinite | Symmetric):
            return self._matrix_defect()
        low, high = self.bounds
        return 0.0 if np.all(self.inside >= low) and np.all(self.inside <= high) else np.inf

    def _matrix_defect(self) -> float:
        """How far matrices are from their transposes, relative to themselves; infinite if one ought to be definite."""
        if isinstance(self.support, PositiveDefinite) and not np.all(np.linalg.eigvalsh(self.inside) > 0):
            return np.inf
        gaps = np.abs(self.inside - np.swapaxes(self.inside, -1, -2)).max(axis=(-1, -2), initial=0.0)
        sizes = 1e-300 + np.abs(self.inside).max(axis=(-1, -2), initial=0.0)
        return float(np.max(gaps / sizes, initial=0.0))


def _blocks(model: Any, theta: Mapping[str, Any]) -> Iterator[_Block]:
    together = {name: group for group in model.simplexes for name in group}
    for variable in model.parameters:
        group = together.get(variable.name, (variable.name,))
        if variable.name != group[0] or not set(group) <= set(theta):
            continue
        if variable.name in together:
            numbers = [float(np.asarray(theta[name], dtype=float).item()) for name in group]
            yield _Block(group, Simplex(), np.array(numbers))
        else:
            yield _Block(group, variable.support, np.asarray(theta[variable.name], dtype=float))


class _IntervalChart:
    """Numbers between two bounds, finite or not."""

    def __init__(self, inside: Array, low: float, high: float) -> None:
        self._inside, self._low, self._high = inside.ravel(), low, high
        live = (self._inside - low > _BOUNDARY) & (high - self._inside > _BOUNDARY)
        self.moved, self.is_whole = np.flatnonzero(live), bool(live.all())
        self.centre = self._outward(self._inside[self.moved])

    def _outward(self, value: Array) -> Array:
        low, high = self._low, self._high
        if np.isfinite(low) and np.isfinite(high):
            return np.asarray(logit((value - low) / (high - low)))
        if np.isfinite(low):
            return np.log(value - low)
        return np.log(high - value) if np.isfinite(high) else value

    def _inward(self, free: Array) -> Array:
        low, high = self._low, self._high
        if np.isfinite(low) and np.isfinite(high):
            return np.asarray(low + (high - low) * expit(free))
        if np.isfinite(low):
            return low + np.exp(free)
        return high - np.exp(free) if np.isfinite(high) else free

    def values(self, free: Array) -> Array:
        whole = np.array(np.broadcast_to(self._inside, (*free.shape[:-1], len(self._inside))))
        whole[..., self.moved] = self._inward(free)
        return whole


class _CircleChart:
    """Angles, which go round at the ends."""

    is_whole = True

    def __init__(self, inside: Array) -> None:
        self.centre = inside.ravel()
        self.moved = np.arange(inside.size)

    def values(self, free: Array) -> Array:
        return np.asarray(np.pi - np.remainder(np.pi - free, 2 * np.pi))


class _SimplexChart:
    """Log-ratios of the cells of each row that are not zero; the largest is the reference."""

    def __init__(self, rows: Array) -> None:
        self._rows, self._live = rows, rows > _BOUNDARY
        moving = self._live & (np.arange(rows.shape[-1]) != rows.argmax(axis=-1)[..., None])
        self._moving, self.moved, self.is_whole = moving, np.flatnonzero(moving), bool(self._live.all())
        self.centre = np.log(rows / rows.max(axis=-1, keepdims=True), where=moving, out=np.zeros(rows.shape))[
            moving
        ]

    def values(self, free: Array) -> Array:
        weights = np.array(
            np.broadcast_to(np.where(self._live, 1.0, 0.0), (*free.shape[:-1], *self._rows.shape))
        )
        weights[..., self._moving] = np.exp(free)
        rest = 1.0 - np.where(self._live, 0.0, self._rows).sum(axis=-1, keepdims=True)
        return np.where(self._live, rest * weights / weights.sum(axis=-1, keepdims=True), self._rows)


class _SymmetricChart:
    """The entries on and below the diagonal."""

    is_whole = True

    def __init__(self, inside: Array) -> None:
        self._inside, side = inside, inside.shape[-1]
        self._rows, self._columns = np.tril_indices(side)
        stacks = np.arange(inside.size // side**2)[:, None] * side**2
        self.moved = (stacks + self._rows * side + self._columns).ravel()
        self.centre = self._centre()

    def _centre(self) -> Array:
        return np.asarray(self._inside[..., self._rows, self._columns]).ravel()

    def _triangles(self, free: Array) -> Array:
        """Lower triangular matrices of coordinates."""
        lead = free.shape[:-1]
        whole = np.zeros((*lead, *self._inside.shape))
        whole[..., self._rows, self._columns] = free.reshape(*lead, *self._inside.shape[:-2], len(self._rows))
        return whole

    def values(self, free: Array) -> Array:
        lower = self._triangles(free)
        return lower + np.swapaxes(np.tril(lower, -1), -1, -2)


class _DefiniteChart(_SymmetricChart):
    """C G Gᵀ Cᵀ with C Cᵀ the point itself and G lower triangular, its diagonal exponentials (log-Cholesky)."""

    def _centre(self) -> Array:
        self._root = np.linalg.cholesky(self._inside)
        return np.zeros(len(self.moved))

    def values(self, free: Array) -> Array:
        lower, eye = self._triangles(free), np.eye(self._inside.shape[-1], dtype=bool)
        moved = self._root @ np.where(eye, np.exp(lower), lower)
        return moved @ np.swapaxes(moved, -1, -2)


def total_defect(model: Any, theta: Mapping[str, Any]) -> float:
    """How far theta is from its supports: simplexes that do not sum to one, values outside their bounds."""
    return max((block.defect() for block in _blocks(model, theta)), default=0.0)


def directions(rng: np.random.Generator, count: int, width: int) -> Sequence[Array]:
    """Random directions of unit length."""
    raw = rng.normal(size=(count, width))
    return list(raw / np.linalg.norm(raw, axis=1, keepdims=True))
