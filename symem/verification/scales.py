"""Parameters at the scale of the data: of 1000 ± 300, a mean near 1000 and a spread near 300, a rate near 1/1000."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from symem.evaluation.coordinates import Theta
from symem.evaluation.stacks import Array
from symem.verification.enumeration import TooLargeError
from symem.verification.ground import Ground

#: Data whose centre and spread are within this factor of one are at the scale at which parameters are drawn.
_NEAR_ONE = 8.0
#: How often the units of all parameters are chosen anew.
_SWEEPS = 2


def at_scale(ground: Ground, theta: Theta, rng: np.random.Generator) -> Theta:
    """Real parameters within the range of the real data; positive ones in the units in which ℓ is largest.

    Args:
        ground: its data and its oracle are read.
        theta: a point in the supports.
        rng: of where real parameters lie.
    """
    pool = _pool(ground, discrete=False)
    if len(pool):
        theta = _within_range(ground, theta, pool, rng)
    else:
        pool = _pool(ground, discrete=True)
    units = sorted(_units(pool)) if len(pool) else []
    return _rescaled(ground, theta, units) if units else theta


def unit(ground: Ground) -> float:
    """What real parameters are moved by: 1, or the spread of real data that lie much closer together."""
    pool = _pool(ground, discrete=False)
    spread = _size(pool)[1] if len(pool) else 1.0
    return spread if spread < 1 / _NEAR_ONE else 1.0


def _pool(ground: Ground, *, discrete: bool) -> Array:
    """The numbers among the data, or the counts."""
    arrays = [
        np.ravel(np.asarray(ground.arrays[each.name], dtype=float))
        for each in ground.model.data
        if each.support.discrete is discrete and (not discrete or each.support.bounds[1] == np.inf)
    ]
    pool = np.concatenate([np.zeros(0), *arrays])
    return np.asarray(pool[np.isfinite(pool)])


def _size(pool: Array) -> tuple[float, float]:
    """Centre and spread."""
    centre = float(pool.mean())
    return centre, float(pool.std()) + 1e-3 * abs(centre) + 1e-9


def _within_range(ground: Ground, theta: Theta, pool: Array, rng: np.random.Generator) -> Theta:
    """Real parameters within the range of the data; matrices of the order of their spread or its square."""
    centre, spread = _size(pool)
    scaled = dict(theta)
    for each in ground.model.parameters:
        if each.support.of_matrices:
            scaled[each.name] = spread**2 * np.asarray(theta[each.name])
        elif each.support.bounds[0] == -np.inf:
            middle = centre if len(each.shape) < 2 else 0.0
            scaled[each.name] = middle + spread * rng.normal(size=np.shape(theta[each.name]))
    return scaled


def _units(pool: Array) -> Iterator[float]:
    """What positive parameters may be measured in: spreads, variances, rates, precisions."""
    centre, spread = _size(pool)
    for size in (abs(centre), spread):
        if size > _NEAR_ONE or 0 < size < 1 / _NEAR_ONE:
            yield from (size**power for power in (-2, -1, 1, 2))


def _rescaled(ground: Ground, theta: Theta, units: list[float]) -> Theta:
    """Each positive parameter in the unit in which ℓ is largest, the others being as they are."""
    names = [
        each.name
        for each in ground.model.parameters
        if each.support.bounds == (0, np.inf) and not each.support.of_matrices and not each.support.discrete
    ]
    for _ in range(_SWEEPS):
        for name in names:
            ways = np.array([1.0, *units])
            table = {
                key: np.stack(
                    [np.asarray(value, dtype=float) * (way if key == name else 1.0) for way in ways]
                )
                for key, value in theta.items()
            }
            try:
                heights = ground.oracle.log_posteriors(table)
            except TooLargeError:
                return theta
            best = int(np.argmax(np.where(np.isfinite(heights), heights, -np.inf)))
            theta = {key: value[best] for key, value in table.items()}
    return theta
