"""Means and scatters: points near the data from which they are taken, and when a difference has lost its digits."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

import numpy as np

from symem.runtime.kernels import _TINY, _all
from symem.runtime.loop import LostDigitsWarning, _position

#: A scatter below this share of what was taken off would be wrong by more than 1e-10 of it.
_LOST_SHARE = 2e-6

#: A difference of which less than this share is left would be wrong by more than 1e-7 of it.
_LEFT = 2e-8


#: Why two parts of some data cannot be put together.
_NO_PARTS = "The statistics are no sums over rows of the data, so no part has its own: give all data at once."


#: Of about so many rows a point is the median.
_FEW_FOR_A_POINT = 4096


def _point(values: Any, axis: int) -> Any:
    """A number among the values, near most of them, for every column: the median of some rows, which one wild row
    does not move.
    """
    rows = np.moveaxis(np.asarray(values, dtype=float), axis, 0)
    some = rows[:: max(1, len(rows) // _FEW_FOR_A_POINT)]
    ordered = np.sort(np.where(np.isfinite(some), some, np.nan), axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    middle = np.take_along_axis(ordered, np.maximum(count - 1, 0)[None] // 2, 0)[0]
    return np.where(count > 0, middle, 0.0)


Record = TypeVar("Record", bound=tuple[Any, ...])


def _added(a: Record, b: Record) -> Record:
    """Two records of statistics, each field the sum of both."""
    made: Any = type(a)
    found: Record = made(*(one + other for one, other in zip(a, b, strict=True)))
    return found


def _mean_of(total: Any, weight: Any) -> Any:
    """total / weight, and 0 where there is no weight, as the total is then."""
    return total / np.maximum(weight, _TINY)


def _determined(mean: Any, weight: Any) -> Any:
    """The mean, NaN where there is no weight."""
    return mean if _all(weight) else np.where(weight != 0, mean, np.nan)


def _share(*terms: Any) -> Any:
    """What is left of a sum of terms of either sign, as a share of them."""
    return np.abs(sum(terms)) / sum(map(np.abs, terms))


def _warn_of_lost(shares: list[tuple[str, Any]]) -> bool:
    """Whether a parameter is a difference of which too little is left; it is named."""
    lost = {name: share for name, share in shares if np.any(share < _LEFT)}
    for name, share in lost.items():
        warnings.warn(
            f"{_position(name, share < _LEFT)} has lost its digits: it is a difference of sums, or a root, of which a share of "
            f"{float(np.nanmin(share)):.0e} is left. Measure the data from nearer to them, or scale them; or they have no spread.",
            LostDigitsWarning,
            stacklevel=4,
        )
    return bool(lost)


def _warn_of_cancelled(size: float, value: float) -> bool:
    """Whether rounding of a constant of that size, a sum of about twenty times as large terms, shows in a log-likelihood."""
    error = 20 * 2.2e-16 * size
    lost = error > 1e-6 * (1 + abs(value))
    if lost:
        warnings.warn(
            f"The log-likelihood {value:.6g} has lost its digits from {error:.0e} on: its terms are of the size of "
            f"{20 * size:.0e}. With so large a shape a simpler law is as good: a Normal for a t of so many degrees of freedom.",
            LostDigitsWarning,
            stacklevel=4,
        )
    return lost


def _loses_digits(scatter: Any, excess: Any) -> bool:
    """Whether a scatter is a small difference of sums about a point, of which `excess` was taken off."""
    return not _all(scatter >= _LOST_SHARE * excess)
