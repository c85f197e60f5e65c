"""Integrals over latents in which the log-density is quadratic: exact, whatever their number.

The value, slope and curvature of a quadratic follow from its values at a few points without error; whether it
is one is seen at further points. Its mean in a Gaussian, too, is the mean over a few points: m ± √g L e_a,
a = 1 … g, with L Lᵀ the covariance (a cubature rule of degree three; Stroud 1971).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
#: Points (rows, nodes, points, variables) -> values (rows, nodes, points).
Function = Callable[[Array], Array]

#: Standard deviations from which a first basis is tried.
SCALES = (1.0, 1e-4, 1e4, 1e-8, 1e8)
_SWEEPS = 12
_SETTLED = 0.5
_QUADRATIC = 1e-9


@dataclass(frozen=True)
class Gaussian:
    """exp of a quadratic at each (row, node): mode, a factor L of the covariance L Lᵀ, the log-integral."""

    mean: Array
    factor: Array
    log_mass: Array

    def repeated(self, points: int) -> Gaussian:
        """The same at every point."""
        return Gaussian(*(np.concatenate([each] * points) for each in vars(self).values()))

    def part(self, rows: int) -> Gaussian:
        """The first rows."""
        return Gaussian(*(each[:rows] for each in vars(self).values()))

    @property
    def width(self) -> int:
        """In how many directions it spreads."""
        return int(self.factor.shape[-1])

    def at(self, directions: Array) -> Array:
        """mean + L t for each row t of the directions: (rows, nodes, directions, variables)."""
        return np.asarray(self.mean[..., None, :] + np.einsum("rnab,sb->rnsa", self.factor, directions))


@dataclass(frozen=True)
class Cubature:
    """Directions from the mode, in units of L, and the logarithms of their weights."""

    directions: Array
    log_weights: Array


def cubature(width: int) -> Cubature:
    """Exact for polynomials of degree three."""
    axes = np.sqrt(width) * np.eye(width)
    return Cubature(np.concatenate([axes, -axes]), np.full(2 * width, -np.log(2 * width)))


def other_cubature(width: int) -> Cubature:
    """Exact for polynomials of degree three as well, at other points: what is no such polynomial shows."""
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(width, width)))
    axes = 2 * np.sqrt(width) * turn
    shares = np.concatenate([[0.75], np.full(2 * width, 0.25 / (2 * width))])
    return Cubature(np.concatenate([np.zeros((1, width)), axes, -axes]), np.log(shares))


def first_guess(shape: tuple[int, int], width: int, scale: float = 1.0) -> Gaussian:
    """A basis around zero."""
    factor = np.broadcast_to(scale * np.eye(width), (*shape, width, width))
    return Gaussian(np.zeros((*shape, width)), factor, np.full(shape, -np.inf))


def fit(function: Function, guesses: Iterable[Gaussian]) -> Gaussian:
    """The Gaussian that exp(function) is, at each (row, node); log-mass -inf where it has no finite integral.

    Args:
        function: a quadratic of the points.
        guesses: bases from which to look, the next where the last did not find one.
    """
    waiting = iter(guesses)
    best = _refined(function, next(waiting))
    while not np.all(np.isfinite(best.log_mass)) and (guess := next(waiting, None)) is not None:
        best = _better(best, _refined(function, guess))
    return best


def _better(one: Gaussian, other: Gaussian) -> Gaussian:
    """One, and the other where one was not found."""
    known = np.isfinite(one.log_mass)
    return Gaussian(
        np.where(known[..., None], one.mean, other.mean),
        np.where(known[..., None, None], one.factor, other.factor),
        np.where(known, one.log_mass, other.log_mass),
    )


def _refined(function: Function, basis: Gaussian) -> Gaussian:
    """Newton steps, each exact but for rounding, until the basis is that of the Gaussian itself."""
    for _ in range(_SWEEPS):
        basis, moved = _swept(function, basis)
        if not moved > _SETTLED:
            break
    return basis


def _swept(function: Function, basis: Gaussian) -> tuple[Gaussian, float]:
    value, slope, curvature = expanded(function, basis)
    finite = np.isfinite(value) & np.isfinite(slope).all(axis=-1) & np.isfinite(curvature).all(axis=(-2, -1))
    eye = np.eye(basis.width)
    precision = np.where(finite[..., None, None], -curvature, eye)
    proper = finite & (np.linalg.eigvalsh(precision)[..., 0] > 0)
    precision = np.where(proper[..., None, None], precision, eye)
    spreads, turn = np.linalg.eigh(precision)
    root = turn / np.sqrt(spreads)[..., None, :]
    shift = np.where(proper[..., None], np.einsum("rnac,rnbc,rnb->rna", root, root, slope), 0.0)
    log_det = np.linalg.slogdet(basis.factor)[1] - np.log(spreads).sum(axis=-1) / 2
    peak = value + np.sum(slope * shift, axis=-1) / 2
    log_mass = np.where(proper, peak + log_det + basis.width * np.log(2 * np.pi) / 2, -np.inf)
    mean = basis.mean + np.einsum("rnab,rnb->rna", basis.factor, shift)
    moved = np.max(np.abs(shift), initial=0.0) + np.max(np.abs(precision - eye), initial=0.0)
    return Gaussian(mean, basis.factor @ root, log_mass), float(moved)


def expanded(function: Function, basis: Gaussian) -> tuple[Array, Array, Array]:
    """Value, slope and curvature at the mode of a basis, in its units."""
    width = basis.width
    values = function(basis.at(_stencil(width)))
    middle, ahead, behind = values[..., 0], values[..., 1 : 1 + width], values[..., 1 + width : 1 + 2 * width]
    curvature = np.empty((*middle.shape, width, width))
    for a in range(width):
        curvature[..., a, a] = ahead[..., a] + behind[..., a] - 2 * middle
    for place, (a, b) in enumerate(itertools.combinations(range(width), 2)):
        both = values[..., 1 + 2 * width + place]
        curvature[..., a, b] = curvature[..., b, a] = both - ahead[..., a] - ahead[..., b] + middle
    return middle, (ahead - behind) / 2, curvature


def _stencil(width: int) -> Array:
    """0, e_a, -e_a, and e_a + e_b for a < b."""
    unit = np.eye(width)
    pairs = [unit[a] + unit[b] for a, b in itertools.combinations(range(width), 2)]
    return np.concatenate([np.zeros((1, width)), unit, -unit, np.reshape(pairs, (-1, width))])


def is_quadratic(function: Function, found: Gaussian, size: Function | None = None) -> bool:
    """Whether a function that was taken for a quadratic is one, by its values at four further points; `size` is that of the
    terms of which it is the sum, by which rounding is measured.
    """
    directions = 2 * np.random.default_rng(1).normal(size=(4, found.width))
    points = found.at(np.concatenate([np.zeros((1, found.width)), directions]))
    values = function(points)
    sizes = np.abs(values) if size is None else size(points)
    expected = values[..., :1] - np.sum(directions**2, axis=1) / 2
    gaps = np.abs(values[..., 1:] - expected) / (1 + sizes.max(axis=-1, keepdims=True))
    return bool(np.all(gaps[np.isfinite(found.log_mass)] < _QUADRATIC))
