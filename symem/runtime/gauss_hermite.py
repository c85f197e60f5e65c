"""Adaptive quadrature: modes for all rows at once, and the nodes and log-weights of Gauss-Hermite rules about there."""

from __future__ import annotations

from typing import Any

import numpy as np

#: The nodes and log-weights of rules, by their numbers of nodes and dimensions.
_RULES: dict[tuple[int, int], tuple[Any, Any]] = {}


def _rule_of_nodes(count: Any, dimensions: Any) -> tuple[Any, Any]:
    """The nodes, a row for each dimension, and the log-weights; of a product of rules in several dimensions."""
    key = int(count), int(dimensions)
    if key not in _RULES:
        zeros, weights = np.polynomial.hermite.hermgauss(round(key[0] ** (1 / key[1])))
        nodes = np.meshgrid(*[np.sqrt(2.0) * zeros] * key[1], indexing="ij")
        logs = np.meshgrid(*[np.log(weights) + zeros**2 + np.log(2.0) / 2] * key[1], indexing="ij")
        _RULES[key] = np.reshape(nodes, (key[1], -1)), np.sum(np.reshape(logs, (key[1], -1)), axis=0)
    return _RULES[key]


def _rule_node(places: Any, count: Any, dimensions: Any, coordinate: Any) -> Any:
    """A coordinate of the nodes at these places."""
    return _rule_of_nodes(count, dimensions)[0][int(coordinate)][places]


def _rule_log_weight(places: Any, count: Any, dimensions: Any) -> Any:
    """The log-weights at these places."""
    return _rule_of_nodes(count, dimensions)[1][places]


def _modes(function: Any, dimensions: int, shape: tuple[int, ...], *given: Any) -> Any:
    """Where a function is largest, for all entries at once.

    `function` gives its values, its slopes and its bends row by row. Newton's method, each step halved for as long as the
    function would fall; where it is no hill it is climbed along its slopes. Until the steps are rounding.
    """
    place = [np.zeros(shape) for _ in range(dimensions)]
    with np.errstate(all="ignore"):
        value, slopes, bends = function(place, given)
        for _ in range(200):
            step = _uphill(slopes, bends, shape)
            length, rising = np.ones(shape), np.zeros(shape, dtype=bool)
            for _ in range(60):
                tried = [each + length * by for each, by in zip(place, step, strict=True)]
                found = function(tried, given)
                rising = found[0] >= value - 1e-12 * np.abs(value)
                if np.all(rising):
                    break
                length = np.where(rising, length, length / 2)
            moved = max(float(np.max(np.abs(length * by), initial=0.0)) for by in step)
            place, (value, slopes, bends) = tried, found
            if not moved > 1e-10 or not np.all(rising):
                break
    return place


def _uphill(slopes: Any, bends: Any, shape: tuple[int, ...]) -> Any:
    """The step to the top of the quadratic with these slopes and bends, or uphill where that has no top."""
    if len(slopes) == 1:
        return [np.broadcast_to(slopes[0] / np.maximum(np.abs(bends[0]), 1e-12), shape)]
    (a, b), (aa, ab, bb) = slopes, bends
    middle, half = (aa + bb) / 2, (aa - bb) / 2
    root = np.hypot(half, ab)
    first, second = np.maximum(np.abs(middle + root), 1e-12), np.maximum(np.abs(middle - root), 1e-12)
    angle = np.arctan2(ab, half) / 2
    c, s = np.cos(angle), np.sin(angle)
    along, across = (c * a + s * b) / first, (c * b - s * a) / second
    return [np.broadcast_to(c * along - s * across, shape), np.broadcast_to(s * along + c * across, shape)]


def _even(shape: tuple[int, ...], axis: int) -> Any:
    """The same weight at every place along an axis."""
    return np.full(shape, 1.0 / shape[axis])


def _larger_half(shape: tuple[int, ...], axis: int) -> Any:
    """The same weight at every place of the later half along an axis."""
    count = shape[axis]
    later = (np.arange(count) >= count // 2).astype(float) / (count - count // 2)
    return np.broadcast_to(
        np.expand_dims(later, [each for each in range(len(shape)) if each != axis]), shape
    ).copy()
