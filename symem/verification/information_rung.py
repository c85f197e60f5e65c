"""V6: what the module says of score and information, against what the declared model's Q and ℓ do along lines.

The lines lead through θ in the directions in which it may move, measured so that complete data know them to one standard
error: then all numbers are of the order of one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from symem.verification.ground import SLOPE, Array, Finding, Ground, Theta, or_infinite
from symem.verification.information_formulas import along

#: How many lines; their steps, in standard errors of complete data, and at most as shares of the way to an end.
_LINES, _STEP, _OF_ROOM = 2, 0.05, 0.05
#: Central differences of sixth order over seven places (Fornberg 1988, table 1).
_PLACES = np.arange(-3, 4)
_FIRST = np.array([-1, 9, -45, 0, 45, -9, 1]) / 60
_SECOND = np.array([2, -27, 270, -490, 270, -27, 2]) / 180
#: A gap that would fail counts if halving the step leaves what it is measured by alone but for a share of it, as a kink does not.
_SETTLED = 0.1
#: What rounding does to a second difference, for each unit of ℓ.
_ROUNDING = 1e-13


def information_is_that_of_the_model(ground: Ground) -> Iterator[Finding]:
    """V6: Fisher 1925; Orchard & Woodbury 1972; Louis 1982; Oakes 1999."""
    if ground.solver is None:
        yield Finding(None, "no emitted module was given")
        return
    if ground.derivation.mean_field:
        yield Finding(
            None, "the curvature of the free energy of a mean field is no information on the parameters"
        )
        return
    for theta in ground.points:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = ground.solver.information(dict(theta), **ground.asked)
        except Exception as reason:  # noqa: BLE001  whatever a module raises is what is wrong with it
            yield Finding(np.inf, f"information raises {type(reason).__name__}: {reason}")
            return
        if not np.all(np.isfinite(found.complete)):
            yield Finding(
                None,
                f"there is no information to ask about: {dict(found.notes).get('held', found.message)}",
            )
            return
        yield from _along_lines(ground, theta, found)


def _along_lines(ground: Ground, theta: Theta, found: Any) -> Iterator[Finding]:
    belief, rng = ground.oracle.at(theta), np.random.default_rng(ground.seed)
    arrays = ground.formulas.at(theta).with_statistics
    theta = {name: theta[name] for name in found.parameters._fields}
    surrogate, objective = ground.objective(belief), belief.log_posteriors
    for _ in range(_LINES):
        way = found.basis @ rng.normal(size=found.basis.shape[1])
        length = way @ found.complete @ way
        way = way / np.sqrt(np.abs(length)) if length != 0 else way
        step = _step(found, way)
        sizes = np.abs(objective(_points(theta, way, np.zeros(1)))).item() + 1
        if sizes * _ROUNDING / step**2 > 1e-7:
            yield Finding(None, "θ lies so near an end of its support that differences lose their digits")
            return
        complete, missing = along(ground.derivation, arrays, found.parameters, way)
        told = {
            "the score": way @ found.score,
            "the complete information": way @ found.complete @ way,
            "the observed information": way @ found.observed @ way,
            "the formulas of the complete information": complete,
            "the formulas of the missing information": missing,
        }
        yield from _compared(told, partial(_truth, objective, surrogate, theta, way), step)
        gap = or_infinite(np.max(np.abs(found.complete - found.missing - found.observed)))
        yield Finding(float(gap), "in complete - missing = observed")


def _compared(
    told: Mapping[str, float | None], truth: Callable[[float], tuple[float, ...]], step: float
) -> Iterator[Finding]:
    """What is told against differences; what these do not settle is open."""
    there = truth(step)
    gaps = [
        0.0 if mine is None else or_infinite(np.array(abs(mine - true) / (1 + abs(true)))).item()
        for mine, true in zip(told.values(), there, strict=True)
    ]
    nearer = truth(step / 2) if max(gaps) > SLOPE else there
    for name, gap, one, other in zip(told, gaps, there, nearer, strict=True):
        settled = abs(one - other) <= _SETTLED * gap * (1 + abs(one))
        unsettled = f"differences of ℓ do not settle near θ, as where it has a kink: {name} was not checked"
        yield Finding(gap, f"in {name}") if gap <= SLOPE or settled else Finding(None, unsettled)


def _step(found: Any, way: Array) -> float:
    """A step of which three lead nowhere near an end."""
    at = np.concatenate([np.ravel(value) for value in found.parameters])
    room = np.minimum(at - found.ends[:, 0], found.ends[:, 1] - at)
    with np.errstate(all="ignore"):
        shares = room / np.abs(way)
    return float(min(_STEP, _OF_ROOM * np.min(shares[way != 0], initial=np.inf)))


def _points(theta: Theta, way: Array, lengths: Array) -> dict[str, Array]:
    """θ and so much of the way, for each length, which is the first axis."""
    found, start = {}, 0
    for name, value in theta.items():
        size = int(np.size(value))
        part = way[start : start + size].reshape(np.shape(value))
        found[name] = np.asarray(value, dtype=float) + np.multiply.outer(lengths, part)
        start += size
    return found


def _truth(
    objective: Callable[[Theta], Array],
    surrogate: Callable[[Theta], Array],
    theta: Theta,
    way: Array,
    step: float,
) -> tuple[float, ...]:
    """The score, complete and observed information, and once more complete information and what of it is missing."""
    slope, bend = _derivatives(objective, theta, way, step)
    complete, observed = -_derivatives(surrogate, theta, way, step)[1], -bend
    return slope, complete, observed, complete, complete - observed


def _derivatives(
    function: Callable[[Theta], Array], theta: Theta, way: Array, step: float
) -> tuple[float, float]:
    """The first and the second derivative along the way."""
    values = function(_points(theta, way, step * _PLACES))
    values = values - values[3]
    return float(_FIRST @ values / step), float(_SECOND @ values / step**2)
