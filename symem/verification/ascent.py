"""V3 to V5: the update maximises Q, the likelihood never falls, and the fixed point is a maximum of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.optimize import minimize

from symem.evaluation.coordinates import Coordinates, directions, total_defect
from symem.evaluation.differences import gradient, units
from symem.language.leaves import name_of
from symem.verification.ground import (
    GAIN,
    IDENTITY,
    ROUNDING,
    SLOPE,
    Array,
    Finding,
    Ground,
    Theta,
    apart,
    or_infinite,
)
from symem.verification.identities import of_free
from symem.verification.oracle import Belief

STEPS = 30
#: Steps until a fixed point is given up, by the formulas and by the emitted module.
LONGEST_RUN = {False: 120, True: 300}
#: From how many θ⁽ᵗ⁾s a fixed point is looked for, until one is found.
_STARTS = 2
_STILL, _LONGEST_LEAP = 1e-10, 256.0
#: A slope of that many in a standard error is worth half its square.
_PRECISE = {"ftol": 1e-14, "gtol": 1e-5}


def update_maximises(ground: Ground) -> Iterator[Finding]:
    """V3: the slopes of the declared model's Q at the update, and moves that might raise it. Of one step towards it, that it does not
    lower Q, and the same of where such steps end.
    """
    if not ground.derivation.updates:
        yield Finding(None, "no update was derived")
        return
    if _astray(ground):
        yield _ASTRAY
        return
    rng = np.random.default_rng(ground.seed)
    for theta, belief in ground.beliefs():
        found = list(_violations(ground, belief, theta, rng))
        fine = all(each.number is not None and each.number <= SLOPE for each in found)
        if fine or ground.formulas.at(theta).claims_maximum:
            yield from found


_ASTRAY = Finding(None, "an update leaves the support on arbitrary data: give data")


def _astray(ground: Ground) -> bool:
    """Whether data that are no draws from the model take an update out of its support."""
    steps = (ground.step(theta) for theta, _belief in ground.beliefs()) if ground.arbitrary else ()
    return any(total_defect(ground.model, new) > IDENTITY for new in steps)


def _violations(ground: Ground, belief: Belief, theta: Theta, rng: np.random.Generator) -> Iterator[Finding]:
    new = ground.step(theta)
    defect = total_defect(ground.model, new)
    yield Finding(defect / IDENTITY * SLOPE, "the update leaves the support")
    if defect <= IDENTITY:
        if ground.derivation.one_step:
            yield _of_one_step(ground, belief, theta, new)
            new = ground.formulas.at(theta).top()
        for point, held in ground.stages(theta, new):
            top = Top(ground, belief, point, held)
            yield from top.slopes()
            yield from top.rises(rng)


def _of_one_step(ground: Ground, belief: Belief, theta: Theta, new: Theta) -> Finding:
    """Whether one step of Newton's method, the other parameters being new, lowers Q; what it leads towards is held to be the top."""
    before = dict(new)
    for parameter in ground.derivation.one_step:
        before[name_of(parameter)] = theta[name_of(parameter)]
    low, high = ground.objective(belief)(together([before, new])).tolist()
    return Finding((low - high) / (1 + abs(high)) / ROUNDING * SLOPE, "one step lowers Q")


@dataclass(frozen=True)
class Top:
    """A point that should be the highest of Q, some parameters being held."""

    ground: Ground
    belief: Belief
    point: Theta
    held: frozenset[str]

    @cached_property
    def coordinates(self) -> Coordinates:
        return Coordinates(self.ground.model, self.point, self.held)

    @cached_property
    def _units(self) -> Array:
        return units(of_free(self.ground.objective(self.belief), self.coordinates), self.coordinates.free())

    def slopes(self) -> Iterator[Finding]:
        objective = of_free(self.ground.objective(self.belief), self.coordinates)
        found = or_infinite(np.abs(gradient(objective, self.coordinates.free(), self._units)))
        for slope, label in zip(found.tolist(), self.coordinates.labels, strict=True):
            yield Finding(slope, f"∂Q/∂{label} does not vanish")

    def rises(self, rng: np.random.Generator) -> Iterator[Finding]:
        objective = self.ground.objective(self.belief)
        rivals, reasons = zip(*self._rivals(rng), strict=True)
        peak, *heights = objective(together([self.point, *rivals])).tolist()
        for height, reason in zip(heights, reasons, strict=True):
            yield Finding((height - peak) / (1 + abs(peak)) / ROUNDING * SLOPE, reason)

    def _rivals(self, rng: np.random.Generator) -> Iterator[tuple[Theta, str]]:
        """Feasible parameters near the point, and on the way from it to the θ⁽ᵗ⁾s, off any boundary."""
        at = self.coordinates.free()
        for length in (1e-2, 1e-1, 1.0, 4.0):
            for direction in directions(rng, 8, len(at)):
                yield (
                    self.coordinates.point(at + length * direction * self._units),
                    f"a move of {length:g} standard errors raises Q",
                )
        for other in self.ground.points:
            for share in (1e-4, 1e-2, 0.3, 1.0):
                yield _between(self.point, other, share, self.held), "a step towards another θ raises Q"


