"""A maximum of a function of a few numbers, by Newton's method, the only one where it is concave; and what there is none of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

#: Steps until the maximum is given up, and halvings until a step is.
_STEPS, _HALVINGS = 100, 100
#: What share of its value a function gains by a step of logarithms that is longer than that, unless it levels off there.
_LOG_RISE, _LOG_STEP = 1e-7, 0.3
#: The longest step of a logarithm.
_LOG_LONGEST = 3.0
#: How much of a function's value is rounding: where a shorter step gains no more, the rest is noise.
_LEAST = 1e-13
#: What a step still gains where the next one is rounding, and how long it is beside the point.
_GAIN, _SHORT = 1e-12, 1e-6
#: How far a step may lead from the maximum where the one before it tells: the error of a step is as the square of its length.
_REACHED = 1e-13
#: How long a step is that the function does not let be taken, so that it has no maximum in reach.
_STUCK = 1e-3
#: How little a function bends where it has no maximum, beside how it bends at 0; and how many times its size a number is off
#: there, the others being free; with them held, by a share of it.
_FLAT, _OFF = 1e-8, 10
#: How much of a direction is along a number, to be one of it; and what a step along it is to lose.
_LOG_SHARE, _LOG_LOSS = 0.01, 1e-6
#: What is left of a direction that the function does not see; of a pivot that is far from that.
_UNSEEN, _SOUND = 1e-11, 1e-3


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


def _climbed(at: Callable[[Any], Place], start: Any, logs: Any = None, *, asked: bool = True) -> Climb:
    """Newton's method with steps that are halved until the function does not fall (Boyd & Vandenberghe 2004, section 9.5); `logs`
    tells which numbers are logarithms, and so have no unit; what rises for ever is told if `asked`.
    """
    logs = np.zeros(len(start), dtype=bool) if logs is None else logs
    point, here, ended = _ascent(at, start, logs)
    if not asked:
        return Climb(point, None)
    stuck = ~(np.abs(_newton(here)) <= _STUCK * (1 + np.abs(point))) & (not ended)
    return Climb(point, _is_flat(at, point, here, logs) | stuck)


def _one_step(at: Callable[[Any], Place], start: Any, logs: Any) -> Any:
    """Where one of these steps leads (Lange 1995)."""
    here = at(start)
    step = _newton(here)
    if not here.slopes @ step > 0:
        return start
    there, taken = _raised(at, start, here, _shortened(step, logs))
    return start if there is None else start + taken


def _shortened(step: Any, logs: Any) -> Any:
    """A step that is no longer than a logarithm's may be."""
    return step * min(1.0, _LOG_LONGEST / np.max(np.abs(step), initial=_LOG_LONGEST, where=logs))


def _ascent(at: Callable[[Any], Place], start: Any, logs: Any) -> tuple[Any, Place, bool]:
    """Where the steps end, the function there, or near there, and whether they ended by themselves."""
    point, here, held, before = start, at(start), np.zeros(len(start), dtype=bool), np.inf
    for _ in range(_STEPS):
        step = _newton(_of_the_free(here, held))
        gain = float(here.slopes @ step)
        if not np.isfinite(gain):
            break
        if gain < max(_GAIN, _LEAST * abs(here.value)) and np.any(_is_shallow(point, here)):
            return point, here, True
        if not gain > 0:
            return point, here, True
        size = np.max(np.abs(step) / np.where(logs, 1.0, np.abs(point)))
        short = np.all(np.abs(step) <= _SHORT * (1 + np.abs(point)))
        if short and (gain < _GAIN or (size <= _SHORT and size**3 < _REACHED * before**2)):
            return point + step, here, True
        step = _shortened(step, logs)
        there, taken = _raised(at, point, here, step)
        if there is None:
            break
        level = logs & (np.abs(taken) > _LOG_STEP)
        if np.any(level) and there.value < here.value + _LOG_RISE * (1 + abs(here.value)):
            held = held | level
            continue
        before = size if taken is step else np.inf
        lost = np.any(taken != step) and there.value <= here.value + _LEAST * (1 + abs(here.value))
        point, here = point + taken, there
        if lost:
            break
    return point, here, False


def _of_the_free(here: Place, held: Any) -> Place:
    """The function of the numbers that are not held."""
    if not np.any(held):
        return here
    bends = np.where(held | held[:, None], 0.0, here.bends) - np.diag(held.astype(float))
    return Place(here.value, np.where(held, 0.0, here.slopes), bends)


def _is_flat(at: Callable[[Any], Place], point: Any, here: Place, logs: Any) -> Any:
    """In which numbers the function bends so little that there is no maximum to speak of."""
    scale, _lost, bent = _scaled(here)
    sizes, ways = np.linalg.eigh(bent)
    size, together = 1 + np.abs(point), np.sqrt(ways**2 @ (1 / np.maximum(sizes, _UNSEEN)))
    loose = ~(-np.diagonal(here.bends) > 0) | ((together > _OFF * size * scale) & (size * scale < _OFF))
    if np.any(loose):
        loose &= logs | (np.diagonal(here.bends) > _FLAT * np.diagonal(at(np.zeros(len(point))).bends))
    way = ways[:, np.argmin(np.abs(sizes))] / scale
    return loose | _levels_off(at, point, here, logs & (np.abs(way) > _LOG_SHARE * np.max(np.abs(way))), way)


