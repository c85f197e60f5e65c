"""Derivatives by central differences with Richardson extrapolation, in units of the function's own curvature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[[Array], float]

_SETTLED = 1e-8


def units(function: Function, at: Array) -> Array:
    """For each coordinate, the step over which the function bends by about one: a standard error.

    For a log-likelihood this makes every tolerance free of the scale of the data. A coordinate along which
    the function is flat gets a step of about one.
    """
    here = function(at)
    return np.array([_unit(function, at, place, here) for place in range(len(at))])


def _unit(function: Function, at: Array, place: int, here: float) -> float:
    step = 1.0 + abs(float(at[place])) / 10
    for _ in range(40):
        bend = abs(function(_moved(at, place, step)) - 2 * here + function(_moved(at, place, -step)))
        if np.isfinite(bend) and bend <= 2.0:
            return step
        step *= 0.5 if not np.isfinite(bend) or bend > 8.0 else 0.7
    return step


def _moved(at: Array, place: int, step: float) -> Array:
    point = at.copy()
    point[place] += step
    return point


def gradient(function: Function, at: Array, unit: Array) -> Array:
    """Derivatives times the units, to about nine digits of the function's rounding."""
    return np.array([_slope(function, at, place, unit[place]) for place in range(len(at))])


def _slope(function: Function, at: Array, place: int, unit: float) -> float:
    """Three central differences, extrapolated twice (Richardson 1911), on ever smaller steps (Ridders 1982)."""
    best, doubt = np.nan, np.inf
    for fraction in (1 / 8, 1 / 32, 1 / 128):
        coarse, fine = _extrapolated(function, at, place, unit * fraction)
        spread = abs(fine - coarse)
        if not spread >= doubt:
            best, doubt = (16 * fine - coarse) / 15 * unit, spread
        if spread * unit <= _SETTLED * (1 + abs(fine) * unit):
            break
    return best


def _extrapolated(function: Function, at: Array, place: int, step: float) -> tuple[float, float]:
    rough = [
        (function(_moved(at, place, each)) - function(_moved(at, place, -each))) / (2 * each)
        for each in (step, step / 2, step / 4)
    ]
    return (4 * rough[1] - rough[0]) / 3, (4 * rough[2] - rough[1]) / 3


def hessian(function: Function, at: Array, unit: Array) -> Array:
    """Second derivatives in the units, by fourth-order differences."""
    width = len(at)
    result = np.empty((width, width))
    for a in range(width):
        for b in range(a + 1):
            coarse, fine = (_mixed(function, at, (a, b), unit * step) for step in (1 / 4, 1 / 8))
            result[a, b] = result[b, a] = (4 * fine * 64 - coarse * 16) / 3
    return result


def _mixed(function: Function, at: Array, places: tuple[int, int], step: Array) -> float:
    a, b = places

    def shifted(sign_a: int, sign_b: int) -> float:
        return function(_moved(_moved(at, a, sign_a * step[a]), b, sign_b * step[b]))

    if a == b:
        return function(_moved(at, a, step[a])) - 2 * function(at) + function(_moved(at, a, -step[a]))
    return (shifted(1, 1) - shifted(1, -1) - shifted(-1, 1) + shifted(-1, -1)) / 4