def _between(new: Theta, other: Theta, share: float, fixed: frozenset[str]) -> Theta:
    moving = {name: 0.0 if name in fixed else share for name in new}
    return {
        name: (1 - moving[name]) * np.asarray(new[name]) + moving[name] * np.asarray(other[name])
        for name in new
    }


def likelihood_never_falls(ground: Ground) -> Iterator[Finding]:
    """V4: thirty steps from every θ⁽ᵗ⁾, ℓ by the oracle, with the log-prior in MAP-EM."""
    if _astray(ground):
        yield _ASTRAY
        return
    for theta in ground.points:
        iterates, values = _path(ground, theta)
        falls = [(before - after) / (1 + abs(before)) for before, after in itertools.pairwise(values)]
        for place, fall in enumerate(falls):
            seen = fall
            if fall > ROUNDING:
                seen -= _noise(ground, iterates[place : place + 2]) / (1 + abs(values[place]))
            yield Finding(seen, f"in step {place + 1}")
        if not falls and not ground.formulas.at(theta).claims_maximum:
            yield Finding(None, "the conditions of the updates do not hold on these data: give data")
        elif not falls:
            yield Finding(np.inf, "in the first step")


def _noise(ground: Ground, thetas: Sequence[Theta]) -> float:
    """How much ℓ changes where θ changes by its last digit: large counts, whose logarithms cancel, leave no more of it."""
    units = np.arange(-8, 9) * np.finfo(float).eps
    noise = 0.0
    for theta in thetas:
        moved = [{name: np.asarray(value) * (1 + unit) for name, value in theta.items()} for unit in units]
        noise = max(noise, float(np.ptp(ground.oracle.log_posteriors(together(moved)))))
    return 8 * noise


def _path(ground: Ground, theta: Theta) -> tuple[list[Theta], list[float]]:
    """θ and ℓ along EM, up to where it ceases to be finite: a component that collapses has no maximum."""
    iterates: list[Theta] = []
    here: Theta | None = theta
    while here is not None and len(iterates) <= STEPS:
        iterates.append(here)
        here = _stepped(ground, here)
    values = ground.oracle.log_posteriors(together(iterates)).tolist()
    return iterates, list(itertools.takewhile(np.isfinite, values))


def together(thetas: Sequence[Theta]) -> Theta:
    """Several θs as one table."""
    return {name: np.stack([np.asarray(each[name], dtype=float) for each in thetas]) for name in thetas[0]}


def fixed_point_is_maximum(ground: Ground) -> Iterator[Finding]:
    """V5: where EM stands still, a quasi-Newton search on ℓ gains nothing."""
    found = Finding(None, "no update was derived")
    for theta in ground.points[:_STARTS] if ground.derivation.updates else ():
        found = _at_the_end(ground, theta)
        if found.number is not None:
            break
    yield found


def _at_the_end(ground: Ground, start: Theta) -> Finding:
    theta, moved = _run(ground, start)
    value = ground.oracle.log_posterior(theta)
    if np.isnan(moved) or not np.isfinite(value):
        return Finding(None, _end_of_path(ground, theta))
    coordinates = Coordinates(ground.model, theta, ground.fixed)
    if not all(np.all(np.isfinite(each)) for each in ground.formulas.at(theta).determined().values()):
        return Finding(None, "EM ends where what it climbs has no maximum")
    best = coordinates.point(_direct_maximum(ground, coordinates))
    if moved <= _STILL:
        gain = ground.oracle.log_posterior(best) - value
        return Finding(max(0.0, gain - ROUNDING * abs(value)), "found by a direct maximiser")
    return _slow(ground, best)


