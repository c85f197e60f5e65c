"""Forward-backward along chains of labels, scaled: sequences side by side, long ones in blocks side by side.

All that is computed is laid out over (place in a block, label, block and chain). (Rabiner 1989, section III and V.A;
Bishop 2006, section 13.2.4. In blocks: the product of the transfer matrices of a block is one matrix, so that all
blocks go at once and only their products one after the other; Särkkä & García-Fernández 2021.)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symem.runtime.lost_messages import _in_logarithms, _lost_chains, _relative

#: Where every step is likelier than this, so many of them are taken before their product is brought to scale.
_LIKELY, _BETWEEN = 1e-50, 4

#: Room for up to so many numbers is kept from one call to the next, for fresh memory costs more than what is computed
#: in it. Who takes it takes it out: no other thread has it meanwhile.
_MOST_KEPT = 4_194_304
_SPARE_ROOM: list[Any] = []


def _forward_backward(
    weight: Any, step: Any, first: Any, last: Any, lengths: Any = None
) -> tuple[Any, Any, Any, Any, Any]:
    """γ, the log-likelihoods, and φ, π, ω of which ξ is the product, of chains.

    Args:
        weight: log b, what a place says of its label, over (place, label, *chains).
        step: log a, over (label, next label), or over (place, label, next label, *chains), 1 where it does not vary.
        first: the logarithms of what is said of the first label, over (label, *chains), or None.
        last: the same of the last label.
        lengths: how many places each chain has, over chains, where they have not all. Beyond, γ and ω are 0.

    Returns:
        (γ, log-likelihoods, φ, π, ω): γ over (place, label, *chains), φ and ω without the last place, π like `step`;
        ξ between a place and the next is φ(k) π(k, l) ω(l).
    """
    places, count, *chains = weight.shape
    number = math.prod(chains)
    blocks = _blocks_along(places, number)
    length = -(-places // blocks)
    blocks = -(-places // length)
    gone = None if lengths is None else _beyond_ends(lengths, places, chains)
    moved, height = _relative(np.array(step, dtype=float), (1, 2) if np.ndim(step) > 2 else ())
    table, size = moved, (places - 1, count, count, *chains)
    if moved.ndim > 2:
        table = np.broadcast_to(moved, size).reshape(places - 1, count, count, number)
        table = _cut_along(np.concatenate([np.ones((1, *table.shape[1:])), table]), blocks, length)
    room = _taken_room((3, length, count, blocks * number))
    weight = weight.reshape(places, count, number)
    kept = weight if gone is None else np.where(gone[:, None], 0.0, weight)
    cut = _cut_along(kept, blocks, length, room[0])
    weight, peak = _relative(cut, (1,))
    (begin, low), (end, high) = (_end_of_chain(each, count, chains) for each in (first, last))
    with np.errstate(divide="ignore", invalid="ignore"):
        stays = None if gone is None else _cut_along(gone, blocks, length)
        logs, after = _messages_along(room, table, begin, end, places - (blocks - 1) * length, stays)
        total = (logs + peak[:, 0]).sum(0).reshape(-1, number).sum(0) + np.log(after) + low + high
        total = np.where(np.isneginf(logs).any(0).reshape(-1, number).any(0), -np.inf, total)
        lost = _lost_chains(kept, moved, total)
        again = _found_again(lost, kept, moved, begin, end, gone, size)
        total[lost] = again[1] + (low + high)[lost]
    total = total + _heights_along(height, gone, (places - 1, 1, 1, *chains), number)
    parts = zip(room, (slice(1, None), slice(-1), slice(None)), strict=True)
    later, before, shown = (
        np.moveaxis(_joined_along(each, places, number, kept).reshape(count, *chains, -1), -1, 0)
        for each, kept in parts
    )
    _give_back(room)
    if len(lost):
        for part, found in zip((shown, before, later), (again[0], again[2][:-1], again[3][:-1]), strict=True):
            part.reshape(len(part), count, number)[..., lost] = found
    if gone is not None:
        shown[np.broadcast_to(gone.reshape(places, 1, *chains), shown.shape)] = 0.0
        later[np.broadcast_to(gone[1:].reshape(places - 1, 1, *chains), later.shape)] = 0.0
    return shown, total.reshape(chains)[()], before, moved, later


def _most_probable_path(weight: Any, step: Any, first: Any, last: Any, lengths: Any = None) -> Any:
    """The most probable labels of chains together, over (place, *chains), of arguments as `_forward_backward` takes them.

    Beyond the end of a chain its last label stays. (Viterbi 1967; Rabiner 1989, equations 32-35.)
    """
    places, count, *chains = weight.shape
    table = step.reshape(1, count, count, *(1 for _ in chains)) if np.ndim(step) == 2 else step
    table = np.broadcast_to(table, (places - 1, count, count, *chains))
    if lengths is not None:
        gone = np.arange(places).reshape(-1, 1, *(1 for _ in chains)) >= lengths
        weight = np.where(gone, 0.0, weight)
        stay = np.where(np.eye(count, dtype=bool), 0.0, -np.inf).reshape(count, count, *(1 for _ in chains))
        table = np.where(gone[1:, :, None], stay, table)
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


def _found_again(
    lost: Any, weight: Any, moved: Any, begin: Any, end: Any, gone: Any, size: tuple[int, ...]
) -> tuple[Any, Any, Any, Any]:
    """The chains that were lost, in logarithms."""
    places, number = len(weight), weight.shape[-1]
    own = moved if moved.ndim == 2 else np.broadcast_to(moved, size).reshape(*size[:3], number)[..., lost]
    ended = np.broadcast_to(False if gone is None else gone, (places, number))
    if not len(lost):
        return weight[..., lost], np.zeros(0), weight[..., lost], weight[..., lost]
    return _in_logarithms(weight[..., lost], own, begin[:, lost], end[:, lost], ended[:, lost])


def _beyond_ends(lengths: Any, places: int, chains: list[int]) -> Any:
    """Where each chain has ended, over (place, chain)."""
    return np.arange(places)[:, None] >= np.broadcast_to(lengths, chains).reshape(-1)


def _heights_along(height: Any, gone: Any, shape: tuple[int, ...], number: int) -> Any:
    """What the steps of each chain are relative to, summed over its places; nothing where they do not vary."""
    if np.ndim(height) == 0:
        return 0.0
    heights = np.broadcast_to(height, shape).reshape(-1, number)
    return (heights if gone is None else np.where(gone[1:], 0.0, heights)).sum(0)


def _end_of_chain(value: Any, count: int, chains: list[int]) -> tuple[Any, Any]:
    """What is said of the labels at an end, over (label, chain), relative to its largest, and the logarithm of that."""
    whole = np.zeros((count, *chains)) if value is None else np.broadcast_to(value, (count, *chains))
    table, peak = _relative(np.array(whole.reshape(count, -1)), (0,))
    return table, peak[0]


def _blocks_along(places: int, number: int) -> int:
    """How many blocks a chain is cut into: as many as keep both the loop and what goes side by side short."""
    wanted = round(1.6 * math.sqrt(places) / number)
    return wanted if wanted > 3 else 1


def _taken_room(shape: tuple[int, ...]) -> Any:
    """Room of this shape, of what is kept where that is enough."""
    size = math.prod(shape)
    try:
        kept = _SPARE_ROOM.pop()
    except IndexError:
        kept = np.empty(0)
    return (kept if kept.size >= size else np.empty(size))[:size].reshape(shape)


def _give_back(room: Any) -> None:
    """Room that nothing that is returned lies in, kept for the next call if it is not too much."""
    if room.base.size <= _MOST_KEPT:
        _SPARE_ROOM[:] = [room.base]


def _cut_along(values: Any, blocks: int, length: int, room: Any = None) -> Any:
    """A copy of values over (place, …, chain) as (place in a block, …, block and chain), in this room or in its own; what
    the last block lacks is 0.
    """
    full, shape = len(values) // length, values.shape[1:]
    laid_out = (length, *shape[:-1], blocks, shape[-1])
    cut = np.empty(laid_out, values.dtype) if room is None else room.reshape(laid_out)
    apart = np.moveaxis(cut, -2, 0)
    apart[:full] = values[: full * length].reshape(full, length, *shape)
    if full < blocks:
        rest = values[full * length :]
        apart[full, : len(rest)], apart[full, len(rest) :] = rest, 0.0
    return cut.reshape(length, *shape[:-1], -1)


def _joined_along(values: Any, places: int, number: int, kept: slice) -> Any:
    """A copy of the same the other way round, as (…, chain, place), of the places that are kept."""
    length, *shape, _ = values.shape
    apart = np.moveaxis(values.reshape(length, *shape, -1, number), (0, -2), (-1, -2))
    if apart.shape[-2] == 1:
        return np.array(apart[..., 0, kept], order="C")
    return np.array(apart, order="C").reshape(*shape, number, -1)[..., :places][..., kept]


def _messages_along(room: Any, table: Any, first: Any, last: Any, end: int, gone: Any) -> tuple[Any, Any]:
    """ω, φ and γ, in the room of which the first part holds the weights; the logarithms of what normalises φ, and what is
    said of the last labels after all. The last block has `end` places. Where a chain has `gone` its label stays, over
    (place in a block, block and chain).
    """
    weight, filtered, future = room
    number = first.shape[-1]
    before, after = _through_blocks(weight, table, first, last, end, gone)
    scale = _filtered_along(weight, table, before, first, filtered, gone)
    _smoothed_along(weight, table, after, last, end, future, gone)
    weight *= future
    future *= filtered
    whole = np.add.reduce(future, 1, keepdims=True)
    whole[whole == 0] = 1.0
    future /= whole
    whole *= scale
    weight /= whole
    ended = np.add.reduce(filtered[end - 1, :, -number:] * last, 0)
    scale[end:, :, -number:] = 1.0
    return np.log(scale[:, 0]), ended


def _stepped(table: Any, message: Any) -> Any:
    """Σ_k message(k) a(k, l), of a table of all chains or of each."""
    return table.T @ message if table.ndim == 2 else np.add.reduce(message[:, None] * table, 0)


def _stays(message: Any, moved: Any, gone: Any, place: int) -> None:
    """What moves on stays as it was where the chain has ended before this place."""
    if gone is not None:
        moved[..., gone[place]] = message[..., gone[place]]


def _filtered_along(weight: Any, tables: Any, message: Any, first: Any, filtered: Any, gone: Any) -> Any:
    """What normalises the messages at each place, which are put into `filtered`; that of the first place of all is from
    what is said of it.
    """
    scale = np.empty((len(weight), 1, weight.shape[-1]))
    for place, own in enumerate(weight):
        now, factor = filtered[place], scale[place]
        moved = _stepped(tables if tables.ndim == 2 else tables[place], message)
        _stays(message, moved, gone, place)
        if place == 0:
            moved[:, : first.shape[-1]] = first
        np.multiply(moved, own, out=now)
        np.add.reduce(now, 0, out=factor[0])
        now /= factor
        message = now
    return scale


def _smoothed_along(
    weight: Any, tables: Any, message: Any, last: Any, end: int, future: Any, gone: Any
) -> None:
    """Messages after each place, put into `future`; the last block ends at place `end`, where what comes after is `last`."""
    tail = last.shape[-1]
    for place in range(len(weight))[::-1]:
        now = future[place]
        now[...] = message
        if place == end - 1:
            now[:, -tail:] = last
        table = tables if tables.ndim == 2 else tables[place]
        after = now * weight[place]
        message = table @ after if table.ndim == 2 else np.add.reduce(table * after, 1)
        _stays(after, message, gone, place)
        message /= np.add.reduce(message, 0)


def _through_blocks(weight: Any, tables: Any, first: Any, last: Any, end: int, gone: Any) -> tuple[Any, Any]:
    """The messages that reach each block from before and from after it, by the products of their transfer matrices."""
    count, number = first.shape
    if weight.shape[-1] == number:
        return first, last
    product = _products_of_blocks(weight, tables, number, end, gone)
    apart = np.moveaxis(product.reshape(count, count, -1, number), (2, 3), (0, 1))
    both = np.stack([apart[:-1], apart[:0:-1].swapaxes(-1, -2)], axis=1)
    reached = _one_after_another(both, np.stack([first.T, last.T]))
    return _of_all_blocks(reached[:, 0]), _of_all_blocks(reached[::-1, 1])


def _one_after_another(matrices: Any, message: Any) -> Any:
    """Messages over (way, chain, label), and what each matrix of blocks over (way, chain, label, label) makes of the one
    before.
    """
    messages = np.empty((len(matrices) + 1, *message.shape, 1))
    messages[0] = message[..., None]
    for matrix, now, then in zip(matrices, messages, messages[1:], strict=False):
        np.matmul(matrix, now, out=then)
        np.divide(then, np.add.reduce(then, -2, keepdims=True), out=then)
    return messages[..., 0]


def _products_of_blocks(weight: Any, tables: Any, number: int, end: int, gone: Any) -> Any:
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
        _stays(product, moved, gone, place)
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


def _of_all_blocks(messages: Any) -> Any:
    """Messages over (block, chain, label), as (label, block and chain)."""
    return np.ascontiguousarray(messages.reshape(-1, messages.shape[-1]).T)
