"""The maximum of a concave function of a few numbers, by Newton's method, and what there is no such maximum of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

#: Steps until the maximum is given up, and halvings until a step is.
_STEPS, _HALVINGS = 100, 100
#: What a step still gains where the next one is rounding, and how long it is beside the point.
_GAIN, _SHORT = 1e-12, 1e-6
#: How long a step is that the function does not let be taken, so that it has no maximum in reach.
_STUCK = 1e-3
#: How little a function bends where it has no maximum, beside how it bends at 0; and how many times its size a number is off
#: there, the others being free; with them held, by a share of it.
_FLAT, _OFF = 1e-8, 10
#: What is left of a direction that the function does not see.
_UNSEEN = 1e-11


class Place(NamedTuple):
    """A function at a point: its value, (p) its slopes, (p, p) its second derivatives."""

    value: float
    slopes: Any
    bends: Any


def _nowhere(size: int) -> Place:
    """Where a function of so many numbers is not defined: towards there it falls, and bends, without end."""
    return Place(-np.inf, np.zeros(size), np.full((size, size), -np.inf))


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
        if not np.isfinite(gain):
            break
        if gain < _GAIN:
            if gain > 0 and np.all(np.abs(step) <= _SHORT * (1 + np.abs(point))):
                return Climb(point + step, _is_flat(at, point, here))
            if not gain > 0 or np.any(_is_shallow(point, here)):
                return Climb(point, _is_flat(at, point, here))
        there, step = _raised(at, point, here, step)
        if there is None:
            break
        point, here = point + step, there
    stuck = ~(np.abs(_newton(here)) <= _STUCK * (1 + np.abs(point)))
    return Climb(point, _is_flat(at, point, here) | stuck)


def _is_flat(at: Callable[[Any], Place], point: Any, here: Place) -> Any:
    """In which numbers the function bends so little that there is no maximum to speak of."""
    scale, _lost, sizes, ways = _bent(here)
    size, together = 1 + np.abs(point), np.sqrt(ways**2 @ (1 / np.maximum(sizes, _UNSEEN)))
    loose = ~(-np.diagonal(here.bends) > 0) | ((together > _OFF * size * scale) & (size * scale < _OFF))
    if np.any(loose):
        loose &= np.diagonal(here.bends) > _FLAT * np.diagonal(at(np.zeros(len(point))).bends)
    return loose


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
    return np.sqrt(np.maximum(-np.diagonal(here.bends), 0.0)) * 100 * (1 + np.abs(point)) < 1


def _newton(here: Place) -> Any:
    """The step to the top of the parabola, none along what the function does not see; NaN for numbers without second derivatives."""
    scale, lost, sizes, ways = _bent(here)
    seen = sizes > _UNSEEN
    rises = np.where(lost, 0.0, here.slopes / scale)
    along = np.where(seen, ways.T @ rises, 0.0) / np.where(seen, sizes, 1.0)
    return np.where(lost, np.nan, ways @ along / scale)


def _bent(here: Place) -> tuple[Any, Any, Any, Any]:
    """How numbers are scaled so that the function bends by 1 along each, which have no second derivatives, and the sizes and
    directions of its bends then.
    """
    scale = np.sqrt(np.maximum(-np.diagonal(here.bends), 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    bent = -here.bends / np.outer(scale, scale)
    lost = ~np.all(np.isfinite(bent), axis=0)
    bent = np.where(lost | lost[:, None], np.eye(len(scale)), bent)
    return scale, lost, *np.linalg.eigh(bent)


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


def _coordinates(values: list[Any], charts: tuple[tuple[str, int], ...]) -> list[Any]:
    """Parameters in the coordinates in which they are climbed: themselves, logarithms, or these times a parameter."""
    if not charts:
        return values
    return [
        value if not kind else np.log(value) * (values[beside] if kind == "power" else 1.0)
        for value, (kind, beside) in zip(values, charts, strict=True)
    ]


def _from_coordinates(found: list[Any], charts: tuple[tuple[str, int], ...]) -> list[Any]:
    """The parameters that have these coordinates."""
    if not charts:
        return found
    return [
        each if not kind else np.exp(each / (found[beside] if kind == "power" else 1.0))
        for each, (kind, beside) in zip(found, charts, strict=True)
    ]


def _by_values(slopes: list[Any], values: list[Any], charts: tuple[tuple[str, int], ...]) -> list[Any]:
    """Slopes by parameters, from those along coordinates."""
    made = list(slopes)
    for number, (kind, beside) in enumerate(charts):
        if kind == "power":
            more = np.log(values[number]) * slopes[number]
            lost = np.ndim(more) - np.ndim(values[beside])
            made[beside] = made[beside] + np.sum(more, axis=tuple(range(lost)))
        if kind:
            made[number] = slopes[number] * (values[beside] if kind == "power" else 1.0) / values[number]
    return made
