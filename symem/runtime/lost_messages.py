"""Chains of which scaled messages vanish: a datum so far from a label that it has no number beside the others, and no way back to it.

One place after another, all in logarithms. φ and ω of two neighbours are relative to the likeliest label of the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: Below it is what cannot be.
_NEVER = -1e280
#: How far apart what data say of labels may be in numbers; steps likelier than this lead back from where that is lost.
_FARTHEST_APART, _LEAST_STEP = 700.0, 1e-150


def _relative(value: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """exp of logarithms less their largest along axes, in place, and that; without axes, as they are."""
    if not axes:
        return np.exp(value), 0.0
    peak = np.maximum.reduce(value, axes, keepdims=True)
    peak = np.where(peak < _NEVER, 0.0, peak)
    value = np.subtract(value, peak, out=value)
    return np.exp(value, out=value), peak


def _log_sum_along(values: Any, axis: int) -> Any:
    """log Σ exp along an axis."""
    table, peak = _relative(np.array(values), (axis,))
    return np.log(np.add.reduce(table, axis)) + np.squeeze(peak, axis)


def _lost_chains(weight: Any, moved: Any, total: Any) -> Any:
    """The chains of which scaled messages say nothing, or may have lost a label for good."""
    lost = ~np.isfinite(total)
    if moved.size and moved.min() < _LEAST_STEP:
        apart = weight.max(1) - np.where(weight > _NEVER, weight, np.inf).min(1)
        lost = lost | (apart > _FARTHEST_APART).any(0)
    return np.flatnonzero(lost)


def _in_logarithms(weight: Any, moved: Any, first: Any, last: Any, gone: Any) -> tuple[Any, Any, Any, Any]:
    """γ, log-likelihoods, φ and ω of chains.

    Args:
        weight: log b over (place, label, chain).
        moved: transitions over (label, next label), or over (place, label, next label, chain).
        first: what is said of the first label, over (label, chain).
        last: the same of the last.
        gone: where chains have ended, over (place, chain).
    """
    table = np.log(moved[None, :, :, None] if moved.ndim == 2 else moved)
    shown, ahead, coming = np.empty((3, *weight.shape))
    ahead[0], total = np.log(first), np.zeros(weight.shape[-1])
    for place, own in enumerate(weight):
        now = own + ahead[place]
        whole = _log_sum_along(now, 0)
        shown[place] = now - whole
        if place:
            shown[place] = np.where(gone[place], shown[place - 1], shown[place])
        total += np.where(gone[place], 0.0, whole)
        if place + 1 < len(weight):
            ahead[place + 1] = _log_sum_along(shown[place][:, None] + table[min(place, len(table) - 1)], 0)
    filtered = np.array(shown)
    shown[-1] += np.log(last)
    whole = _log_sum_along(shown[-1], 0)
    shown[-1] -= whole
    for place in range(len(weight) - 1)[::-1]:
        coming[place] = np.where(np.isneginf(ahead[place + 1]), -np.inf, shown[place + 1] - ahead[place + 1])
        back = shown[place] + _log_sum_along(table[min(place, len(table) - 1)] + coming[place], 1)
        shown[place] = np.where(gone[place + 1], shown[place + 1], back)
    base = np.take_along_axis(filtered, shown.argmax(1)[:, None], 1)
    pair = (np.exp(np.minimum(each, _FARTHEST_APART)) for each in (filtered - base, coming + base))
    total = total + whole
    return np.exp(shown), np.where(np.isnan(total), -np.inf, total), *pair
