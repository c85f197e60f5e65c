"""log K_p(x), and its derivatives in order and argument, by which the index of a generalised inverse Gaussian law is found."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import kve


def _log_besselk(order: Any, x: Any) -> Any:
    """log K_order(x) for x ≥ 0: by SciPy, or else, where K has no floating-point number, as the logarithm of an integral."""
    order, x = np.broadcast_arrays(np.asarray(order, dtype=float), np.asarray(x, dtype=float))
    with np.errstate(all="ignore"):
        value = np.array(np.log(kve(order, x)) - x)
        lost = (~np.isfinite(value) | (x > 1e8)) & (x > 0) & np.isfinite(x) & np.isfinite(order)
        if np.any(lost):
            value[lost] = _log_besselk_derivative(order[lost], x[lost], 0, 0)
    return value[()]


def _log_besselk_derivative(order: Any, x: Any, in_order: int, in_x: int) -> Any:
    """The derivative of log K_p(x), p any number and x > 0, as often as that in p and in x, together twice at most.

    2 K_p(x) = ∫ exp(pt - x cosh t) dt (Abramowitz & Stegun 9.6.24), so that these are means, variances and covariance of t
    and -cosh t under that weight, taken by the trapezoidal rule about its peak, which converges exponentially there
    (Trefethen & Weideman 2014).
    """
    order, x = np.broadcast_arrays(np.asarray(order, dtype=float), np.asarray(x, dtype=float))
    shape, flat = order.shape, (np.abs(order).ravel(), x.ravel())
    with np.errstate(all="ignore"):
        left, right, step = _reach_of_besselk(*flat)
        count = 2 + int(np.max(np.ceil((left + right) / step), initial=0.0, where=np.isfinite(left + right)))
        rows = max(1, 2_000_000 // count)
        parts = []
        for first in range(0, len(flat[0]), rows):
            few = (each[first : first + rows] for each in (*flat, left, right))
            parts.append(_besselk_moments(tuple(few), count, in_order, in_x))
    found = np.concatenate(parts).reshape(shape) if parts else np.empty(shape)
    return (np.where(order < 0, -found, found) if in_order == 1 else found)[()]


def _reach_of_besselk(p: Any, x: Any, tail: float = 45.0) -> Any:
    """How far the weight goes to the left and to the right of its peak until it is e^-tail of it, and in steps of which length it
    is taken.
    """
    r = np.hypot(p, x)
    right = 2.0 * np.arcsinh(np.sqrt(tail / (2.0 * r)))
    narrow = x * (x / (r + p))
    left = np.minimum(tail / p + np.sqrt(2.0 * tail / p), 2.0 * np.arcsinh(np.sqrt(tail / (2.0 * narrow))))
    return left, right, np.minimum(0.5 / np.sqrt(r), 0.2)


def _besselk_moments(given: tuple[Any, ...], count: int, in_order: int, in_x: int) -> Any:
    """Of the weight at so many nodes s = t - asinh(p/x), p, x and how far it goes to either side being given."""
    p, x, left, right = given
    r = np.hypot(p, x)
    p, x, r = p[:, None], x[:, None], r[:, None]
    s = -left[:, None] + (left + right)[:, None] * np.linspace(0.0, 1.0, count)
    near = np.abs(s) < 0.5
    up, down = (r + p) / 2.0 * np.exp(s), x * (x / (r + p)) / 2.0 * np.exp(-s)
    arch = 2.0 * np.sinh(np.where(near, s, 0.0) / 2.0) ** 2
    cube = s**2 / 6.0 * (1.0 + s**2 / 20.0 * (1.0 + s**2 / 42.0 * (1.0 + s**2 / 72.0 * (1.0 + s**2 / 110.0))))
    fall = np.where(near, p * s * cube + r * arch, up + down - r - p * s)
    weight = np.exp(-fall)
    total = weight.sum(axis=1, keepdims=True)
    if in_order == in_x == 0:
        width = (left + right)[:, None] / (count - 1)
        return (p * np.arcsinh(p / x) - r + np.log(width * total / 2.0))[:, 0]
    weight /= total
    mean = (weight * s).sum(axis=1, keepdims=True)
    if in_x == 0:
        return (np.arcsinh(p / x) + mean)[:, 0] if in_order == 1 else (weight * (s - mean) ** 2).sum(axis=1)
    rise = np.where(near, r * arch + p * np.sinh(np.where(near, s, 0.0)), up + down - r) / x
    height = (weight * rise).sum(axis=1, keepdims=True)
    if in_order == 0:
        return -(r / x + height)[:, 0] if in_x == 1 else (weight * (rise - height) ** 2).sum(axis=1)
    return -(weight * (s - mean) * (rise - height)).sum(axis=1)
