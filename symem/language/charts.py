"""Coordinates of sets: logarithm, logit, log-ratios, Cholesky factors, around the values that an array has.

An entry that lies on the boundary has no coordinate: it stays.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
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


class IntervalChart:
    """Numbers between two bounds, finite or not."""

    def __init__(self, inside: Array, low: float, high: float) -> None:
        self._inside, self._low, self._high = inside.ravel(), low, high
        live = (self._inside - low > _BOUNDARY) & (high - self._inside > _BOUNDARY)
        self.moved, self.is_whole = np.flatnonzero(live), bool(live.all())
        self.centre = self._outward(self._inside[self.moved])

    def _outward(self, value: Array) -> Array:
        low, high = self._low, self._high
        if np.isfinite(low) and np.isfinite(high):
            return np.asarray(np.log(value - low) - np.log(high - value))
        if np.isfinite(low):
            return np.log(value - low)
        return np.log(high - value) if np.isfinite(high) else value

    def _inward(self, free: Array) -> Array:
        low, high = self._low, self._high
        if np.isfinite(low) and np.isfinite(high):
            return np.asarray(low + (high - low) * (1 + np.tanh(free / 2)) / 2)
        if np.isfinite(low):
            return low + np.exp(free)
        return high - np.exp(free) if np.isfinite(high) else free

    def values(self, free: Array) -> Array:
        whole = np.array(np.broadcast_to(self._inside, (*free.shape[:-1], len(self._inside))))
        whole[..., self.moved] = self._inward(free)
        return whole


class CircleChart:
    """Angles, which go round at the ends."""

    is_whole = True

    def __init__(self, inside: Array) -> None:
        self.centre = inside.ravel()
        self.moved = np.arange(inside.size)

    def values(self, free: Array) -> Array:
        return np.asarray(np.pi - np.remainder(np.pi - free, 2 * np.pi))


class SimplexChart:
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


class SymmetricChart:
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


class DefiniteChart(SymmetricChart):
    """C G Gᵀ Cᵀ with C Cᵀ the point itself and G lower triangular, its diagonal exponentials (log-Cholesky)."""

    def _centre(self) -> Array:
        self._root = np.linalg.cholesky(self._inside)
        return np.zeros(len(self.moved))

    def values(self, free: Array) -> Array:
        lower, eye = self._triangles(free), np.eye(self._inside.shape[-1], dtype=bool)
        moved = self._root @ np.where(eye, np.exp(lower), lower)
        return moved @ np.swapaxes(moved, -1, -2)
