"""The numerical pieces of an E-step that NumPy has no name for."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np

from symem.runtime.loop import DataError
from symem.runtime.wording import _counted_place

_LOG_2PI = math.log(2 * math.pi)

#: The least normal number, as an array, which NumPy takes up more quickly than a number of Python.
_TINY = np.asarray(2.2250738585072014e-308)

#: Below this a probability is 0: what is left of its digits is slow to compute with. It is looked for among many only.
_VANISHES, _MANY = -700.0, 4096

#: Up to so many numbers a list is quicker than an array.
_FEW = 64

#: A pivot below this share of its diagonal entry is rounding: the matrix is singular.
_SINGULAR = 1e-13


def _log(value: Any) -> Any:
    """log, finite at 0: a parameter on the edge of its support gives a weight of 1e-308, and 0 log 0 = 0."""
    return np.log(np.maximum(value, _TINY))


def _log_or_never(value: Any) -> Any:
    """log of a chance, at 0 less than any sum of logarithms of densities, and finite, so that 0 log 0 = 0."""
    return np.where(np.greater(value, 0), _log(value), -1e290)


def _log_one_less_exp(power: Any) -> Any:
    """log(1 - exp(a)) for a < 0, with all its digits, and finite at 0 as log is (Mächler 2012)."""
    return np.where(power > -math.log(2), _log(-np.expm1(power)), np.log1p(-np.exp(np.minimum(power, -0.5))))


def _all(values: Any) -> bool:
    """Whether none is 0: of few numbers, Python is the quickest."""
    if isinstance(values, np.ndarray) and values.size <= _FEW:
        return 0 not in values.ravel().tolist()
    return bool(np.all(values))


def _softmax(weight: Any, axis: int) -> Any:
    """Replace log weights by probabilities along an axis, in place; the log-sum-exp that normalised them."""
    outcomes = np.moveaxis(weight, axis, 0) if axis else weight
    two = len(outcomes) == 2
    peak = np.maximum(*outcomes) if two else np.maximum.reduce(outcomes, 0)
    np.subtract(outcomes, peak, out=outcomes)
    if outcomes.size > _MANY and outcomes.min() < _VANISHES:
        np.copyto(outcomes, -np.inf, where=outcomes < _VANISHES)
    np.exp(outcomes, out=outcomes)
    total = np.add(*outcomes) if two else np.add.reduce(outcomes, 0)
    np.divide(outcomes, total, out=outcomes)
    np.log(total, out=total)
    total += peak
    return total


def _guarded_softmax(weight: Any, axis: int) -> Any:
    """`_softmax` where outcomes may be impossible (-inf): where all are, every probability is 0."""
    peak = np.maximum.reduce(weight, axis, keepdims=True)
    peak = np.where(np.isneginf(peak), 0.0, peak)
    np.exp(np.subtract(weight, peak, out=weight), out=weight)
    total = np.add.reduce(weight, axis, keepdims=True)
    weight /= np.where(total > 0, total, 1.0)
    return (np.log(total) + peak).squeeze(axis)


def _refuse_impossible(log_normaliser: Any, first: int) -> None:
    """An observation that no outcome of the latents can explain has no likelihood."""
    wrong = np.isneginf(log_normaliser)
    if np.any(wrong):
        row = first + int(np.argwhere(np.atleast_1d(wrong))[0][0])
        raise DataError(
            f"{_counted_place('Row', row)} is impossible: under these parameters no value of the latents can give it."
        )


def _mean_above(mean: Any, low: float) -> Any:
    """A posterior mean where there is one: formulas of it may leave the range where there is none."""
    return np.where(mean >= low, mean, np.nan)


def _filled_in(
    whole: tuple[Any, ...], part: tuple[Any, ...], axes: tuple[Any, ...], first: int, rows: int | None
) -> tuple[Any, ...]:
    """The arrays of all rows, with those of one chunk put in their place; `axes` are the axes of the rows, or None."""
    if rows is None:
        return tuple(np.array(each) for each in part)
    if not whole:
        whole = tuple(_room(each, axis, rows) for each, axis in zip(part, axes, strict=True))
    for array, each, axis in zip(whole, part, axes, strict=True):
        if axis is not None:
            np.moveaxis(array, axis, 0)[first : first + each.shape[axis]] = np.moveaxis(each, axis, 0)
    return whole


def _room(part: Any, axis: int | None, rows: int) -> Any:
    """An array for all rows like that of one chunk; what is the same for all rows is itself."""
    return np.array(part) if axis is None else np.empty((*part.shape[:axis], rows, *part.shape[axis + 1 :]))


def _solve(matrix: Any, vector: Any) -> Any:
    """The solution of linear systems over the last axes; the shortest one where a system is singular."""
    try:
        return np.linalg.solve(matrix, vector[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return (_pseudo_inverse(matrix) @ vector[..., None])[..., 0]


def _solve_all(matrix: Any, columns: Any) -> Any:
    """`_solve` for every column over the last axis."""
    try:
        return np.linalg.solve(matrix, columns)
    except np.linalg.LinAlgError:
        return _pseudo_inverse(matrix) @ columns


def _pseudo_inverse(matrix: Any) -> Any:
    """The pseudo-inverse over the last two axes; NaN for a matrix that is not finite."""
    finite = np.isfinite(matrix).all(axis=(-1, -2))[..., None, None]
    return np.where(finite, np.linalg.pinv(np.where(finite, matrix, 0.0)), np.nan)


def _cholesky(matrix: Any) -> Any:
    """Lower triangular factors of positive definite matrices over the last two axes; NaN for one that is not."""
    with np.errstate(all="ignore"):
        try:
            factor = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            factor = np.full(matrix.shape, np.nan)
            for place in np.ndindex(matrix.shape[:-2]):
                with contextlib.suppress(np.linalg.LinAlgError):
                    factor[place] = np.linalg.cholesky(matrix[place])
        pivots = np.diagonal(factor, 0, -2, -1) ** 2
        least = _SINGULAR * np.diagonal(matrix, 0, -2, -1)
        sound = np.asarray((pivots > least).all(axis=-1))
        return np.where(sound[..., None, None], factor, np.nan)


def _inverse_from_cholesky(factor: Any) -> Any:
    """The inverse of L Lᵀ over the last two axes."""
    inner = _whitening(factor)
    return np.swapaxes(inner, -1, -2) @ inner


def _whitening(factor: Any) -> Any:
    """L⁻¹ over the last two axes, which makes vectors of covariance L Lᵀ white."""
    return np.linalg.solve(factor, np.broadcast_to(np.eye(factor.shape[-1]), factor.shape))


def _inverse(matrix: Any) -> Any:
    """The inverse over the last two axes; NaN for a singular matrix."""
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.full(matrix.shape, np.nan)


def _times_counts(value: Any, rows: Any, behind: int = 0) -> Any:
    """Values of rows, each as often as its row counts; so many axes lie behind that of the rows."""
    return value if rows.counts is None else value * rows.counts.reshape(-1, *(1,) * behind)


def _scatter(value: Any, places: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """The array of that shape in which every value is added at its place."""
    flat: Any = 0
    for place, size in zip(places, shape, strict=True):
        flat = flat * size + place
    flat, value = np.broadcast_arrays(flat, value)
    return np.bincount(flat.ravel(), value.ravel(), math.prod(shape)).reshape(shape)
