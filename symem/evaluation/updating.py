"""The M-step in numbers: every update in its order, then what is found by ascent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sympy import Expr

from symem.derivation import Ascent, Climbed, Update, defined_by
from symem.evaluation.arithmetic import Arithmetic, Arrays, evaluate
from symem.language.leaves import name_of, places_of
from symem.runtime.newton import (
    Place,
    _are_logs,
    _as_one,
    _climbed,
    _coordinates,
    _from_coordinates,
    _nowhere,
    _one_step,
    _parted_as,
)

#: How far away the maximum is looked for from again, and by how much it may then be elsewhere.
_NEARBY, _SAME = 0.01, 1e-11
#: What share of its size what must be positive is left with where the ascent goes to 0, which is no maximum inside.
_AT_ZERO = 1e-6


def updated(updates: Sequence[Update], arrays: Mapping[str, Any], *, sure: bool = False) -> Arrays:
    """All arrays, the parameters being those that maximise Q; NaN, if need be, where it is not `sure` that there is a maximum."""
    climbed = settled if sure else ascended
    return climbed(updates, evaluate((each for update in updates for each in defined_by(update)), arrays))


def stepped(updates: Sequence[Update], arrays: Mapping[str, Any]) -> Arrays:
    """All arrays, the parameters being those after the M-step: where one step is taken, this need not maximise Q."""
    known = evaluate((each for update in updates for each in defined_by(update)), arrays)
    for part in parts_of(updates):
        known = _at_the_top(part, known, one_step=part.one_step)
    return known


def parts_of(updates: Sequence[Update]) -> tuple[Climbed, ...]:
    """What is climbed."""
    return tuple(dict.fromkeys(update.within for update in updates if isinstance(update, Ascent)))


def ascended(updates: Sequence[Update], arrays: Mapping[str, Any]) -> Arrays:
    """The arrays with every concave part at its maximum, all else being held."""
    known = dict(arrays)
    for part in parts_of(updates):
        known = _at_the_top(part, known)
    return known


def settled(updates: Sequence[Update], arrays: Mapping[str, Any], *, as_taken: bool = False) -> Arrays:
    """The same, NaN where the maximum depends on where it is looked for from: there is none inside, or it is lost in rounding;
    `as_taken`, by one step where no more is.
    """
    known = dict(arrays)
    for part in parts_of(updates):
        if as_taken and part.one_step:
            known = _at_the_top(part, known, one_step=True)
            continue
        one = _at_the_top(part, known, asked=True)
        values = [_entries(one, each) for each in part.parameters]
        if _come_to_zero(part.parameters, values, known):
            known = _with(one, part.parameters, [np.nan] * len(values))
            continue
        nearby = _at_the_top(part, one, away=_NEARBY)
        known = _with(
            one,
            part.parameters,
            [
                np.where(np.abs(_entries(nearby, each) - value) <= _SAME * (1 + np.abs(value)), value, np.nan)
                for each, value in zip(part.parameters, values, strict=True)
            ],
        )
    return known


def _at_the_top(
    part: Climbed, arrays: Arrays, away: float = 0.0, *, one_step: bool = False, asked: bool = False
) -> Arrays:
    """The arrays with the parameters of a part at its maximum, looked for from that far away of where they are; or one step
    towards it. If `asked`, NaN what the ascent did not come to a maximum in.
    """
    start = [_entries(arrays, each) for each in part.parameters]
    plates = tuple(len(each.axes) for each in part.slopes)
    charts = tuple((each.kind, each.beside) for each in part.charts)

    def at(point: Any) -> Place:
        values = _from_coordinates(_parted_as(point, start), charts)
        if not _may_be(part.parameters, values):
            return _nowhere(len(point))
        known = _with(arrays, part.parameters, values)
        value = Arithmetic(known).number(part.part)
        found = evaluate((*part.slopes, *part.curvatures), known)
        slopes = [found[name_of(each.symbol)] for each in part.slopes]
        bends = [found[name_of(each.symbol)] for each in part.curvatures]
        return _as_one(value, slopes, bends, plates)

    flat = np.concatenate([np.reshape(each, -1) for each in _coordinates(start, charts)]) + away
    logs = _are_logs(start, charts)
    if one_step:
        point = _one_step(at, flat, logs)
    else:
        climb = _climbed(at, flat, logs, asked=asked)
        point = np.where(climb.endless, np.nan, climb.point) if asked else climb.point
    found = _parted_as(point, start)
    return _with(arrays, part.parameters, _from_coordinates(found, charts))


def _come_to_zero(parameters: Sequence[Expr], values: Sequence[Any], before: Arrays) -> bool:
    """Whether what must be positive has all but vanished."""
    return any(
        each.is_positive and np.any(value < _AT_ZERO * _entries(before, each))
        for each, value in zip(parameters, values, strict=True)
    )


def _may_be(parameters: Sequence[Expr], values: Sequence[Any]) -> bool:
    """Whether what must be positive is: beyond, a formula may be finite and mean nothing."""
    return not any(
        each.is_positive and np.any(np.less_equal(value, 0))
        for each, value in zip(parameters, values, strict=True)
    )


def _where(parameter: Expr) -> tuple[int | slice, ...]:
    return tuple(int(each) if each.is_Integer else slice(None) for each in places_of(parameter))


def _entries(arrays: Arrays, parameter: Expr) -> Any:
    return np.array(arrays[name_of(parameter)], dtype=float)[_where(parameter)]


def _with(arrays: Arrays, parameters: Sequence[Expr], values: Sequence[Any]) -> Arrays:
    changed = dict(arrays)
    for parameter, value in zip(parameters, values, strict=True):
        whole = np.array(changed[name_of(parameter)], dtype=float)
        whole[_where(parameter)] = value
        changed[name_of(parameter)] = whole
    return changed
