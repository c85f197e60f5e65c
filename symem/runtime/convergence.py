"""When a run has come to its end: by what is left, not by the last step; and whether the end is a saddle."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

#: How far beside a stationary point a start is tried, as a share of the way to a random start; how many steps from there.
_ASIDE, _STEPS_ASIDE = 0.01, 50

#: Back within this share of that distance, the point has drawn the steps to itself.
_DRAWN_BACK = 0.03


class _Distance:
    """The distance that is left, of the objective and of the parameters, if both go on to shrink at the rate at which
    they did in the last step (Aitken 1926; Böhning, Dietz, Schaub, Schlattmann & Lindsay 1994).
    """

    def __init__(self) -> None:
        self._points: tuple[Any, ...] = ()
        self._changes = (0.0, 0.0)
        self._count = 0
        self._gaps = (math.inf, math.inf)

    def moved(self, change: float, before: Any, after: Any) -> None:
        """The objective changed by that, from one point to another; how far these lie apart is seen when it is asked."""
        if self._count & (self._count - 1) == 0:
            self._gaps = (self._gaps[1], _gap(*self._moves()))
        self._points = (*(self._points[-2:] or (before,)), after)
        self._changes = (self._changes[1], change)
        self._count += 1

    @property
    def objective(self) -> float:
        """What is left of the objective."""
        return _left(*map(abs, self._changes)) if self._count else math.inf

    @property
    def parameters(self) -> float:
        """What is left of the parameters, as a share of themselves."""
        return _left(*self._moves())

    def _moves(self) -> tuple[float, float]:
        """The last two moves of the parameters, as shares of themselves."""
        moves = [_move(a, b) for a, b in zip(self._points, self._points[1:], strict=False)]
        before, now = [0.0, 0.0, *moves][-2:]
        return before, now

    def is_short(self, tol: float, scale: int) -> bool:
        """Whether the parameters are right to the root of tol, as is usual where the objective is right to tol, or the
        objective is so far beyond tol that no more can be asked. Steps that shrink as a power of their number, as
        towards the edge of a support, have a sum that no two of them tell: there tol alone decides.
        """
        short = self.objective <= 1e-3 * tol * scale or self.parameters <= math.sqrt(tol)
        return short or self._fades()

    def _fades(self) -> bool:
        gap = _gap(*self._moves())
        return self._count >= 100 and gap <= 3 / self._count and gap <= 0.75 * self._gaps[0]


def _gap(before: float, now: float) -> float:
    """By which share the last move is shorter than the one before."""
    return 1 - now / before if before > 0 else math.inf


def _left(before: float, now: float) -> float:
    """The sum of a geometric series after its last two terms."""
    if now == 0:
        return 0.0
    return now * now / (before - now) if now < before else math.inf


def _move(before: Any, after: Any) -> float:
    """The largest change of an array as a share of its largest entry."""
    shares = [_relative_change(np.asarray(a), np.asarray(b)) for a, b in zip(before, after, strict=True)]
    return max(shares, default=0.0)


def _relative_change(before: np.ndarray, after: np.ndarray) -> float:
    largest = float(np.max(np.abs(after)))
    change = float(np.max(np.abs(after - before)))
    return change / largest if largest > 0 else float(change > 0)


def _escaped(
    step: Callable[[Any], tuple[Any, float]], theta: Any, value: float, towards: Any, margin: float
) -> Any:
    """A point from which the objective is higher by more than `margin`, reached by steps from beside `theta`; None where
    they lead back. Between two points of the parameters' supports all points are, as the supports are convex.
    """
    beside = type(theta)(*(a + _ASIDE * (b - a) for a, b in zip(theta, towards, strict=True)))
    first = _move(theta, beside)
    for _ in range(_STEPS_ASIDE):
        following, found = step(beside)
        if not math.isfinite(found):
            return None
        if found > value + margin:
            return beside
        if _move(theta, following) <= _DRAWN_BACK * first:
            return None
        beside = following
    return None
