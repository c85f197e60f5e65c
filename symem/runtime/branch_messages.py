"""Upward and downward along trees of labels, scaled: places of one depth side by side, and all trees of a forest.

All that is computed is laid out over (place, label, *plates). (Crouse, Nowak & Baraniuk 1998; Durand, Gonçalvès & Guédon
2004; Felsenstein 1981.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symem.runtime.lost_messages import _relative


def _upward_downward(weight: Any, step: Any, first: Any, parent: Any) -> tuple[Any, Any, Any, Any, Any]:
    """γ, the log-likelihoods, and φ, π, ω of which ξ is the product, of forests.

    Args:
        weight: log b, what a place says of its label, over (place, label, *plates).
        step: log a, over (label of the parent, label), or over (place, label of the parent, label, *plates), 1 where it does
            not vary; of roots it is not read.
        first: the logarithms of what is said of the label of a root, over (place, label, *plates), 1 where it does not
            vary, or None.
        parent: of each place that of its parent, a root's is negative.

    Returns:
        (γ, log-likelihoods, φ, π, ω): γ, φ and ω over (place, label, *plates), log-likelihoods over plates, π like `step`; ξ
        between the parent of a place and the place is φ(k) π(k, l) ω(l), and of a root nothing.
    """
    places, count, *plates = weight.shape
    logs, shape = np.array(weight, dtype=float).reshape(places, count, -1), weight.shape
    moved, height = _relative(np.array(step, dtype=float), (1, 2) if np.ndim(step) > 2 else ())
    levels = _levels_of(parent)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs[levels[0]] += 0.0 if first is None else _at_places(first, levels[0], shape)
        said, message, total = _upward_along(logs, moved, levels, parent, shape)
        table, before = _downward_along(said, message, moved, levels, parent, shape)
    if moved.ndim > 2:
        below = np.broadcast_to(height, (places, 1, 1, *plates))[np.asarray(parent) >= 0]
        total = total + below.sum((0, 1, 2)).reshape(-1)
    return (
        table.reshape(shape), total.reshape(plates)[()], before.reshape(shape), moved, said.reshape(shape),
    )  # fmt: skip


def _most_probable_on_tree(weight: Any, step: Any, first: Any, parent: Any) -> Any:
    """The most probable labels of forests together, over (place, *plates), of arguments as `_upward_downward` takes them.

    (Viterbi 1967; Durand, Gonçalvès & Guédon 2004.)
    """
    places, count, *plates = shape = weight.shape
    best = np.array(weight, dtype=float).reshape(places, count, -1)
    back = np.zeros(best.shape, int)
    levels = _levels_of(parent)
    best[levels[0]] += 0.0 if first is None else _at_places(first, levels[0], shape)
    for own in levels[:0:-1]:
        through = _steps_at(np.asarray(step), own, shape) + best[own][:, None]
        back[own] = through.argmax(2)
        _add_to_parents(best, through.max(2), parent[own])
    labels = np.empty((places, best.shape[-1]), int)
    labels[levels[0]] = best[levels[0]].argmax(1)
    for own in levels[1:]:
        above = labels[parent[own]][:, None]
        labels[own] = np.take_along_axis(back[own], above, 1)[:, 0]
    return labels.reshape(places, *plates)


def _levels_of(parent: Any) -> list[Any]:
    """The places of each depth from the roots on, those of one parent together."""
    depth, above = _depths_of(parent)
    assert not np.any(above >= 0)
    order = np.lexsort((parent, depth))
    return np.split(order, np.flatnonzero(np.diff(depth[order])) + 1)


def _depths_of(parent: Any) -> tuple[Any, Any]:
    """How many places are above each; and what is still above those that are below a circle, by doubling the way."""
    above, depth = np.array(parent), (np.asarray(parent) >= 0).astype(int)
    for _ in range(len(above).bit_length()):
        there = np.flatnonzero(above >= 0)
        if not len(there):
            break
        depth[there] += depth[above[there]]
        above[there] = above[above[there]]
    return depth, above


def _at_places(values: Any, own: Any, shape: tuple[int, ...]) -> Any:
    """What is said of roots, at those places, over (place, label, plate)."""
    _, count, *plates = shape
    part = values[own] if len(values) > 1 else values
    return np.broadcast_to(part, (len(own), count, *plates)).reshape(len(own), count, -1)


def _steps_at(step: Any, own: Any, shape: tuple[int, ...]) -> Any:
    """A table of steps at those places, over (place, label of the parent, label, plate), 1 long where it does not vary."""
    if step.ndim == 2:
        return step[None, :, :, None]
    count, plates = shape[1], shape[2:]
    part = step[own] if len(step) > 1 else step
    if part[0, 0, 0].size > 1:
        part = np.broadcast_to(part, (len(part), count, count, *plates))
    return part.reshape(len(part), count, count, -1)


def _moved_up(table: Any, values: Any) -> Any:
    """Σ_l a(k, l) v(l) at each place."""
    if table.shape[-1] == 1:
        return table[..., 0] @ values
    return np.add.reduce(table * values[:, None], 2)


def _add_to_parents(logs: Any, values: Any, parents: Any) -> None:
    """Add values to those of their parents, which stand in order."""
    begin = np.flatnonzero(np.diff(parents, prepend=-1))
    logs[parents[begin]] += np.add.reduceat(values, begin, axis=0)


def _upward_along(
    logs: Any, moved: Any, levels: list[Any], parent: Any, shape: tuple[int, ...]
) -> tuple[Any, Any, Any]:
    """What is said at each place and below it, of its label and of its parent's; the log-likelihoods, in place."""
    message = np.ones(logs.shape)
    total = np.zeros(logs.shape[-1])
    for own in levels[::-1]:
        said, peak = _relative(logs[own], (1,))
        whole = np.add.reduce(said, 1, keepdims=True)
        total += (np.log(whole) + peak).sum((0, 1))
        logs[own] = said = said / np.where(whole > 0, whole, 1.0)
        if own is not levels[0]:
            message[own] = up = _moved_up(_steps_at(moved, own, shape), said)
            _add_to_parents(logs, np.log(up), parent[own])
    return logs, message, np.where(np.isnan(total), -np.inf, total)


def _downward_along(
    said: Any, message: Any, moved: Any, levels: list[Any], parent: Any, shape: tuple[int, ...]
) -> tuple[Any, Any]:
    """Of each place the posterior of its label, and that of its parent's over what is said below it."""
    table, before = np.array(said), np.zeros(said.shape)
    for own in levels[1:]:
        up = message[own]
        before[own] = now = table[parent[own]] / np.where(up > 0, up, 1.0)
        step = _steps_at(moved, own, shape).swapaxes(1, 2)
        table[own] = said[own] * _moved_up(step, now)
    return table, before
