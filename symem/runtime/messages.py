"""Forward-backward along chains of labels, scaled: sequences side by side, long ones in blocks side by side.

(Rabiner 1989, section III and V.A; Bishop 2006, section 13.2.4. In blocks: the product of the transfer matrices of a
block is one matrix, so that all blocks go at once and only their products one after the other; Särkkä &
García-Fernández 2021.)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def _forward_backward(weight: Any, step: Any, first: Any, last: Any) -> tuple[Any, Any, Any, Any, Any]:
    """γ, the log-likelihoods, and φ, π, ω of which ξ is the product, of chains.

    Args:
        weight: log b, what a place says of its label, over (place, label, *chains).
        step: log a, over (label, next label), or over (place, label, next label, *chains), 1 where it does not vary.
        first: the logarithms of what is said of the first label, over (label, *chains), or None.
        last: the same of the last label.

    Returns:
        (γ, log-likelihoods, φ, π, ω): γ over (place, label, *chains), φ and ω without the last place, π like `step`;
        ξ between a place and the next is φ(k) π(k, l) ω(l).
    """
    places, count, *chains = weight.shape
    shape, number = (places, count, *chains), math.prod(chains)
    weight, peak = _relative(weight.reshape(places, count, number), (1,))
    moved, height = _relative(np.asarray(step, dtype=float), (1, 2) if np.ndim(step) > 2 else ())
    table = (
        np.broadcast_to(moved, (places - 1, count, count, *chains)).reshape(places - 1, count, count, number)
        if moved.ndim > 2
        else moved
    )
    ends = [_relative(_end_of_chain(each, count, chains), (0,)) for each in (first, last)]
    with np.errstate(divide="ignore", invalid="ignore"):
        filtered, scale, future = _messages_along(weight, table, ends[0][0], ends[1][0])
        whole = np.add.reduce(filtered * future, 1)
        total = np.log(scale).sum(0) + np.log(np.add.reduce(filtered[-1] * ends[1][0], 0)) + peak.sum((0, 1))
    total += sum(each.reshape(-1) for _, each in ends)
    if moved.ndim > 2:
        total = total + np.broadcast_to(height, (places - 1, 1, 1, *chains)).sum((0, 1, 2)).reshape(-1)
    total = np.where((scale == 0).any(0), -np.inf, total)
    whole = np.where(whole > 0, whole, 1.0)[:, None]
    gamma = filtered * future / whole
    coming = weight[1:] * future[1:] / (np.where(scale > 0, scale, 1.0)[1:, None] * whole[1:])
    parts = (each.reshape(len(each), count, *chains) for each in (gamma, filtered[:-1], coming))
    shown, before, after = parts
    return shown.reshape(shape), total.reshape(chains)[()], before, moved, after


def _relative(value: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """exp of logarithms less their largest along axes, and that; without axes, as they are."""
    if not axes:
        return np.exp(value), 0.0
    peak = np.maximum.reduce(value, axes, keepdims=True)
    peak = np.where(np.isneginf(peak), 0.0, peak)
    return np.exp(value - peak), peak


def _end_of_chain(value: Any, count: int, chains: list[int]) -> Any:
    """What is said of the labels at an end, over (label, chain)."""
    whole = np.zeros((count, *chains)) if value is None else np.broadcast_to(value, (count, *chains))
    return whole.reshape(count, -1)


def _messages_along(weight: Any, table: Any, first: Any, last: Any) -> tuple[Any, Any, Any]:
    """Filtered probabilities, the factors that normalise them, and backward messages up to their scale."""
    places, _count, number = weight.shape
    filtered, future = np.empty_like(weight), np.empty_like(weight)
    scale = np.empty((places, number))
    steps = places - 1
    length = -(-steps // _blocks_along(steps, number))
    blocks = -(-steps // length) if steps else 1
    cut = _cut_along(weight[1:], blocks, length)
    tables = _cut_along(table, blocks, length) if table.ndim > 2 else table
    start = first * weight[0]
    scale[0] = np.add.reduce(start, 0)
    filtered[0] = start / np.where(scale[0] > 0, scale[0], 1.0)
    future[-1] = last
    if blocks == 1:
        before, after = filtered[0], last
    else:
        before, after = _through_blocks(cut, tables, filtered[0], last, steps - (blocks - 1) * length)
    got, factors = _filtered_along(cut, tables, before)
    filtered[1:], scale[1:] = _joined_along(got, blocks, steps), _joined_along(factors, blocks, steps)
    future[:-1] = _joined_along(
        _smoothed_along(cut, tables, after, last, steps - (blocks - 1) * length), blocks, steps
    )
    return filtered, scale, future


def _blocks_along(steps: int, number: int) -> int:
    """How many blocks a chain is cut into: as many as keep both the loop and what goes side by side short."""
    wanted = round(1.6 * math.sqrt(steps) / number) if steps else 1
    return max(1, wanted if wanted > 3 else 1)


def _cut_along(values: Any, blocks: int, length: int) -> Any:
    """Values over (place, …, chain) as (place in a block, …, block and chain); what the last block lacks is 1."""
    if blocks == 1:
        return values
    missing = blocks * length - len(values)
    whole = np.concatenate([values, np.ones((missing, *values.shape[1:]))]) if missing else values
    apart = np.moveaxis(whole.reshape(blocks, length, *values.shape[1:]), 0, -2)
    return np.ascontiguousarray(apart).reshape(length, *values.shape[1:-1], -1)


def _joined_along(values: Any, blocks: int, steps: int) -> Any:
    """The same the other way round."""
    if blocks == 1:
        return values
    apart = np.moveaxis(values.reshape(*values.shape[:-1], blocks, -1), -2, 0)
    return apart.reshape(-1, *apart.shape[2:])[:steps]


def _stepped(table: Any, message: Any) -> Any:
    """Σ_k message(k) a(k, l), of a table of all chains or of each."""
    return table.T @ message if table.ndim == 2 else np.add.reduce(message[:, None] * table, 0)


def _filtered_along(weight: Any, tables: Any, message: Any) -> tuple[Any, Any]:
    filtered, factors = np.empty_like(weight), np.empty((len(weight), weight.shape[-1]))
    for place, own in enumerate(weight):
        table = tables if tables.ndim == 2 else tables[place]
        now, factor = filtered[place], factors[place]
        np.multiply(_stepped(table, message), own, out=now)
        np.add.reduce(now, 0, out=factor)
        np.divide(now, factor, out=now)
        message = now
    return filtered, factors


def _smoothed_along(weight: Any, tables: Any, message: Any, last: Any, end: int) -> Any:
    """Messages before each place; the last chains end at place `end`, where what comes after is `last`."""
    future, tail = np.empty_like(weight), last.shape[-1]
    message = np.array(message)
    for place in range(len(weight))[::-1]:
        if place == end - 1:
            message[:, -tail:] = last
        table = tables if tables.ndim == 2 else tables[place]
        after = message * weight[place]
        message = table @ after if table.ndim == 2 else np.add.reduce(table * after, 1)
        message /= np.add.reduce(message, 0)
        future[place] = message
    return future


def _through_blocks(weight: Any, tables: Any, first: Any, last: Any, end: int) -> tuple[Any, Any]:
    """The messages that reach each block from before and from after it, by the products of their transfer matrices."""
    count, number = first.shape
    side = weight.shape[-1]
    product = np.broadcast_to(np.eye(count)[:, :, None], (count, count, side))
    logs = np.zeros((count, side))
    for place, own in enumerate(weight):
        if place == end:
            kept = product[..., -number:], logs[:, -number:].copy()
        table = tables if tables.ndim == 2 else tables[place]
        if table.ndim == 2:
            product = (table.T @ product.reshape(count, -1)).reshape(count, count, side)
        else:
            product = np.add.reduce(product[:, None] * table[:, :, None], 0)
        product *= own[:, None]
        factor = np.add.reduce(product, 0)
        product /= np.where(factor > 0, factor, 1.0)
        logs += np.log(factor)
    if end < len(weight):
        product = np.concatenate([product[..., :-number], kept[0]], axis=-1)
        logs = np.concatenate([logs[:, :-number], kept[1]], axis=-1)
    product = product * np.exp(logs - np.maximum.reduce(logs, 0))
    apart = np.moveaxis(product.reshape(count, count, -1, number), (2, 3), (0, 1))
    before, after = [first], [last]
    for block in apart[:-1]:
        reached = (block @ before[-1].T[..., None])[..., 0].T
        before.append(reached / np.add.reduce(reached, 0))
    for block in apart[:0:-1]:
        reached = (after[-1].T[:, None] @ block)[:, 0].T
        after.append(reached / np.add.reduce(reached, 0))
    return _of_all_blocks(before), _of_all_blocks(after[::-1])


def _of_all_blocks(messages: list[Any]) -> Any:
    """Messages over (label, chain) of each block, as (label, block and chain)."""
    return np.stack(messages, axis=1).reshape(len(messages[0]), -1)
