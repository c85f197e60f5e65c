"""Latents made up for a start: labels from prototypes, tables and values at random, all from one generator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symem.runtime.description import Latents, Rows
from symem.runtime.kernels import _cholesky


def _profiles(chunks: tuple[Any, ...], profile: Callable[[Any], Any], rng: np.random.Generator) -> Any:
    """Up to 2000 rows as columns of numbers."""
    columns = np.concatenate([profile(rows) for rows in chunks[:: 1 + len(chunks) // 8]], axis=1)
    return columns[:, rng.permutation(columns.shape[1])[:2000]]


def _far_apart(rng: np.random.Generator, columns: Any, count: int) -> tuple[Any, Any]:
    """Prototypes as in k-means++ (Arthur & Vassilvitskii 2007), and the scale of each coordinate."""
    scale = columns.std(axis=1, keepdims=True)
    scale = np.where(scale > 0, scale, 1.0)
    columns = columns / scale
    chosen = [columns[:, rng.integers(columns.shape[1])]]
    nearest = np.full(columns.shape[1], np.inf)
    while len(chosen) < count:
        nearest = np.minimum(nearest, ((columns - chosen[-1][:, None]) ** 2).sum(axis=0))
        total = nearest.sum()
        weights = nearest / total if total > 0 else None
        chosen.append(columns[:, rng.choice(columns.shape[1], p=weights)])
    return np.array(chosen), scale


def _near(rng: np.random.Generator, prototypes: Any, axis: int) -> Any:
    """A table of labels that favours the nearest prototype; the rows' own columns stand beside the prototypes."""
    (chosen, scale), columns = prototypes
    distance = np.array([((columns / scale - each[:, None]) ** 2).sum(axis=0) for each in chosen])
    width = np.mean(distance.min(axis=0)) + 1e-12
    table = np.exp(-np.minimum((distance - distance.min(axis=0)) / (2 * width), 700.0))
    table += rng.uniform(0.0, 0.02, table.shape)
    table /= table.sum(axis=0)
    return table if axis == 0 else np.ascontiguousarray(table.T)


def _labels_near(rng: np.random.Generator, _rows: Rows, prototypes: Any) -> Latents:
    """Labels of a chunk of rows to start from, where these are all that the statistics read."""
    return (_near(rng, prototypes, 0),)


