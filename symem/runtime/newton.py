"""The maximum of a concave function of a few numbers, by Newton's method, and what there is no such maximum of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

#: Steps until the maximum is given up, and halvings until a step is.
_STEPS, _HALVINGS = 100, 100
#: What a step still gains where the next one is rounding, and how long it is beside the point.
_GAIN, _SHORT = 1e-12, 1e-6
#: How little a function bends where it has no maximum, beside how it bends at 0.
_FLAT = 1e-8
#: What is left of a direction that the function does not see.
_UNSEEN = 1e-11


class Place(NamedTuple):
    """A function at a point: its value, (p) its slopes, (p, p) its second derivatives."""

    value: float
    slopes: Any
    bends: Any


class Climb(NamedTuple):
    """Where an ascent ended, (p), and which of its numbers would rise or fall for ever."""

    point: Any
    endless: Any


def _climbed(at: Callable[[Any], Place], start: Any) -> Climb:
    """Newton's method with steps that are halved until the function does not fall (Boyd & Vandenberghe 2004, section 9.5)."""
    point, here = start, at(start)
    for _ in range(_STEPS):
        step = _newton(here)
        gain = float(here.slopes @ step)
        if not 0 < gain < np.inf:
            break
        if gain < _GAIN:
            short = np.all(np.abs(step) <= _SHORT * (1 + np.abs(point)))
            if short or np.any(_is_shallow(point, here)):
                point = point + step if short else point
                break
        there, step = _raised(at, point, here, step)
        if there is None:
            break
        point, here = point + step, there
    shallow = _is_shallow(point, here)
    if np.any(shallow):
        shallow &= np.diagonal(here.bends) > _FLAT * np.diagonal(at(np.zeros(len(point))).bends)
    return Climb(point, shallow)


def _raised(at: Callable[[Any], Place], point: Any, here: Place, step: Any) -> tuple[Place | None, Any]:
    """The function after a step, or a shorter one, where it has not fallen; None where there is none."""
    for _ in range(_HALVINGS):
        there = at(point + step)
        if there.value >= here.value - 1e-13 * (1 + abs(here.value)):
            return there, step
        step = step / 2
    return None, step


def _is_shallow(point: Any, here: Place) -> Any:
    """Where the function bends so little that a number is known to a hundred times its size at best."""
    return -np.diagonal(here.bends) * (100 * (1 + np.abs(point))) ** 2 < 1


def _newton(here: Place) -> Any:
    """The step to the top of the parabola, none along what the function does not see."""
    scale = np.sqrt(np.maximum(-np.diagonal(here.bends), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    bent = -here.bends / np.outer(scale, scale)
    if not np.all(np.isfinite(bent)):
        return np.zeros(len(scale))
    sizes, ways = np.linalg.eigh(bent)
    seen = sizes > _UNSEEN
    along = np.where(seen, ways.T @ (here.slopes / scale), 0.0) / np.where(seen, sizes, 1.0)
    return ways @ along / scale


def _as_one(value: Any, slopes: list[Any], bends: list[Any], plates: tuple[int, ...]) -> Place:
    """A function of several arrays as one of all their entries.

    `bends` are the second derivatives by each array and every later one, row by row, over the axes of both; `plates` tells how
    many of each array's axes come first, those of vectors' entries being the last of all.
    """
    sizes = [np.size(each) for each in slopes]
    ends = np.cumsum([0, *sizes])
    whole, left = np.zeros((ends[-1], ends[-1])), iter(bends)
    for first in range(len(slopes)):
        for second in range(first, len(slopes)):
            bend = np.asarray(next(left), dtype=float)
            if all(np.ndim(slopes[each]) > plates[each] for each in (first, second)):
                bend = np.moveaxis(bend, -2, plates[first])
            block = bend.reshape(sizes[first], sizes[second])
            whole[ends[first] : ends[first + 1], ends[second] : ends[second + 1]] = block
            whole[ends[second] : ends[second + 1], ends[first] : ends[first + 1]] = block.T
    flat = [np.asarray(each, dtype=float).reshape(-1) for each in slopes]
    return Place(float(value), np.concatenate(flat), whole)


def _parted_as(point: Any, like: list[Any]) -> list[Any]:
    """The entries of a point as arrays of the shapes of others."""
    ends = np.cumsum([0, *(np.size(each) for each in like)])
    pieces = zip(ends, ends[1:], like, strict=False)
    return [np.reshape(point[low:high], np.shape(each)) for low, high, each in pieces]
