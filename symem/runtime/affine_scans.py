"""Affine recurrences along places, x[t + 1] = M[t] x[t] + inputs[t]: one by one while M changes, in blocks side by side where it stays.

Vectors are laid out over (place, chain, entry), matrices over (place, chain, entry, entry), of which the last place told stays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def _stretched_along(value: Any, length: int) -> Any:
    """A value along places, of which the last one told stays as it is."""
    if len(value) >= length:
        return value[:length]
    whole = np.empty((length, *value.shape[1:]))
    whole[: len(value)] = value
    whole[len(value) :] = value[-1]
    return whole


def _carried(matrix: Any, vectors: Any) -> Any:
    """Matrices at places, of which the last stays, times vectors at every place."""
    told = min(len(matrix), len(vectors))
    if matrix.shape[-1] == 1:
        return _stretched_along(matrix[..., 0], len(vectors)) * vectors
    if told <= 1:
        return _by_chain(matrix[-1], vectors)
    first = (matrix[:told] @ vectors[:told, ..., None])[..., 0]
    return np.concatenate([first, _by_chain(matrix[-1], vectors[told:])])


def _by_chain(matrix: Any, vectors: Any) -> Any:
    """A matrix for every chain, or one for all, times vectors over (…, chain, entry)."""
    if len(matrix) == 1:
        flat = vectors.reshape(-1, vectors.shape[-1]) @ matrix[0].T
        return flat.reshape(*vectors.shape[:-1], flat.shape[-1])
    return (matrix @ vectors[..., None])[..., 0]


def _carried_on(matrix: Any, inputs: Any, first: Any) -> Any:
    """x[0] = first, x[t + 1] = M[t] x[t] + inputs[t]: one by one while the matrices change, then in blocks."""
    told = len(matrix) - 1 if len(matrix) < len(inputs) else len(inputs)
    found = np.empty((len(inputs) + 1, *inputs.shape[1:]))
    now = found[0] = first
    for place in range(told):
        now = found[place + 1] = _by_chain(matrix[place], now) + inputs[place]
    if told < len(inputs):
        found[told + 1 :] = _carried_in_blocks(matrix[-1], inputs[told:], now)
    return found


def _carried_back(matrix: Any, inputs: Any, last: Any) -> Any:
    """x[T - 1] = last, x[t] = M[t] x[t + 1] + inputs[t]: in blocks where the matrices stay, then one by one."""
    told = len(matrix) - 1 if len(matrix) < len(inputs) else len(inputs)
    found = np.empty((len(inputs) + 1, *inputs.shape[1:]))
    now = found[-1] = last
    if told < len(inputs):
        found[told:-1] = _carried_in_blocks(matrix[-1], inputs[told:][::-1], now)[::-1]
        now = found[told]
    for place in range(told)[::-1]:
        now = found[place] = _by_chain(matrix[place], now) + inputs[place]
    return found


def _carried_in_blocks(matrix: Any, inputs: Any, first: Any) -> Any:
    """x[t + 1] = M x[t] + inputs[t] from x[0] on, without it: blocks side by side from 0, then what reaches each."""
    steps, number, size = inputs.shape
    blocks = max(1, round(math.sqrt(steps) / number))
    length = -(-steps // blocks)
    blocks = -(-steps // length)
    cut = np.zeros((blocks, length, number, size))
    cut.reshape(-1, number, size)[:steps] = inputs
    found = np.array(cut.swapaxes(0, 1), order="C")
    for place in range(1, length):
        found[place] += _by_chain(matrix, found[place - 1])
    powers = np.empty((length, *matrix.shape))
    powers[0] = matrix
    for place in range(1, length):
        powers[place] = matrix @ powers[place - 1]
    reached = np.empty((blocks, number, size))
    now = first
    for block in range(blocks):
        reached[block] = now
        now = _by_chain(powers[-1], now) + found[-1, block]
    if len(matrix) == 1:
        found += (reached.reshape(-1, size) @ powers[:, 0].swapaxes(-1, -2)).reshape(found.shape)
    else:
        found += (powers[:, None] @ reached[..., None])[..., 0]
    return found.swapaxes(0, 1).reshape(-1, number, size)[:steps]
