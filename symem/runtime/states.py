"""Chains of Gaussian states: the Kalman filter and the Rauch-Tung-Striebel smoother, sequences side by side.

All is laid out over (place, chain, entry, entry). What a place says, -½ hᵀΛh + ηᵀh, is taken as what is seen there, u = C h with
noise of variance 1, Λ being CᵀC: then no variance is inverted, however wide it is. Covariances are formed as sums of
squares (Joseph's form). Where laws do not change along a chain its covariances settle: from there on gains are constant, and the means are a recurrence with one
matrix, which blocks of a sequence run side by side. (Kalman 1960; Rauch, Tung & Striebel 1965; Bucy & Joseph 1968;
Anderson & Moore 1979, section 4.4.)
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

#: Covariances have settled where none of them moves by more than so much of its size.
_SETTLED = 4 * np.finfo(float).eps


def _smoothed_numbers(*read: Any) -> tuple[Any, ...]:
    """Moments of states that are numbers: as `_smoothed_vectors`, all without the axes of entries."""
    kinds = (2, 1, 2, 1, 2, 1, 2)
    lifted = (np.asarray(each)[(..., *[None] * kind)] for each, kind in zip(read, kinds, strict=True))
    *moments, news = _smoothed_vectors(*lifted)
    kinds = (1, 2, 1, 2, 1, 2, 2)
    return (*(each[(..., *[0] * kind)] for each, kind in zip(moments, kinds, strict=True)), news)


def _smoothed_vectors(
    precision: Any, shift: Any, spread: Any, offset: Any, noise: Any, mean: Any, variance: Any
) -> tuple[Any, ...]:
    """Moments of states of which the next is Normal(F h + b, Q), and each place says -½ hᵀΛh + ηᵀh.

    Args:
        precision: Λ over (place, *chains, entry, entry); an axis before the entries is 1 long where nothing varies.
        shift: η over (place, *chains, entry).
        spread: F over (step, *chains, entry, entry), a step from each place but the last to the next.
        offset: b over (step, *chains, entry).
        noise: Q, like F.
        mean: of the first state, over (*chains, entry).
        variance: of the first state, over (*chains, entry, entry).

    Returns:
        Mean and covariance of each state given what came before, given its own place too, and given all; the covariance of a
        state with the one before; and what is new at each place, log det P - log det R + (η - Λa)ᵀP(η - Λa), of the covariances P
        with its own place and R before, a being the mean before.
    """
    places, size = len(shift), np.shape(shift)[-1]
    chains = _all_chains(precision, shift, spread, offset, noise, mean, variance)
    square = (size, size)
    precision, spread, noise = (_chains_flat(each, chains, square, 1) for each in (precision, spread, noise))
    shift, offset = (_chains_flat(each, chains, (size,), 1) for each in (shift, offset))
    whole = math.prod(chains)
    shift = np.broadcast_to(shift, (places, whole, size))
    mean, variance = _chains_flat(mean, chains, (size,), 0), _chains_flat(variance, chains, square, 0)
    root, seen = _as_observed(precision, shift)
    before, after, told = _forward_variances(places, root, spread, noise, variance)
    predicted, filtered = _forward_means(told, seen, spread, offset, mean)
    gain = _smoother_gains(after, before, spread)[: max(1, places - 1)]
    smoothed = _backward_means(gain, predicted, filtered)
    given_all = _backward_variances(places, gain, after, spread, noise)
    step = _matrix_product(given_all[1:], _stretched_along(gain, places - 1).swapaxes(-1, -2))
    news = _news_of_states(told, seen, predicted)
    found = ((predicted, before), (filtered, after), (smoothed, given_all))
    moments = [each for pair in found for each in pair]
    kinds = (1, 2, 1, 2, 1, 2, 2, 0)
    lengths = (*[places] * 6, places - 1, places)
    return tuple(
        _chains_apart(_stretched_along(each, length), whole, chains, square[:kind])
        for each, kind, length in zip([*moments, step, news], kinds, lengths, strict=True)
    )


# -- axes ---------------------------------------------------------------------------------------------------


def _all_chains(*read: Any) -> list[int]:
    """The shape of all chains together."""
    kinds = ((1, 2), (1, 1), (1, 2), (1, 1), (1, 2), (0, 1), (0, 2))
    shapes = (
        np.shape(each)[lead : np.ndim(each) - entries]
        for each, (lead, entries) in zip(read, kinds, strict=True)
        if np.ndim(each) >= lead + entries
    )
    return list(np.broadcast_shapes(*shapes))


def _chains_flat(value: Any, chains: list[int], entries: tuple[int, ...], lead: int) -> Any:
    """A value over (place, chain, *entries), or (chain, *entries) without a `lead`; the chains are one where all are alike."""
    value = np.asarray(value, dtype=float)
    missing = lead + len(chains) + len(entries) - value.ndim
    value = value.reshape((1,) * missing + value.shape)
    first, own = value.shape[:lead], value.shape[lead : lead + len(chains)]
    if math.prod(own) == 1:
        return np.broadcast_to(
            value.reshape(*first, 1, *value.shape[lead + len(chains) :]), (*first, 1, *entries)
        )
    return np.broadcast_to(value, (*first, *chains, *entries)).reshape(*first, math.prod(chains), *entries)


def _chains_apart(value: Any, number: int, chains: list[int], entries: tuple[int, ...]) -> Any:
    """The other way round."""
    return np.broadcast_to(value, (len(value), number, *entries)).reshape(len(value), *chains, *entries)


def _stretched_along(value: Any, length: int) -> Any:
    """A value along places, of which the last one told stays as it is."""
    if len(value) >= length:
        return value[:length]
    whole = np.empty((length, *value.shape[1:]))
    whole[: len(value)] = value
    whole[len(value) :] = value[-1]
    return whole


def _matrix_product(one: Any, other: Any) -> Any:
    """Products of matrices, of numbers where they are 1 × 1."""
    return one * other if one.shape[-1] == one.shape[-2] == other.shape[-1] == 1 else one @ other


def _congruent(outer: Any, inner: Any) -> Any:
    """A P Aᵀ."""
    return _matrix_product(_matrix_product(outer, inner), outer.swapaxes(-1, -2))


def _quotient(matrix: Any, right: Any) -> Any:
    """M⁻¹ B, of a singular matrix with its pseudoinverse."""
    if matrix.shape[-1] == 1:
        return np.where(matrix == 0, 0.0, right / np.where(matrix == 0, 1.0, matrix))
    try:
        return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return np.linalg.pinv(matrix) @ right


def _at_place(value: Any, place: int) -> Any:
    return value[place if len(value) > 1 else 0]


# -- what is seen ------------------------------------------------------------------------------------------


class _Gained(NamedTuple):
    """Of what is seen at each place, C, the gain K, I - KC, and the inverse of its variance I + CRCᵀ; the last place told stands
    for those after it.
    """

    root: Any
    gain: Any
    kept: Any
    inverse: Any


def _as_observed(precision: Any, shift: Any) -> tuple[Any, Any]:
    """C and u of u = C h + e, e of variance 1, that say -½ hᵀΛh + ηᵀh."""
    if precision.shape[-1] == 1:
        sizes, axes = precision[..., 0], np.ones(precision.shape)
    else:
        sizes, axes = np.linalg.eigh(precision)
    there = sizes > precision.shape[-1] * np.finfo(float).eps * sizes[..., -1:]
    rank = max(1, int(there.sum(axis=-1).max(initial=0)))
    there, sizes, axes = (
        there[..., -rank:, None],
        sizes[..., -rank:, None],
        axes[..., -rank:].swapaxes(-1, -2),
    )
    scale = np.sqrt(np.where(there, sizes, 1.0))
    return np.where(there, axes * scale, 0.0), _carried(np.where(there, axes / scale, 0.0), shift)


def _news_of_states(told: _Gained, seen: Any, predicted: Any) -> Any:
    """eᵀe - eᵀS⁻¹e - log det S, e = u - C a being what was not predicted, and S its variance."""
    inverse, surprise = told.inverse, seen - _carried(told.root, predicted)
    less = np.eye(inverse.shape[-1]) - inverse
    spread = np.einsum("...a,...a->...", surprise, _carried(less, surprise))
    volume = np.log(inverse[..., 0, 0]) if inverse.shape[-1] == 1 else np.linalg.slogdet(inverse)[1]
    return spread + _stretched_along(volume, len(seen))


# -- covariances --------------------------------------------------------------------------------------------


def _forward_variances(
    places: int, root: Any, spread: Any, noise: Any, variance: Any
) -> tuple[Any, Any, _Gained]:
    """The covariances given what came before and given the place too, up to the place from which on they stay, and with what
    gain each place was told.
    """
    alike = len(root) == len(spread) == len(noise) == 1
    number = max(each.shape[-3] for each in (root, spread, noise, variance))
    now = np.broadcast_to(variance, (number, *variance.shape[-2:]))
    before, after, told = [], [], []
    for place in range(places):
        before.append(now)
        told.append(_with_evidence(now, _at_place(root, place)))
        after.append(told[-1][-1])
        if place < places - 1:
            now = _congruent(_at_place(spread, place), after[-1]) + _at_place(noise, place)
            if alike and _has_settled(now, before[-1]):
                break
    *parts, _ = (np.array(each) for each in zip(*told, strict=True))
    return np.array(before), np.array(after), _Gained(root, *parts)


def _with_evidence(variance: Any, root: Any) -> tuple[Any, ...]:
    """K = R Cᵀ S⁻¹, I - KC and S⁻¹, S being I + CRCᵀ; and (I - KC) R (I - KC)ᵀ + KKᵀ."""
    crossed = _matrix_product(variance, root.swapaxes(-1, -2))
    total = _matrix_product(root, crossed) + np.eye(root.shape[-2])
    inverse = 1 / total if total.shape[-1] == 1 else np.linalg.inv(total)
    gain = _matrix_product(crossed, inverse)
    kept = np.eye(variance.shape[-1]) - _matrix_product(gain, root)
    after = _congruent(kept, variance) + _matrix_product(gain, gain.swapaxes(-1, -2))
    return gain, kept, inverse, after


def _has_settled(one: Any, other: Any) -> bool:
    moved = abs(one - other)
    if not moved.max() <= _SETTLED * other.max():
        return False
    scale = np.sqrt(np.diagonal(other, 0, -2, -1))
    return bool((moved <= _SETTLED * scale[..., :, None] * scale[..., None, :]).all())


def _smoother_gains(after: Any, before: Any, spread: Any) -> Any:
    """G = P Fᵀ R⁻¹, R being the covariance of the next state before its own place; up to the place from which on it stays."""
    if len(spread) > 1:
        moved, ahead = _matrix_product(spread, after[:-1]), before[1:]
    else:
        moved, ahead = _matrix_product(spread, after), np.concatenate([before[1:], before[-1:]])
    return _quotient(np.broadcast_to(ahead, moved.shape[:-2] + ahead.shape[-2:]), moved).swapaxes(-1, -2)


def _backward_variances(places: int, gain: Any, after: Any, spread: Any, noise: Any) -> Any:
    """V = (I - GF) P (I - GF)ᵀ + GQGᵀ + GV'Gᵀ, V' being that of the next state, at every place."""
    eye, told = np.eye(after.shape[-1]), len(after)
    own = _congruent(eye - _matrix_product(gain, spread[: len(gain)]), after[: len(gain)]) + _congruent(
        gain, noise[: len(gain)]
    )
    given_all = np.empty((places, *own.shape[1:]))
    now = given_all[-1] = after[-1]
    place = places - 2
    while place >= 0:
        last, at = now, min(place, len(gain) - 1)
        now = given_all[place] = own[at] + _congruent(gain[at], last)
        if place > told and _has_settled(now, last):
            given_all[told:place] = now
            place = told
        place -= 1
    return given_all


# -- means --------------------------------------------------------------------------------------------------


def _forward_means(told: _Gained, seen: Any, spread: Any, offset: Any, mean: Any) -> tuple[Any, Any]:
    """a' = F m + b and m = (I - KC) a + Ku at every place."""
    places = len(seen)
    news = _carried(told.gain, seen)
    kept = told.kept[: len(spread)] if len(spread) > 1 else told.kept
    moved, steps = _matrix_product(spread[: len(told.kept)], kept), places - 1
    inputs = _carried(spread, news[:-1]) + offset
    first = np.broadcast_to(mean, news.shape[1:])
    predicted = _carried_on(moved[:steps], np.broadcast_to(inputs, (steps, *news.shape[1:])), first)
    return predicted, _carried(told.kept, predicted) + news


def _backward_means(gain: Any, predicted: Any, filtered: Any) -> Any:
    """E = m + G (E' - a'), E' and a' being those of the next state, at every place."""
    return _carried_back(gain, filtered[:-1] - _carried(gain, predicted[1:]), filtered[-1])


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
