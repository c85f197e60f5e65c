"""Forward-backward along chains of labels, scaled: sequences side by side, long ones in blocks side by side.

All that is computed is laid out over (place in a block, label, block and chain). (Rabiner 1989, section III and V.A;
Bishop 2006, section 13.2.4. In blocks: the product of the transfer matrices of a block is one matrix, so that all
blocks go at once and only their products one after the other; Särkkä & García-Fernández 2021.)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

#: Where every step is likelier than this, so many of them are taken before their product is brought to scale.
_LIKELY, _BETWEEN = 1e-50, 4


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
    number = math.prod(chains)
    blocks = _blocks_along(places, number)
    length = -(-places // blocks)
    blocks = -(-places // length)
    moved, height = _relative(np.array(step, dtype=float), (1, 2) if np.ndim(step) > 2 else ())
    table, size = moved, (places - 1, count, count, *chains)
    if moved.ndim > 2:
        table = np.broadcast_to(moved, size).reshape(places - 1, count, count, number)
        table = _cut_along(np.concatenate([np.ones((1, *table.shape[1:])), table]), blocks, length)
    weight, peak = _relative(_cut_along(weight.reshape(places, count, number), blocks, length), (1,))
    (begin, low), (end, high) = (_end_of_chain(each, count, chains) for each in (first, last))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = _messages_along(weight, table, begin, end, places - (blocks - 1) * length)
        gamma, filtered, coming, logs, after = found
        total = (logs + peak[:, 0]).sum(0).reshape(-1, number).sum(0) + np.log(after) + low + high
        total = np.where(np.isneginf(logs).any(0).reshape(-1, number).any(0), -np.inf, total)
    if moved.ndim > 2:
        total = total + np.broadcast_to(height, (places - 1, 1, 1, *chains)).sum((0, 1, 2)).reshape(-1)
    shown, before, later = (
        _joined_along(each, places, number).reshape(count, *chains, places)
        for each in (gamma, filtered, coming)
    )
    shown, before, later = (np.moveaxis(each, -1, 0) for each in (shown, before, later))
    return shown, total.reshape(chains)[()], before[:-1], moved, later[1:]


def _most_probable_path(weight: Any, step: Any, first: Any, last: Any) -> Any:
    """The most probable labels of chains together, over (place, *chains), of arguments as `_forward_backward` takes them.

    (Viterbi 1967; Rabiner 1989, equations 32-35.)
    """
    places, count, *chains = weight.shape
    table = step.reshape(1, count, count, *(1 for _ in chains)) if np.ndim(step) == 2 else step
    table = np.broadcast_to(table, (places - 1, count, count, *chains))
    best = weight[0] + (0.0 if first is None else first)
    back = np.empty((places - 1, count, *chains), int)
    for place in range(places - 1):
        through = best[:, None] + table[place]
        back[place] = through.argmax(0)
        best = weight[place + 1] + through.max(0)
    path = np.empty((places, *chains), int)
    path[-1] = (best + (0.0 if last is None else last)).argmax(0)
    for place in range(places - 1)[::-1]:
        path[place] = np.take_along_axis(back[place], path[place + 1][None], 0)[0]
    return path


def _relative(value: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """exp of logarithms less their largest along axes, in place, and that; without axes, as they are."""
    if not axes:
        return np.exp(value), 0.0
    peak = np.maximum.reduce(value, axes, keepdims=True)
    peak = np.where(np.isneginf(peak), 0.0, peak)
    value = np.subtract(value, peak, out=value)
    return np.exp(value, out=value), peak


def _end_of_chain(value: Any, count: int, chains: list[int]) -> tuple[Any, Any]:
    """What is said of the labels at an end, over (label, chain), relative to its largest, and the logarithm of that."""
    whole = np.zeros((count, *chains)) if value is None else np.broadcast_to(value, (count, *chains))
    table, peak = _relative(np.array(whole.reshape(count, -1)), (0,))
    return table, peak[0]


def _blocks_along(places: int, number: int) -> int:
    """How many blocks a chain is cut into: as many as keep both the loop and what goes side by side short."""
    wanted = round(1.6 * math.sqrt(places) / number)
    return wanted if wanted > 3 else 1


def _cut_along(values: Any, blocks: int, length: int) -> Any:
    """A copy of values over (place, …, chain) as (place in a block, …, block and chain); what the last block lacks is 0."""
    full, shape = len(values) // length, values.shape[1:]
    cut = np.empty((length, *shape[:-1], blocks, shape[-1]))
    apart = np.moveaxis(cut, -2, 0)
    apart[:full] = values[: full * length].reshape(full, length, *shape)
    if full < blocks:
        rest = values[full * length :]
        apart[full, : len(rest)], apart[full, len(rest) :] = rest, 0.0
    return cut.reshape(length, *shape[:-1], -1)


def _joined_along(values: Any, places: int, number: int) -> Any:
    """The same the other way round, as (…, chain, place)."""
    length, *shape, _ = values.shape
    apart = values.reshape(length, *shape, -1, number)
    turned = np.ascontiguousarray(np.moveaxis(apart, (0, -2), (-1, -2)))
    return turned.reshape(*shape, number, -1)[..., :places]


def _messages_along(weight: Any, table: Any, first: Any, last: Any, end: int) -> tuple[Any, ...]:
    """γ, φ, ω, the logarithms of what normalises φ, and what is said of the last labels after all; the last block has
    `end` places. ω takes the place of the weights.
    """
    number = first.shape[-1]
    before, after = _through_blocks(weight, table, first, last, end)
    filtered, scale = _filtered_along(weight, table, before, first)
    future = _smoothed_along(weight, table, after, last, end)
    weight *= future
    future *= filtered
    whole = np.add.reduce(future, 1, keepdims=True)
    whole[whole == 0] = 1.0
    future /= whole
    whole *= scale
    weight /= whole
    ended = np.add.reduce(filtered[end - 1, :, -number:] * last, 0)
    scale[end:, :, -number:] = 1.0
    return future, filtered, weight, np.log(scale[:, 0]), ended


def _stepped(table: Any, message: Any) -> Any:
    """Σ_k message(k) a(k, l), of a table of all chains or of each."""
    return table.T @ message if table.ndim == 2 else np.add.reduce(message[:, None] * table, 0)


def _filtered_along(weight: Any, tables: Any, message: Any, first: Any) -> tuple[Any, Any]:
    """Messages at each place, that of the first place of all from what is said of it."""
    filtered, scale = np.empty_like(weight), np.empty((len(weight), 1, weight.shape[-1]))
    for place, own in enumerate(weight):
        now, factor = filtered[place], scale[place]
        moved = _stepped(tables if tables.ndim == 2 else tables[place], message)
        if place == 0:
            moved[:, : first.shape[-1]] = first
        np.multiply(moved, own, out=now)
        np.add.reduce(now, 0, out=factor[0])
        now /= factor
        message = now
    return filtered, scale


def _smoothed_along(weight: Any, tables: Any, message: Any, last: Any, end: int) -> Any:
    """Messages after each place; the last block ends at place `end`, where what comes after is `last`."""
    future, tail = np.empty_like(weight), last.shape[-1]
    for place in range(len(weight))[::-1]:
        now = future[place]
        now[...] = message
        if place == end - 1:
            now[:, -tail:] = last
        table = tables if tables.ndim == 2 else tables[place]
        after = now * weight[place]
        message = table @ after if table.ndim == 2 else np.add.reduce(table * after, 1)
        message /= np.add.reduce(message, 0)
    return future


def _through_blocks(weight: Any, tables: Any, first: Any, last: Any, end: int) -> tuple[Any, Any]:
    """The messages that reach each block from before and from after it, by the products of their transfer matrices."""
    count, number = first.shape
    if weight.shape[-1] == number:
        return first, last
    product = _products_of_blocks(weight, tables, number, end)
    apart = np.ascontiguousarray(np.moveaxis(product.reshape(count, count, -1, number), (2, 3), (0, 1)))
    before = _one_after_another(apart[:-1], first)
    after = _one_after_another(apart[:0:-1].swapaxes(-1, -2), last)
    return _of_all_blocks(before), _of_all_blocks(after[::-1])


def _one_after_another(matrices: Any, message: Any) -> list[Any]:
    """A message over (label, chain), and what each matrix of blocks over (chain, label, label) makes of the one before."""
    messages = [message]
    if message.shape[-1] == 1:
        for (matrix,) in matrices:
            reached = matrix @ messages[-1]
            reached /= np.add.reduce(reached, 0)
            messages.append(reached)
        return messages
    for block in matrices:
        reached = (block @ messages[-1].T[..., None])[..., 0].T
        messages.append(reached / np.add.reduce(reached, 0))
    return messages


def _products_of_blocks(weight: Any, tables: Any, number: int, end: int) -> Any:
    """Over (label after, label before, block and chain), up to the scale of each block."""
    count, side = weight.shape[1:]
    every = _BETWEEN if tables.ndim == 2 and tables.min() > _LIKELY else 1
    product = np.empty((count, count, side))
    product[...] = np.eye(count)[:, :, None]
    logs, kept = np.zeros((count, side)), None
    for place, own in enumerate(weight):
        table = tables if tables.ndim == 2 else tables[place]
        if table.ndim == 2:
            moved = (table.T @ product.reshape(count, -1)).reshape(count, count, side)
        else:
            moved = np.add.reduce(product[:, None] * table[:, :, None], 0)
        if place == 0:
            moved[..., :number] = np.eye(count)[:, :, None]
        product = np.multiply(moved, own[:, None], out=moved)
        if place % every == every - 1 or place in (end - 1, len(weight) - 1):
            factor = np.add.reduce(product, 0)
            product /= np.where(factor > 0, factor, 1.0)
            logs += np.log(factor)
        if place == end - 1:
            kept = product[..., -number:].copy(), logs[:, -number:].copy()
    assert kept is not None
    product[..., -number:], logs[:, -number:] = kept
    return product * np.exp(logs - np.maximum.reduce(logs, 0))


def _of_all_blocks(messages: list[Any]) -> Any:
    """Messages over (label, chain) of each block, as (label, block and chain)."""
    return np.stack(messages, axis=1).reshape(len(messages[0]), -1)
