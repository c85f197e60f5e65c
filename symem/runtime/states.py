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

from symem.runtime.affine_scans import _carried, _carried_back, _carried_on, _stretched_along
from symem.runtime.met_before import _kinds_along, _met_before

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
    """The covariances given what came before and given the place too, and with what gain each place was told; where all places
    are alike, up to the one from which on they stay.
    """
    number = max(each.shape[-3] for each in (root, spread, noise, variance))
    first = np.broadcast_to(variance, (number, *variance.shape[-2:]))
    moving = len(spread) > 1 or len(noise) > 1
    kinds = (
        np.arange(places) if moving else np.zeros(places, dtype=int) if len(root) == 1 else _kinds_along(root)
    )

    def following(last: Any, place: int) -> tuple[Any, ...]:
        now = first
        if last is not None:
            now = _congruent(_at_place(spread, place - 1), last[-1]) + _at_place(noise, place - 1)
        return now, *_with_evidence(now, _at_place(root, place))

    found, which = _met_before(kinds, following, lambda one, other: _has_settled(one[0], other[0]))
    before, *parts, after = (np.array(each) for each in zip(*found, strict=True))
    if len(root) > 1 and not moving:
        before, after, *parts = (each[which] for each in (before, after, *parts))
    return before, after, _Gained(root, *parts)


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
    eye = np.eye(after.shape[-1])
    own = _congruent(eye - _matrix_product(gain, spread[: len(gain)]), after[: len(gain)]) + _congruent(
        gain, noise[: len(gain)]
    )
    at = np.minimum(np.arange(places - 1), len(gain) - 1)
    kinds = at
    if len(gain) >= places - 1:
        kinds = _kinds_along(np.concatenate([gain, own], axis=-1)[: places - 1])

    def following(last: Any, place: int) -> Any:
        here = at[places - 2 - place]
        return own[here] + _congruent(gain[here], after[-1] if last is None else last)

    found, which = _met_before(kinds[::-1], following, _has_settled)
    earlier = np.array(found)[which[::-1]] if found else after[:0]
    return np.concatenate([earlier, np.broadcast_to(after[-1:], (1, *own.shape[1:]))])


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