def _levels_off(at: Callable[[Any], Place], point: Any, here: Place, logs: Any, way: Any) -> Any:
    """Which logarithms are far out on the level: there the function no longer sees a step of e along the way, as it did at 0."""
    if not np.any(logs):
        return logs
    step = way / np.max(np.abs(way))
    lost = here.value - max(at(point + step).value, at(point - step).value)
    least = _LOG_LOSS * (1 + abs(here.value))
    return logs & (abs(lost) < least) & (abs(at(0 * step).value - at(step).value) > least)


def _raised(at: Callable[[Any], Place], point: Any, here: Place, step: Any) -> tuple[Place | None, Any]:
    """The function after a step, or a shorter one, where it has not fallen; None where there is none."""
    for _ in range(_HALVINGS):
        there = at(point + step)
        if there.value >= here.value - _LEAST * (1 + abs(here.value)):
            return there, step
        step = step / 2
    return None, step


def _is_shallow(point: Any, here: Place) -> Any:
    """Where the function bends so little that a number is known to a hundred times its size at best."""
    return np.sqrt(np.maximum(-np.diagonal(here.bends), 0.0)) * 100 * (1 + np.abs(point)) < 1


def _newton(here: Place) -> Any:
    """The step to the top of the parabola, or as far upwards where it has a bottom (Nocedal & Wright 2006, section 3.4); none along
    what the function does not see; NaN for numbers without second derivatives.
    """
    scale, lost, bent = _scaled(here)
    steep = None if np.any(lost) else _by_cholesky(bent, here.slopes / scale)
    if steep is not None:
        return steep / scale
    sizes, ways = np.linalg.eigh(bent)
    sizes = np.abs(sizes)
    seen = sizes > _UNSEEN
    rises = np.where(lost, 0.0, here.slopes / scale)
    along = np.where(seen, ways.T @ rises, 0.0) / np.where(seen, sizes, 1.0)
    return np.where(lost, np.nan, ways @ along / scale)


def _by_cholesky(bent: Any, rises: Any) -> Any:
    """The step where the function bends downwards everywhere, by far more than rounding; None where it does not."""
    try:
        pivots = np.diagonal(np.linalg.cholesky(bent))
    except np.linalg.LinAlgError:
        return None
    return np.linalg.solve(bent, rises) if np.min(pivots, initial=1.0) > _SOUND else None


def _scaled(here: Place) -> tuple[Any, Any, Any]:
    """How numbers are scaled so that the function bends by 1 along each, which have no second derivatives, and how it bends then."""
    scale = np.sqrt(np.abs(np.diagonal(here.bends)))
    scale = np.where(scale > 0, scale, 1.0)
    bent = -here.bends / np.outer(scale, scale)
    lost = ~np.all(np.isfinite(bent), axis=0)
    return scale, lost, np.where(lost | lost[:, None], np.eye(len(scale)), bent)


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


#: By kinds of charts: the coordinate of a value, the value of a coordinate, and the slope of the first; beside each the value
#: beside which it is one. The slope by that is `_BESIDE`.
_COORDINATES: dict[str, tuple[Callable[[Any, Any], Any], ...]] = {
    "": (lambda u, _: u, lambda v, _: v, lambda u, _: np.ones_like(u)),
    "positive": (lambda u, _: u, lambda v, _: np.where(v >= 0, v, np.nan), lambda u, _: np.ones_like(u)),
    "log": (lambda u, _: np.log(u), lambda v, _: np.exp(v), lambda u, _: 1 / u),
    "times": (lambda u, k: k * u, lambda v, k: v / k, lambda u, k: k * np.ones_like(u)),
    "power": (lambda u, k: k * np.log(u), lambda v, k: np.exp(v / k), lambda u, k: k / u),
    "logit": (
        lambda u, _: np.log(u) - np.log1p(-u),
        lambda v, _: 1 / (1 + np.exp(-v)),
        lambda u, _: 1 / (u * (1 - u)),
    ),
}


_BESIDE: dict[str, Callable[[Any], Any]] = {"times": lambda u: u, "power": np.log}


def _coordinates(values: list[Any], charts: tuple[tuple[str, int], ...]) -> list[Any]:
    """Parameters in the coordinates in which they are climbed: themselves, logarithms, these times a parameter, log odds."""
    if not charts:
        return values
    return [
        _COORDINATES[kind][0](value, values[beside])
        for value, (kind, beside) in zip(values, charts, strict=True)
    ]


def _are_logs(values: list[Any], charts: tuple[tuple[str, int], ...]) -> Any:
    """Which of all coordinates are logarithms."""
    kinds = [kind for kind, _ in charts] or [""] * len(values)
    found = [
        np.full(np.size(each), kind in {"log", "logit"}) for each, kind in zip(values, kinds, strict=True)
    ]
    return np.concatenate(found)


def _from_coordinates(found: list[Any], charts: tuple[tuple[str, int], ...]) -> list[Any]:
    """The parameters that have these coordinates; NaN where these have none."""
    if not charts:
        return found
    return [
        _COORDINATES[kind][1](each, found[beside]) for each, (kind, beside) in zip(found, charts, strict=True)
    ]


def _by_values(slopes: list[Any], values: list[Any], charts: tuple[tuple[str, int], ...]) -> list[Any]:
    """Slopes by parameters, from those along coordinates."""
    if not charts:
        return list(slopes)
    made = [
        each * _COORDINATES[kind][2](value, values[beside])
        for each, value, (kind, beside) in zip(slopes, values, charts, strict=True)
    ]
    for number, (kind, beside) in enumerate(charts):
        if kind in _BESIDE:
            more = _BESIDE[kind](values[number]) * slopes[number]
            lost = np.ndim(more) - np.ndim(values[beside])
            made[beside] = made[beside] + np.sum(more, axis=tuple(range(lost)))
    return made