def _random_table(rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> Any:
    """Random probabilities along an axis."""
    table = rng.exponential(size=shape) + 0.1
    return table / table.sum(axis=axis, keepdims=True)


def _random_states(
    rng: np.random.Generator, shape: tuple[int, ...], axis: int, arrays: tuple[Any, ...]
) -> Any:
    """Probabilities of the labels of chains: those near prototypes of the data along them, if there are such."""
    if not arrays:
        return _random_table(rng, shape, axis)
    columns = np.array([np.asarray(each, dtype=float).ravel() for each in arrays])
    few = columns[:, rng.permutation(columns.shape[1])[:2000]]
    table = _near(rng, (_far_apart(rng, few, shape[axis]), columns), 0)
    others = (*shape[:axis], *shape[axis + 1 :])
    return np.ascontiguousarray(np.moveaxis(table.reshape(shape[axis], *others), 0, axis))


def _restricted(table: Any, possible: Any, axis: int) -> Any:
    """The table with impossible outcomes at 0."""
    table = np.where(possible > 0, table + 1e-12, 0.0)
    total = table.sum(axis=axis, keepdims=True)
    return table / np.where(total > 0, total, 1.0)


def _drawn(
    rng: np.random.Generator,
    kind: str,
    shape: tuple[int, ...],
    *,
    pool: Any = None,
    low: Any = None,
    high: Any = None,
) -> Any:
    """Values for a latent: at the scale of observed ones, inside its bounds, of its kind."""
    spread, middle = (float(np.std(pool)), float(np.mean(pool))) if pool is not None else (1.0, 0.0)
    if kind == "unit":
        return rng.uniform(0.2, 0.8, shape)
    bounded = low is not None or high is not None
    if kind == "real":
        values = (middle if bounded else 0.0) + (spread or 1.0) * rng.normal(size=shape)
    else:
        values = rng.exponential(size=shape) * (abs(middle) or 1.0 if bounded else 1.0) + 1e-3
    below = -np.inf if low is None else np.where(np.abs(low) >= 1e99, -np.inf, low)
    above = np.inf if high is None else np.where(np.abs(high) >= 1e99, np.inf, high)
    return _inside(rng, values, below, above, spread or 1.0)


def _inside(rng: np.random.Generator, values: Any, low: Any, high: Any, spread: float) -> Any:
    """Values outside their bounds moved to a random place within, near the bound that they missed."""
    share = rng.uniform(0.05, 0.95, np.shape(values))
    width = np.where(np.isfinite(low) & np.isfinite(high), high - low, spread)
    up = np.where(np.isfinite(low), low, 0.0) + share * width
    down = np.where(np.isfinite(high), high, 0.0) - share * width
    return np.where(values <= low, up, np.where(values >= high, down, values))


def _plain(table: Any, sizes: Any) -> dict[str, Any]:
    """The simplest parameters: 0, 1, equal shares, identity matrices."""
    shapes = {name: tuple(sizes.get(size, size) for size in spec.shape) for name, spec in table.items()}
    return {name: _plain_array(spec, shapes[name]) for name, spec in table.items()}


def _plain_array(spec: Any, shape: tuple[int, ...]) -> Any:
    if spec.kind == "definite":
        return np.broadcast_to(np.eye(shape[-1]), shape)
    if spec.ends:
        return np.full(shape, np.clip(0.0, *spec.ends) if np.isinf(spec.ends).any() else np.mean(spec.ends))
    share = 1.0 / float(np.prod(shape[-spec.simplex_axes :])) if shape else 0.5
    return np.full(shape, {"positive": 1.0, "unit": 0.5, "simplex": share}.get(spec.kind, 0.0))


def _apart_at_random(rng: np.random.Generator, value: Any, spec: Any) -> Any:
    """Arguments of factors that are not all alike, so that none is where all of them would stay."""
    if spec.kind == "simplex":
        return _random_table(rng, value.shape, value.ndim - 1)
    if spec.kind == "unit":
        return rng.uniform(0.1, 0.9, value.shape)
    if spec.kind == "positive":
        return value * np.exp(0.3 * rng.standard_normal(value.shape))
    return value + rng.standard_normal(value.shape)


def _mended(theta: Any, table: Any) -> Any:
    """A start whose undetermined entries, spreads of 0 and singular matrices are like the others of their array."""
    values = zip(table.values(), theta, strict=True)
    return type(theta)(
        *(
            _mended_entries(_mended_matrices(value) if spec.kind == "definite" else value, spec.kind)
            for spec, value in values
        )
    )


def _with_zeros_of(start: Any, theta: Any, table: Any) -> Any:
    """Parameters of which the shares that are 0 in a start are 0 too."""
    found = []
    for spec, begun, value in zip(table.values(), start, theta, strict=True):
        kept = (
            np.where(np.asarray(begun) == 0, 0.0, value)
            if spec.kind == "simplex" and np.ndim(value)
            else value
        )
        if kept is not value:
            whole = kept.sum(axis=tuple(range(-spec.simplex_axes, 0)), keepdims=True)
            kept = np.where(whole > 0, kept / np.where(whole > 0, whole, 1.0), begun)
        found.append(kept)
    return type(theta)(*found)


def _mended_matrices(value: Any) -> Any:
    """Covariances of which the singular ones have their correlations halved, and variances of 0 made like the others."""
    singular = np.isnan(_cholesky(np.nan_to_num(value))).any(axis=(-1, -2)) | ~np.isfinite(value).all(
        axis=(-1, -2)
    )
    value = np.nan_to_num(value)
    variances = np.diagonal(value, 0, -2, -1)
    usual = float(np.mean(variances, where=variances > 0)) if np.any(variances > 0) else 1.0
    held = np.where(variances > 1e-12 * usual, variances, usual)[..., None] * np.eye(value.shape[-1])
    return np.where(singular[..., None, None], (value * (1 - np.eye(value.shape[-1]))) / 2 + held, value)


def _mended_entries(value: Any, kind: str) -> Any:
    good = np.isfinite(value) & ((np.asarray(value) > 0) | (kind != "positive"))
    if np.all(good):
        return value
    usual = float(np.mean(value, where=good)) if np.any(good) else {"unit": 0.5}.get(kind, 1.0)
    mended = np.where(good, value, usual)
    mended = mended / mended.sum(axis=-1, keepdims=True) if kind == "simplex" and np.ndim(value) else mended
    return np.asarray(mended)[()]
