"""Parameters as one vector without constraints: logarithms, log-ratios, Cholesky factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from symem.runtime.charts import (
    Chart,
    CircleChart,
    DefiniteChart,
    IntervalChart,
    SimplexChart,
    SymmetricChart,
)
from symem.runtime.checks import _infimum_supremum
from symem.runtime.description import Array, Model


class _Covered:
    """Parameters that one chart covers: an array, or the scalars that sum to 1 together."""

    def __init__(self, names: tuple[str, ...], spec: Array, centre: Any) -> None:
        self._names, self._spec = names, spec
        self.chart = self._chart(self._rows(centre))

    def _rows(self, theta: Any) -> np.ndarray:
        """The values as the chart takes them: the entries of each simplex along the last axis."""
        if len(self._names) > 1:
            return np.array([getattr(theta, name) for name in self._names], dtype=float)
        values = np.asarray(getattr(theta, self._names[0]), dtype=float)
        if self._spec.kind != "simplex" or not values.ndim:
            return values
        return values.reshape(*values.shape[: values.ndim - self._spec.simplex_axes], -1)

    def _chart(self, rows: np.ndarray) -> Chart:
        kind, ends = self._spec.kind, _infimum_supremum(self._spec)
        if kind == "definite":
            return DefiniteChart(rows)
        if kind == "symmetric":
            return SymmetricChart(rows)
        if len(self._names) > 1 or (kind == "simplex" and rows.ndim):
            return SimplexChart(rows)
        if ends == (-np.pi, np.pi):
            return CircleChart(rows)
        return IntervalChart(rows, *ends)

    def coordinates(self, theta: Any) -> np.ndarray:
        return self.chart.coordinates(self._rows(theta))

    def values(self, free: np.ndarray, centre: Any) -> dict[str, Any]:
        """By name, in the shapes of the centre."""
        found = self.chart.values(free)
        if len(self._names) > 1:
            return dict(zip(self._names, found, strict=True))
        name = self._names[0]
        return {name: found.reshape(np.shape(getattr(centre, name)))[()]}


class _FreeVector:
    """Coordinates of parameters around a point of theirs; an entry that stands on an edge there has none."""

    def __init__(self, model: Model, centre: Any) -> None:
        firsts = {names[0]: names for names in model.simplexes}
        others = {name for names in model.simplexes for name in names[1:]}
        self._centre = centre
        self._blocks = [
            _Covered(firsts.get(name, (name,)), spec, centre)
            for name, spec in model.parameters.items()
            if name not in others
        ]
        self._cuts = np.cumsum([len(block.chart.moved) for block in self._blocks])[:-1]
        self._are_whole = all(block.chart.is_whole for block in self._blocks)

    def of(self, theta: Any) -> np.ndarray:
        """The coordinates of other parameters, (p); not finite where an entry has reached an edge, or left one."""
        vector = np.concatenate([block.coordinates(theta) for block in self._blocks])
        if not self._are_whole and not all(map(np.allclose, self.point(vector), theta)):
            return np.full_like(vector, np.nan)
        return vector

    def point(self, vector: np.ndarray) -> Any:
        """The parameters that coordinates stand for."""
        values: dict[str, Any] = {}
        for block, part in zip(self._blocks, np.split(vector, self._cuts), strict=True):
            values.update(block.values(part, self._centre))
        return type(self._centre)(**values)

    def lengths(self, vector: np.ndarray) -> np.ndarray:
        """Of each parameter the root mean square of its coordinates."""
        parts = np.split(vector, self._cuts)
        return np.array([np.sqrt(np.mean(part**2)) if part.size else 0.0 for part in parts])

    def spread(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers of the parameters as those of their coordinates, (p)."""
        return np.repeat(numbers, [len(block.chart.moved) for block in self._blocks])
