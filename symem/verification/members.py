"""Random members of supports: each kind has its law, and matrices are drawn whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symem.language.supports import (
    Binary,
    Counts,
    Interval,
    Labels,
    OneHot,
    Positive,
    PositiveDefinite,
    Reals,
    Simplex,
    Support,
    Symmetric,
    UnitInterval,
)
from symem.verification.terms import Specialiser

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]


def shape_of(variable: Any, arrays: Mapping[str, Any]) -> Shape:
    """The axes of a variable's array: its plates, then those of its vectors or matrices."""
    scope = Specialiser(arrays)
    return tuple(scope.integer(size) for size in (*variable.sizes, *variable.shape))


def random_member(variable: Any, rng: np.random.Generator, sizes: Mapping[str, int]) -> Array:
    scope = Specialiser(sizes)
    shape = shape_of(variable, sizes)
    rule = next(_DRAWS[kind] for kind in type(variable.support).__mro__ if kind in _DRAWS)
    return np.asarray(rule(variable.support, shape, rng, scope))


def _simplex(support: Any, shape: Shape, rng: np.random.Generator, _scope: Specialiser) -> Any:
    outer, inner = shape[: len(shape) - support.axes], shape[len(shape) - support.axes :]
    return rng.dirichlet(np.full(int(np.prod(inner)), 4.0), size=outer).reshape(shape)


def _interval(support: Any, shape: Shape, rng: np.random.Generator, scope: Specialiser) -> Any:
    low, high = (scope.number(end) for end in support.bounds)
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * rng.beta(4, 4, shape)
    return low + rng.gamma(4.0, 0.5, shape) if np.isfinite(low) else high - rng.gamma(4.0, 0.5, shape)


def _labels(support: Any, shape: Shape, rng: np.random.Generator, scope: Specialiser) -> Any:
    """Every label in its turn, shuffled: none is left out, as far as they go."""
    turns = np.arange(int(np.prod(shape, dtype=int))) % scope.integer(support.size)
    return rng.permutation(turns).reshape(shape)


def _positive_definite(_support: Any, shape: Shape, rng: np.random.Generator, _scope: Specialiser) -> Any:
    """Wishart matrices: well-conditioned, and far from diagonal."""
    root = rng.normal(size=(*shape[:-1], shape[-1] + 4))
    return root @ np.swapaxes(root, -1, -2) / (shape[-1] + 1)


def _symmetric(_support: Any, shape: Shape, rng: np.random.Generator, _scope: Specialiser) -> Any:
    values = rng.normal(size=shape)
    return values + np.swapaxes(values, -1, -2)


def _one_hot(_support: Any, shape: Shape, rng: np.random.Generator, _scope: Specialiser) -> Any:
    return np.eye(shape[-1], dtype=int)[rng.integers(0, shape[-1], shape[:-1])]


_DRAWS: Mapping[type, Callable[..., Any]] = {
    Reals: lambda _support, shape, rng, _scope: 2 * rng.normal(size=shape),
    Positive: lambda _support, shape, rng, _scope: np.exp(0.4 * rng.normal(size=shape) + 0.3),
    UnitInterval: lambda _support, shape, rng, _scope: rng.beta(4, 4, shape),
    Simplex: _simplex,
    Interval: _interval,
    Binary: lambda _support, shape, rng, _scope: rng.integers(0, 2, shape),
    Counts: lambda _support, shape, rng, _scope: 2 + rng.poisson(5, shape),
    Labels: _labels,
    OneHot: _one_hot,
    PositiveDefinite: _positive_definite,
    Symmetric: _symmetric,
    Support: _interval,
}
