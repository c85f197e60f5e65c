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
        zeros, weights = _gauss_hermite(round(key[0] ** (1 / key[1])))
        nodes = np.meshgrid(*[np.sqrt(2.0) * zeros] * key[1], indexing="ij")
        logs = np.meshgrid(*[weights + np.log(2.0) / 2] * key[1], indexing="ij")
        _RULES[key] = np.reshape(nodes, (key[1], -1)), np.sum(np.reshape(logs, (key[1], -1)), axis=0)
    return _RULES[key]


def _gauss_hermite(count: int) -> tuple[Any, Any]:
    """The zeros of a Hermite polynomial, as eigenvalues with a Newton step, and the logarithms of the weights with exp(z²).

    Golub & Welsch 1969; the weights by Szegő 1975, eq. 3.4.7, which holds where they themselves are no numbers any more.
    """
    beside = np.sqrt(np.arange(1, count) / 2)
    zeros = np.linalg.eigvalsh(np.diag(beside, 1) + np.diag(beside, -1))
    zeros = zeros - _hermite_functions(zeros, count)[1] / np.sqrt(2.0 * count)
    zeros = (zeros - zeros[::-1]) / 2
    return zeros, -_hermite_functions(zeros, count)[0]


def _hermite_functions(z: Any, count: int) -> tuple[Any, Any]:
    """log Σ ψ_k(z)² over the Hermite functions k < n, and ψ_n over ψ_(n - 1), kept from under- and overflow."""
    before, own = np.zeros_like(z), np.full_like(z, np.pi**-0.25)
    scale, total = -(z**2) / 2, np.zeros_like(z)
    for k in range(count):
        total = total + own**2
        before, own = own, z * np.sqrt(2.0 / (k + 1)) * own - np.sqrt(k / (k + 1)) * before
        less = np.where(np.abs(own) > 1e100, 1e-100, 1.0)
        before, own, total, scale = before * less, own * less, total * less**2, scale - np.log(less)
    return np.log(total) + 2.0 * scale, own / before


def _rule_node(places: Any, count: Any, dimensions: Any, coordinate: Any) -> Any:
    """A coordinate of the nodes at these places."""
    return _rule_of_nodes(count, dimensions)[0][int(coordinate)][places]


def _rule_log_weight(places: Any, count: Any, dimensions: Any) -> Any:
    """The log-weights at these places."""
    return _rule_of_nodes(count, dimensions)[1][places]


def _modes(function: Any, dimensions: int, shape: tuple[int, ...], *given: Any) -> Any:
    """Where a function is largest, for all entries at once.

    `function` gives its values, its slopes and its bends row by row. Newton's method, each step halved for as long as the
    function would fall; where it is no hill it is climbed along its slopes. Until the steps of all entries are rounding.
    """
    place = [np.zeros(shape) for _ in range(dimensions)]
    with np.errstate(all="ignore"):
        value, slopes, bends = function(place, given)
        for _ in range(200):
            step = _uphill(slopes, bends, shape)
            size = np.max(np.abs(step), axis=0)
            length = np.where(size > 1e-10 * (1.0 + np.max(np.abs(place), axis=0)), 1.0, 0.0)
            if not np.any(length):
                break
            for _ in range(60):
                tried = [each + length * by for each, by in zip(place, step, strict=True)]
                found = function(tried, given)
                rising = found[0] >= value - 1e-12 * (1.0 + np.abs(value))
                if np.all(rising):
                    break
                length = np.where(rising, length, length / 2)
            place, (value, slopes, bends) = tried, found
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
