"""log K_p(x) and its derivatives, by the moments of t and cosh t under exp(pt - x cosh t): for what checks the emitted functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

#: Pieces on either side of the peak, the longer the further, and nodes in each.
_PIECES, _NODES = 40, 10


def besselk_moments(order: Any, x: Any, in_order: Any, in_x: Any) -> Any:
    """log K_p(x), or its derivative so often in p and in x, by Gauss-Legendre quadrature to e^-45 of the peak at p = x sinh t."""
    p, x = np.broadcast_arrays(*map(np.float64, (order, x)))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    cuts = np.linspace(0, 1, _PIECES + 1) ** 2
    place = (cuts[:-1, None] + np.diff(cuts)[:, None] * (1 + nodes) / 2).ravel()
    weights = (np.diff(cuts)[:, None] * weights / 2).ravel()
    with np.errstate(all="ignore"):
        peak = np.arcsinh(p / x)
        reach = np.stack([-_reach(-p, x), _reach(p, x)], -1)[..., None]
        s = reach * place
        p, x, peak = (each[..., None, None] for each in (p, x, peak))
        rise = 2 * np.sinh(peak + s / 2) * np.sinh(s / 2)
        mass = weights * np.abs(reach) * np.exp(p * s - x * rise)
        total = mass.sum((-2, -1), keepdims=True)
        mass = mass / total
        mean, height = ((mass * each).sum((-2, -1), keepdims=True) for each in (s, rise))
        found = {
            (0, 0): np.log(total / 2) + p * peak - x * np.cosh(peak),
            (1, 0): peak + mean,
            (0, 1): -np.cosh(peak) - height,
            (2, 0): (mass * (s - mean) ** 2).sum((-2, -1), keepdims=True),
            (1, 1): -(mass * (s - mean) * (rise - height)).sum((-2, -1), keepdims=True),
            (0, 2): (mass * (rise - height) ** 2).sum((-2, -1), keepdims=True),
        }
    return found[int(np.ravel(in_order)[0]), int(np.ravel(in_x)[0])][..., 0, 0]


def log_besselk(order: Any, x: Any) -> Any:
    """log K_p(x), by SciPy where it has a number for it."""
    p, x = np.broadcast_arrays(*map(np.float64, (order, x)))
    with np.errstate(all="ignore"):
        value = np.array(np.log(special.kve(p, x)) - x)
    lost = ~np.isfinite(value) & (x > 0)
    value[lost] = besselk_moments(p[lost], x[lost], 0, 0)
    return value[()]


def _reach(p: Any, x: Any) -> Any:
    """How far the weight goes to that side of its peak where a positive p draws it."""
    r = np.hypot(p, x)
    against = np.maximum(-p, 0.0)
    far = 2 * np.arcsinh(np.sqrt(45 / (2 * np.where(p > 0, r, x * (x / (r + against))))))
    return np.where(p > 0, far, np.minimum(far, 45 / against + np.sqrt(90 / against)))
