"""Parameters as points of the unconstrained space: logarithm, logit, log-ratios, Cholesky factors.

In these coordinates a gradient vanishes exactly where the constrained gradient with its multipliers does,
every move is feasible, and at a stationary point the Hessian has the signature of the Hessian on the
tangent space of the constraints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symem.evaluation.stacks import Array
from symem.language.support import Support
from symem.language.supports import Simplex
from symem.runtime.charts import Chart
from symem.runtime.tangents import _entries_of

Theta = dict[str, Any]


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
        """The entry that each coordinate moves: `mu[1, 0]`, or `s` where it is a number."""
        entries = (
            (_entries_of(names[0], self.theta[names[0]]) if len(names) == 1 else names, chart.moved.tolist())
            for names, chart in self._charts
        )
        return [named[place] for named, places in entries for place in places]

    def among(self, entries: Mapping[str, Array]) -> Array:
        """Whether each coordinate moves one of these entries, an array being told by truth values of its shape."""
        found = (
            np.ravel(entries[names[0]])[chart.moved]
            if len(names) == 1
            else np.ones(len(chart.moved), dtype=bool)
            for names, chart in self._charts
        )
        return np.concatenate([np.zeros(0, dtype=bool), *found])

    @property
    def are_inside(self) -> bool:
        """Whether nothing that moves lies on the boundary."""
        return all(chart.is_whole for _names, chart in self._charts)


@dataclass(frozen=True)
class _Block:
    """Parameters that one chart covers: an array, or the scalars of a simplex."""

    names: tuple[str, ...]
    support: Support
    inside: Array

    def chart(self) -> Chart:
        return self.support.chart(self.inside)

    def defect(self) -> float:
        """How far the values are from their support."""
        return self.support.defect(self.inside) if np.all(np.isfinite(self.inside)) else np.inf


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


def total_defect(model: Any, theta: Mapping[str, Any]) -> float:
    """How far theta is from its supports: simplexes that do not sum to one, values outside their bounds."""
    return max((block.defect() for block in _blocks(model, theta)), default=0.0)


def outside(model: Any, theta: Mapping[str, Any], tolerance: float) -> tuple[str, Support] | None:
    """The first parameters that are further than that from their support, by name, with it; None if there are none."""
    for block in _blocks(model, theta):
        if not block.defect() <= tolerance:
            return ", ".join(block.names), block.support
    return None


def directions(rng: np.random.Generator, count: int, width: int) -> Sequence[Array]:
    """Random directions of unit length."""
    raw = rng.normal(size=(count, width))
    return list(raw / np.linalg.norm(raw, axis=1, keepdims=True))
