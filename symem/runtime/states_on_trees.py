"""Gaussian states on trees: what is said below each place gathered upward, and moments downward, places of one depth side by
side.

All is laid out over (place, plate, entry, entry). (Chou, Willsky & Benveniste 1994; Felsenstein 1973.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symem.runtime.branch_messages import _add_to_parents, _levels_of
from symem.runtime.states import _chains_apart, _chains_flat, _congruent, _matrix_product

#: Whether what a pass reads has an axis of places, and how many axes of entries.
_LAID_OUT = ((1, 2), (1, 1), (1, 2), (1, 1), (1, 2), (0, 1), (0, 2))


def _numbers_on_trees(*read: Any) -> tuple[Any, ...]:
    """Moments of states that are numbers: as `_vectors_on_trees`, all without the axes of entries."""
    *given, parent = read
    lifted = [
        np.asarray(each)[(..., *[None] * kind)] for each, (_, kind) in zip(given, _LAID_OUT, strict=True)
    ]
    *moments, volume = _vectors_on_trees(*lifted, parent)
    kinds = (2, 1, 2, 2)
    return (*(each[(..., *[0] * kind)] for each, kind in zip(moments, kinds, strict=True)), volume)


def _vectors_on_trees(*read: Any) -> tuple[Any, ...]:
    """Moments of states of which a child is Normal(F h + b, Q), and each place says -½ hᵀΛh + ηᵀh.

    Args:
        read: Λ over (place, *plates, entry, entry), an axis before the entries 1 long where nothing varies; η over
            (place, *plates, entry); F, b and Q like Λ, η and Λ, of roots not read; the mean over (*plates, entry) and the
            variance over (*plates, entry, entry) of the state of a root; of each place that of its parent, a root's negative.

    Returns:
        The covariance S of each state given all data and the state of its parent, its mean and covariance given all data, its
        covariance with the state of its parent, and log det S.
    """
    *given, parent = read
    size, places = np.shape(given[1])[-1], len(parent)
    leads = (
        np.shape(each)[lead : np.ndim(each) - kind]
        for each, (lead, kind) in zip(given, _LAID_OUT, strict=True)
    )
    plates = [*np.broadcast_shapes(*leads)]
    whole = (places, int(np.prod(plates, dtype=int)))
    flat = [
        np.broadcast_to(
            _chains_flat(each, plates, (size,) * kind, lead), (*whole[1 - lead :], *(size,) * kind)
        )
        for each, (lead, kind) in zip(given, _LAID_OUT, strict=True)
    ]
    columns = [each if kind > 1 else each[..., None] for each, (_, kind) in zip(flat, _LAID_OUT, strict=True)]
    levels = _levels_of(parent)
    below, own, gain = _gathered_up(columns, parent, levels)
    moments, spreads, pairs = own, below.copy(), np.zeros(below.shape)
    for level in levels[1:]:
        above = parent[level]
        moments[level] += _matrix_product(gain[level], moments[above])
        pairs[level] = _matrix_product(gain[level], spreads[above])
        spreads[level] += _congruent(gain[level], spreads[above])
    volume = np.log(below[..., 0, 0]) if size == 1 else np.linalg.slogdet(below)[1]
    found = ((below, 2), (moments[..., 0], 1), (spreads, 2), (pairs, 2), (volume, 0))
    return tuple(_chains_apart(each, whole[1], plates, (size,) * kind) for each, kind in found)


def _gathered_up(read: list[Any], parent: Any, levels: list[Any]) -> tuple[Any, Any, Any]:
    """S, what each state is but for its parent's, and by how much it moves with that."""
    precision, shift, spread, offset, noise, start, variance = read
    gathered, pull = np.array(precision), np.array(shift)
    below, gain, own = np.empty(gathered.shape), np.zeros(gathered.shape), np.empty(pull.shape)
    for level in levels[:0:-1]:
        sure, back = _inverted(noise[level]), spread[level].swapaxes(-1, -2)
        below[level] = given = _inverted(sure + gathered[level])
        own[level] = known = _matrix_product(given, _matrix_product(sure, offset[level]) + pull[level])
        gain[level] = _matrix_product(_matrix_product(given, sure), spread[level])
        left = _matrix_product(_matrix_product(sure, given), gathered[level])
        _add_to_parents(gathered, _matrix_product(_matrix_product(back, left), spread[level]), parent[level])
        _add_to_parents(
            pull, _matrix_product(back, _matrix_product(sure, known - offset[level])), parent[level]
        )
    roots, sure = levels[0], _inverted(variance)
    below[roots] = _inverted(sure + gathered[roots])
    own[roots] = _matrix_product(below[roots], _matrix_product(sure, start) + pull[roots])
    return below, own, gain


def _inverted(matrix: Any) -> Any:
    """M⁻¹, of numbers where they are 1 × 1."""
    return 1.0 / matrix if matrix.shape[-1] == 1 else np.linalg.inv(matrix)
