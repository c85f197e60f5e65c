"""What of the M-step reads the rows again: parts of Q that are climbed, with the latents as the E-step left them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from symem.runtime.checks import _Ranges
from symem.runtime.description import Cut, Latents, Model, Rise, Rows, Unheld
from symem.runtime.loop import BoundaryWarning, DataError, _position
from symem.runtime.newton import (
    Climb,
    Place,
    _are_logs,
    _as_one,
    _by_values,
    _climbed,
    _coordinates,
    _from_coordinates,
    _nowhere,
    _one_step,
    _parted_as,
)

#: The latents of a chunk.
Held = Callable[[Rows], Latents]


def _climbs_rows(model: Model) -> bool:
    """Whether anything is climbed over the rows."""
    return any(rise.of_rows for rise in model.rises)


def _kept(model: Model, data: Cut, latents: Held) -> Held:
    """The latents of every chunk, kept for as long as the M-step lasts, if anything is climbed over the rows."""
    if not _climbs_rows(model):
        return latents
    if isinstance(data, Unheld):
        names = ", ".join(
            dict.fromkeys(name for rise in model.rises if rise.of_rows for name, _ in rise.parameters)
        )
        raise DataError(
            f"{names} are found by passes over all rows, so these must be in memory: give the arrays themselves."
        )
    kept = {}
    for rows in data.chunks:
        kept[rows.first] = tuple(np.array(each) for each in latents(rows))
    return lambda rows: kept[rows.first]


def _risen(model: Model, expected: Any, theta: Any, data: Cut, held: Held) -> Any:
    """The parameters with every part at its maximum, or one step towards it."""
    for rise in model.rises:
        start = _values(rise, theta)
        found = _parted_as(_top(model, rise, expected, theta, data, held, asked=False).point, start)
        theta = _with_values(rise, theta, _from_coordinates(found, rise.charts))
    return theta


def _is_endless(model: Model, expected: Any, theta: Any, data: Cut, held: Held) -> bool:
    """Whether a part rises for ever in some of its parameters; they are named."""
    found = False
    for rise in model.rises:
        climb = _top(model, rise, expected, theta, data, held)
        ends = _parted_as(climb.endless, _values(rise, theta))
        for (name, place), each in zip(rise.parameters, ends, strict=True):
            if np.any(each):
                found = True
                at = "".join(f"[{one}]" for one in place if one is not None)
                warnings.warn(
                    f"{_position(f'{name}{at}', each)} has no maximum in reach of floating-point numbers: the likelihood rises for "
                    "ever along it, as where data are separated, counts are all 0, or rows have no spread. A prior on it gives it one.",
                    BoundaryWarning,
                    stacklevel=4,
                )
    return found


def _with_risen(model: Model, slopes: Any, theta: Any, expected: Any, data: Cut, held: Held) -> Any:
    """Slopes of Q at theta, with those of the parts."""
    for rise in model.rises:
        place, like = _place_at(rise, theta, expected, data, held), _values(rise, theta)
        found = _by_values(_parted_as(place.slopes, like), like, rise.charts)
        beside = _values(rise, slopes)
        slopes = _with_values(rise, slopes, [one + other for one, other in zip(found, beside, strict=True)])
    return slopes


def _top(
    model: Model, rise: Rise, expected: Any, theta: Any, data: Cut, held: Held, *, asked: bool = True
) -> Climb:
    """The maximum of one part, or a step towards it, which is nowhere outside the parameters' supports; and what there is no maximum
    in if that is asked.
    """
    start, supports = _values(rise, theta), _Ranges(model.parameters)

    def at(point: Any) -> Place:
        here = _with_values(rise, theta, _from_coordinates(_parted_as(point, start), rise.charts))
        if not supports.hold(here):
            return _nowhere(len(point))
        return _place_at(rise, here, expected, data, held)

    begin = _coordinates(start, rise.charts)
    flat = np.concatenate([np.reshape(each, -1) for each in begin])
    logs = _are_logs(start, rise.charts)
    if rise.one_step and not asked:
        return Climb(_one_step(at, flat, logs), None)
    return _climbed(at, flat, logs, asked=asked)


def _place_at(rise: Rise, theta: Any, expected: Any, data: Cut, held: Held) -> Place:
    """One part at theta."""
    found = [np.asarray(each, dtype=float) for each in rise.once(expected, theta, data)]
    if rise.of_rows is not None:
        for rows in data.chunks:
            added = rise.of_rows(expected, theta, rows, held(rows))
            found = [one + other for one, other in zip(found, added, strict=True)]
    count = len(rise.parameters) + 1
    return _as_one(found[0], found[1:count], found[count:], rise.plates)


def _values(rise: Rise, theta: Any) -> list[Any]:
    return [np.asarray(getattr(theta, name), dtype=float)[_where(place)] for name, place in rise.parameters]


def _with_values(rise: Rise, theta: Any, values: list[Any]) -> Any:
    changed: dict[str, Any] = {}
    for (name, place), value in zip(rise.parameters, values, strict=True):
        whole = np.array(changed.get(name, getattr(theta, name)), dtype=float)
        whole[_where(place)] = value
        changed[name] = whole
    return theta._replace(**changed)


def _where(place: tuple[int | None, ...]) -> tuple[Any, ...]:
    return tuple(slice(None) if each is None else each for each in place)
