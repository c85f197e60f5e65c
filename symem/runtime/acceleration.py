"""Jumps ahead of EM steps: SQUAREM and Anderson's mixing, in coordinates without constraints.

A jump is proposed at a point, from the EM steps that led there. The loop takes it unless the objective falls, and goes
on by the EM step itself where it would.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symem.runtime.convergence import _move
from symem.runtime.description import Model
from symem.runtime.free_vector import _FreeVector
from symem.runtime.loop import Accelerator
from symem.runtime.settings import _WAYS

#: How many steps Anderson's mixing looks back on; of the largest singular value of their changes, what counts as 0.
_LOOKS_BACK, _NOUGHT = 5, 1e-8

#: How much a mixture may add to an EM step at first, in lengths of the step.
_FIRST = 4.0

#: By which factor a jump may be longer after one of the length that was allowed, and shorter after one that was refused.
_GROWS, _SHRINKS = 4.0, 2.0

#: EM is slow where a step is at least that share of the one before.
_SLOW = 0.7


class _Units:
    """What a step is measured by: of each parameter its longest step so far, so that the units of data do not matter."""

    def __init__(self) -> None:
        self._longest: Any = 0.0

    def of(self, free: _FreeVector, step: np.ndarray) -> np.ndarray:
        """The units of the coordinates, (p), once this step is among those seen."""
        self._longest = np.maximum(self._longest, free.lengths(step))
        units = free.spread(self._longest)
        return np.where(units > 0, units, 1.0)


class _Anderson:
    """Anderson's mixing (1965): of the ends of the last EM steps the affine combination at which the step would be least,
    if it were affine too (Walker & Ni 2011; for EM, Henderson & Varadhan 2019). Where what it adds points back, steps
    grow, as they do beside a saddle: it is added the other way round.
    """

    def __init__(self, model: Model) -> None:
        self._model, self._units = model, _Units()
        self._most, self._reach = _FIRST, 1.0
        self.forget()

    def forget(self) -> None:
        self.distance = math.inf
        self._free: _FreeVector | None = None
        self._ends: list[np.ndarray] = []
        self._steps: list[np.ndarray] = []

    def refused(self) -> None:
        self._most = max(1.0, self._reach / _SHRINKS)

    def proposed(self, theta: Any, following: Any) -> Any:
        self.distance = math.inf
        free = self._free = self._free or _FreeVector(self._model, following)
        end = free.of(following)
        step = end - free.of(theta)
        if not np.isfinite(step).all() or not step.any():
            self.forget()
            return None
        self._ends = [*self._ends[-_LOOKS_BACK:], end]
        self._steps = [*self._steps[-_LOOKS_BACK:], step]
        units = self._units.of(free, step)
        if not self._can_tell():
            return None
        added = _mixture_adds(np.array(self._ends) / units, np.array(self._steps) / units)
        self.distance = _move(theta, free.point(end + units * added))
        return free.point(end + units * self._shortened(added, step / units))

    def _can_tell(self) -> bool:
        """Whether jumps follow from what was seen, and are wanted."""
        return len(self._steps) > 1

    def _shortened(self, added: np.ndarray, step: np.ndarray) -> np.ndarray:
        """No more than is allowed now."""
        self._reach = float(np.linalg.norm(added) / np.linalg.norm(step))
        if self._reach <= self._most:
            return added
        added = added * (self._most / self._reach)
        self._reach, self._most = self._most, self._most * _GROWS
        return added


def _mixture_adds(ends: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """What the mixture of ends (m, p) adds to the last, (p)."""
    changes = np.diff(steps, axis=0)
    lengths = np.linalg.norm(changes, axis=1)
    lengths = np.where(lengths > 0, lengths, 1.0)
    weights, *_ = np.linalg.lstsq((changes / lengths[:, None]).T, steps[-1], rcond=_NOUGHT)
    added = -(weights / lengths) @ np.diff(ends, axis=0)
    return np.asarray(added if added @ steps[-1] >= 0 else -added)


class _Auto(_Anderson):
    """The same, from where EM turns out to be slow."""

    _is_slow = False

    def _can_tell(self) -> bool:
        if not self._is_slow and len(self._steps) > 2:
            before, now = (float(np.linalg.norm(step)) for step in self._steps[-2:])
            self._is_slow = now > _SLOW * before
        return self._is_slow


class _Squarem:
    """SQUAREM (Varadhan & Roland 2008, scheme S3): from an EM step r and the change v to the next, a jump to
    x + 2 a r + a² v with a = |r| / |v|; then an EM step, that it may not stray.
    """

    def __init__(self, model: Model) -> None:
        self._model, self._units = model, _Units()
        self._most = self._reach = 1.0
        self.forget()

    def forget(self) -> None:
        self.distance = math.inf
        self._before: Any = None
        self._has_jumped = False

    def refused(self) -> None:
        if self._most > self._reach >= self._most / _GROWS:
            self._most = max(1.0, self._reach / _SHRINKS)

    def proposed(self, theta: Any, following: Any) -> Any:
        self.distance = math.inf
        before, self._before = self._before, None if self._has_jumped else theta
        self._has_jumped = not self._has_jumped and before is not None
        if not self._has_jumped:
            return None
        self._before = None
        free = _FreeVector(self._model, following)
        points = np.array([free.of(each) for each in (before, theta, following)])
        if not np.isfinite(points).all():
            self.forget()
            return None
        step, further = np.diff(points, axis=0)
        units, change = self._units.of(free, step), further - step
        length = float(np.linalg.norm(change / units))
        wanted = max(1.0, float(np.linalg.norm(step / units)) / length) if length > 0 else 1.0
        self.distance = _move(theta, free.point(_squared(points[0], step, change, wanted)))
        self._reach = min(wanted, self._most)
        if wanted >= self._most:
            self._most *= _GROWS
        return free.point(_squared(points[0], step, change, self._reach))


def _squared(point: np.ndarray, step: np.ndarray, change: np.ndarray, far: float) -> np.ndarray:
    return point + 2 * far * step + far**2 * change


#: By the name that `fit` takes.
_ACCELERATORS: Mapping[str, Callable[[Model], Accelerator]] = dict(
    zip(_WAYS, (_Anderson, _Squarem, _Auto), strict=True)
)
