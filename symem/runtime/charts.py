"""Coordinates of sets: logarithm, logit, log-ratios, Cholesky factors, around the values that an array has.

An entry that lies on the boundary has no coordinate: it stays.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

#: Nearer to an end than this share of the set is at it.
_BOUNDARY = 1e-12


class Chart(Protocol):
    """Coordinates of the entries of one array, around its values.

    Attributes:
        centre: the coordinates of the values.
        moved: the entry that each coordinate moves, by its place in the flat array.
        is_whole: whether every entry moves: none lies on the boundary.
    """

    centre: np.ndarray
    moved: np.ndarray
    is_whole: bool

    def coordinates(self, values: np.ndarray) -> np.ndarray:
        """The coordinates of another array in the set; not finite where it lies on the boundary and this does not."""

    def values(self, free: np.ndarray) -> np.ndarray:
        """The array that coordinates stand for; axes before the last of the coordinates come first."""


class IntervalChart:
    """Numbers between two bounds, finite or not."""

    def __init__(self, inside: np.ndarray, low: float, high: float) -> None:
        self._inside, self._low, self._high = inside.ravel(), low, high
        nearest = _BOUNDARY * (high - low if math.isfinite(high - low) else 0.0)
        live = (self._inside - low > nearest) & (high - self._inside > nearest)
        self.moved, self.is_whole = np.flatnonzero(live), bool(live.all())
        self.centre = self.coordinates(inside)

    def coordinates(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._outward(np.ravel(values)[self.moved])

    def _outward(self, value: np.ndarray) -> np.ndarray:
        low, high = self._low, self._high
        if np.isfinite(low) and np.isfinite(high):
            return np.asarray(np.log(value - low) - np.log(high - value))
        if np.isfinite(low):
            return np.log(value - low)
        return np.log(high - value) if np.isfinite(high) else value

    def _inward(self, free: np.ndarray) -> np.ndarray:
        low, high = self._low, self._high
        if np.isfinite(low) and np.isfinite(high):
            return np.asarray(low + (high - low) * (1 + np.tanh(free / 2)) / 2)
        if np.isfinite(low):
            return np.asarray(low + np.exp(free))
        return high - np.exp(free) if np.isfinite(high) else free

    def values(self, free: np.ndarray) -> np.ndarray:
        whole = np.array(np.broadcast_to(self._inside, (*free.shape[:-1], len(self._inside))))
        whole[..., self.moved] = self._inward(free)
        return whole


class CircleChart:
    """Angles, which go round at the ends."""

    is_whole = True

    def __init__(self, inside: np.ndarray) -> None:
        self.centre = inside.ravel()
        self.moved = np.arange(inside.size)

    def coordinates(self, values: np.ndarray) -> np.ndarray:
        """On the sheet where they are nearest."""
        return np.asarray(
            self.centre + np.pi - np.remainder(np.pi - np.ravel(values) + self.centre, 2 * np.pi)
        )

    def values(self, free: np.ndarray) -> np.ndarray:
        return np.asarray(np.pi - np.remainder(np.pi - free, 2 * np.pi))


class SimplexChart:
    """Log-ratios of the cells of each row that are not zero; the largest is the reference."""

    def __init__(self, rows: np.ndarray) -> None:
        self._rows, self._live = rows, rows > _BOUNDARY
        moving = self._live & (np.arange(rows.shape[-1]) != rows.argmax(axis=-1)[..., None])
        self._moving, self.moved, self.is_whole = moving, np.flatnonzero(moving), bool(self._live.all())
        self._largest = rows.argmax(axis=-1)[..., None]
        self.centre = self.coordinates(rows)

    def coordinates(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = values / np.take_along_axis(values, self._largest, axis=-1)
            return np.asarray(np.log(ratios[self._moving]))

    def values(self, free: np.ndarray) -> np.ndarray:
        weights = np.array(
            np.broadcast_to(np.where(self._live, 1.0, 0.0), (*free.shape[:-1], *self._rows.shape))
        )
        weights[..., self._moving] = np.exp(free)
        rest = 1.0 - np.where(self._live, 0.0, self._rows).sum(axis=-1, keepdims=True)
        return np.where(self._live, rest * weights / weights.sum(axis=-1, keepdims=True), self._rows)


class SymmetricChart:
    """The entries on and below the diagonal."""

    is_whole = True

    def __init__(self, inside: np.ndarray) -> None:
        self._inside, side = inside, inside.shape[-1]
        self._rows, self._columns = np.tril_indices(side)
        stacks = np.arange(inside.size // side**2)[:, None] * side**2
        self.moved = (stacks + self._rows * side + self._columns).ravel()
        self.centre = self.coordinates(inside)

    def coordinates(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(values[..., self._rows, self._columns]).ravel()

    def _triangles(self, free: np.ndarray) -> np.ndarray:
        """Lower triangular matrices of coordinates."""
        lead = free.shape[:-1]
        whole = np.zeros((*lead, *self._inside.shape))
        whole[..., self._rows, self._columns] = free.reshape(*lead, *self._inside.shape[:-2], len(self._rows))
        return whole

    def values(self, free: np.ndarray) -> np.ndarray:
        lower = self._triangles(free)
        return np.asarray(lower + np.swapaxes(np.tril(lower, -1), -1, -2))


class DefiniteChart(SymmetricChart):
    """C G Gᵀ Cᵀ with C Cᵀ the point itself and G lower triangular, its diagonal exponentials (log-Cholesky)."""

    def __init__(self, inside: np.ndarray) -> None:
        self._root = np.linalg.cholesky(inside)
        super().__init__(inside)

    def coordinates(self, values: np.ndarray) -> np.ndarray:
        """Of the point itself exactly 0."""
        if values is self._inside:
            return np.zeros(len(self.moved))
        halved = np.linalg.solve(self._root, np.linalg.cholesky(values))
        eye = np.broadcast_to(np.eye(values.shape[-1], dtype=bool), values.shape)
        return super().coordinates(np.log(halved, where=eye, out=halved))

    def values(self, free: np.ndarray) -> np.ndarray:
        lower, eye = self._triangles(free), np.eye(self._inside.shape[-1], dtype=bool)
        moved = self._root @ np.where(eye, np.exp(lower), lower)
        return np.asarray(moved @ np.swapaxes(moved, -1, -2))
