"""Random members of supports: each kind has its law, and matrices are drawn whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symem.errors import UnknownSymbolError
from symem.evaluation.arithmetic import Arithmetic
from symem.evaluation.stacks import Array
from symem.language.supports import (
    Binary,
    Circle,
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

Shape = tuple[int, ...]
Ends = tuple[Any, Any]


def shape_of(variable: Any, arrays: Mapping[str, Any]) -> Shape:
    """The axes of a variable's array: its plates, then those of its vectors or matrices."""
    scope = Arithmetic(arrays)
    return tuple(scope.integer(size) for size in (*variable.sizes, *variable.shape))


def random_member(
    variable: Any, rng: np.random.Generator, arrays: Mapping[str, Any], ends: Ends | None = None
) -> Array:
    """An array in the support of a variable.

    Args:
        variable: gives the support, the sizes and the shape.
        rng: the source of randomness.
        arrays: sizes by name.
        ends: infimum and supremum of each entry, where arrays decide them.
    """
    if ends is None:
        low, high = (_end(end, arrays) for end in variable.support.bounds)
        ends = low, high
    rule = next(_DRAWS[kind] for kind in type(variable.support).__mro__ if kind in _DRAWS)
    return np.asarray(rule(variable.support, shape_of(variable, arrays), rng, ends))


def _end(end: Any, arrays: Mapping[str, Any]) -> float:
    try:
        return Arithmetic(arrays).number(end)
    except UnknownSymbolError:
        return np.nan


def random_parameters(model: Any, rng: np.random.Generator, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """A point in the support of every parameter."""
    theta = {each.name: random_member(each, rng, arrays) for each in model.parameters}
    for group in model.simplexes:
        theta |= dict(zip(group, rng.dirichlet(np.full(len(group), 4.0)), strict=True))
    return theta


def _simplex(support: Any, shape: Shape, rng: np.random.Generator, _ends: Ends) -> Any:
    outer, inner = shape[: len(shape) - support.axes], shape[len(shape) - support.axes :]
    return rng.dirichlet(np.full(int(np.prod(inner)), 4.0), size=outer).reshape(shape)


def _interval(_support: Any, shape: Shape, rng: np.random.Generator, ends: Ends) -> Any:
    low, high = ends
    if np.all(np.isfinite(low) & np.isfinite(high)):
        return low + (high - low) * rng.beta(4, 4, shape)
    away = rng.gamma(4.0, 0.5, shape)
    return np.select([np.isfinite(low), np.isfinite(high)], [low + away, high - away], 2 - away)


def _counts(_support: Any, shape: Shape, rng: np.random.Generator, ends: Ends) -> Any:
    low, high = np.nan_to_num(ends[0]).astype(int), ends[1]
    if not np.all(np.isfinite(high)):
        return low + 2 + rng.poisson(5, shape)
    return rng.integers(low, np.minimum(high, low + 9) + 1, shape)


def _labels(_support: Any, shape: Shape, rng: np.random.Generator, ends: Ends) -> Any:
    """Every label in its turn, shuffled: none is left out, as far as they go."""
    turns = np.arange(int(np.prod(shape, dtype=int))) % (int(np.max(ends[1])) + 1)
    return rng.permutation(turns).reshape(shape)


def _positive_definite(_support: Any, shape: Shape, rng: np.random.Generator, _ends: Ends) -> Any:
    """Wishart matrices: well-conditioned, and far from diagonal."""
    root = rng.normal(size=(*shape[:-1], shape[-1] + 4))
    return root @ np.swapaxes(root, -1, -2) / (shape[-1] + 1)


def _symmetric(_support: Any, shape: Shape, rng: np.random.Generator, _ends: Ends) -> Any:
    values = rng.normal(size=shape)
    return values + np.swapaxes(values, -1, -2)


def _one_hot(_support: Any, shape: Shape, rng: np.random.Generator, _ends: Ends) -> Any:
    return np.eye(shape[-1], dtype=int)[rng.integers(0, shape[-1], shape[:-1])]


_DRAWS: Mapping[type, Callable[..., Any]] = {
    Reals: lambda _support, shape, rng, _ends: 2 * rng.normal(size=shape),
    Positive: lambda _support, shape, rng, _ends: np.exp(0.4 * rng.normal(size=shape) + 0.3),
    UnitInterval: lambda _support, shape, rng, _ends: rng.beta(4, 4, shape),
    Simplex: _simplex,
    Interval: _interval,
    Circle: lambda _support, shape, rng, _ends: rng.uniform(-np.pi, np.pi, shape),
    Binary: lambda _support, shape, rng, _ends: rng.integers(0, 2, shape),
    Counts: _counts,
    Labels: _labels,
    OneHot: _one_hot,
    PositiveDefinite: _positive_definite,
    Symmetric: _symmetric,
    Support: _interval,
}