def _run(ground: Ground, theta: Theta) -> tuple[Theta, float]:
    """EM until nothing moves, or the longest run; and the size of its last step, NaN if it left the space.

    Two steps and a leap (SQUAREM; Varadhan & Roland 2008), where EM's step from there is no longer than before: a
    fixed point is one however it was found.
    """
    first, moved = _stepped(ground, theta), np.inf
    for _ in range(LONGEST_RUN[ground.solver is not None] // 3):
        second = None if first is None else _stepped(ground, first)
        if first is None or second is None:
            return theta if first is None else first, np.nan
        moved = apart(second, first)
        if not moved > _STILL:
            return second, moved
        leap = _leap(ground, (theta, first, second))
        after = None if leap is None else _stepped(ground, leap)
        if leap is None or after is None or not apart(after, leap) < moved:
            leap, after = second, _stepped(ground, second)
        theta, first = leap, after
    return theta, moved


def _end_of_path(ground: Ground, theta: Theta) -> str:
    """Why EM goes no further: an update that is 0/0, as of a component that nothing is left with, or no maximum."""
    try:
        after = ground.fast_step(theta)
    except (ValueError, ArithmeticError) as reason:
        return f"EM comes to where a step is refused: {reason}"
    lost = [name for name, value in after.items() if np.any(np.isnan(value))]
    if lost:
        return f"EM comes to where nothing that was observed determines {', '.join(lost)}: an update is 0/0 there"
    ended = [each.name for each in ground.model.parameters if _is_at_an_end(each, after[each.name])]
    if ended:
        return f"EM goes to an end of the support of {', '.join(ended)}: the maximum is not inside"
    return "EM leaves the parameter space: the likelihood has no maximum on its paths"


def _is_at_an_end(parameter: Any, value: Array) -> bool:
    """Whether an entry lies at an end of its interval, but for rounding."""
    if parameter.support.of_matrices:
        return False
    ends = [float(end) for end in parameter.support.bounds if end.is_number and end.is_finite]
    return any(bool(np.any(np.abs(value - end) <= IDENTITY)) for end in ends)


def _leap(ground: Ground, path: Sequence[Theta]) -> Theta | None:
    """Where two steps lead if the third and all after it shrink as the second did; None at a boundary."""
    charts = [Coordinates(ground.model, theta, ground.fixed) for theta in path]
    start, first, second = (chart.free() for chart in charts)
    if not len(start) == len(first) == len(second) > 0:
        return None
    slope, bend = first - start, second - 2 * first + start
    length = float(np.linalg.norm(slope)) / max(float(np.linalg.norm(bend)), float(np.finfo(float).tiny))
    length = min(max(length, 1.0), _LONGEST_LEAP)
    leap = charts[-1].point(start + 2 * length * slope + length**2 * bend)
    return leap if total_defect(ground.model, leap) <= IDENTITY else None


def _stepped(ground: Ground, theta: Theta) -> Theta | None:
    """The next iterate, or None where a component collapses: the emitted step then refuses by name."""
    try:
        after = ground.fast_step(theta)
    except (ValueError, ArithmeticError):
        return None
    return after if total_defect(ground.model, after) < np.inf else None


def _direct_maximum(ground: Ground, coordinates: Coordinates) -> Array:
    """Quasi-Newton in units of standard errors, kept within four of them."""
    at = coordinates.free()
    if not len(at):
        return at
    unit = units(of_free(ground.oracle.log_posteriors, coordinates), at)

    def loss(shift: Array) -> tuple[float, Array]:
        here = at + unit * shift
        belief = ground.oracle.at(coordinates.point(here))
        objective = of_free(belief.log_posteriors, coordinates)
        (value,) = objective(here[None])
        if not np.isfinite(value):
            return 1e300, np.zeros(len(at))
        return -float(value), -gradient(objective, here, unit)

    start, bounds = np.zeros(len(at)), [(-4.0, 4.0)] * len(at)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=_PRECISE)
    return np.asarray(at + unit * found.x) if found.fun <= loss(start)[0] else at


def _slow(ground: Ground, best: Theta) -> Finding:
    """Where EM is too slow to stand still: is the maximum that was found directly a fixed point of its step?"""
    gain = abs(ground.oracle.log_posterior(ground.step(best)) - ground.oracle.log_posterior(best))
    reached = gain <= GAIN
    note = f"EM still moves after {LONGEST_RUN[ground.solver is not None]} steps"
    return Finding(
        gain if reached else None, note if not reached else f"{note}; the direct maximum is a fixed point"
    )
