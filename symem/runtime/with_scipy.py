"""Special functions that NumPy and SciPy lack, or do not have so that they keep their digits; copied into modules that
need them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln, ive, log_ndtr, zeta


def _log_normal_interval(low: Any, high: Any) -> Any:
    """log(Phi(high) - Phi(low)), from the tail in which the difference keeps its digits."""
    flip = np.asarray(low) > 0
    low, high = np.where(flip, -np.asarray(high), low), np.where(flip, -np.asarray(low), high)
    upper = log_ndtr(high)
    return upper + np.log(-np.expm1(log_ndtr(low) - upper))


def _log_poisson(x: Any, mean: Any) -> Any:
    """log of the Poisson probability of x, by the deviance from the mean (Loader 2000, the saddle-point expansion)."""
    seen = np.maximum(x, 1.0)
    return np.where(x > 0, -_deviance(seen, mean) - _beside_stirling(seen), -mean)


def _log_binomial(x: Any, n: Any, p: Any, q: Any) -> Any:
    """log of the probability of x successes of n, where p + q = 1 (Loader 2000)."""
    left = n - x
    edge = np.where(x > 0, n * _log_share(p, q), n * _log_share(q, p))
    inside = (x > 0) & (left > 0)
    x, left, n = (np.where(inside, each, 1.0) for each in (x, left, n))
    value = _beside_stirling(n) - _beside_stirling(x) - _beside_stirling(left)
    return np.where(inside, value - _deviance(x, n * p) - _deviance(left, n * q), edge)


def _log_negative_binomial(x: Any, r: Any, p: Any, q: Any) -> Any:
    """log of the probability of x failures before r successes, where p + q = 1."""
    return _log_binomial(r, x + r, p, q) + np.log(r / (r + x))


def _log_share(p: Any, q: Any) -> Any:
    """log p, and from q = 1 - p where that is the smaller."""
    return np.where(q < 0.5, np.log1p(-np.minimum(q, 0.5)), np.log(p))


def _deviance(x: Any, mean: Any) -> Any:
    """x log(x/m) + m - x for x > 0, near x = m from the series of the logarithm in (x - m)/(x + m)."""
    ratio = (x - mean) / (x + mean)
    square = np.minimum(ratio**2, 0.01)
    series = sum(square**j / (2 * j + 1) for j in range(9, 0, -1))
    near = (x - mean) * ratio + 2 * x * ratio * series
    return np.where(np.abs(ratio) < 0.1, near, x * np.log(x / mean) + mean - x)


def _beside_stirling(x: Any) -> Any:
    """log Γ(x + 1) - x log x + x for x > 0: log √(2πx) and what Stirling's formula leaves."""
    large = np.maximum(x, 16.0)
    few = np.minimum(x, 16.0)
    few = gammaln(few + 1) - few * np.log(few) + few
    return np.where(x > 16.0, 0.5 * np.log(2 * np.pi * large) + _stirling(large), few)


def _stirling(x: Any) -> Any:
    """What Stirling's formula leaves of log Γ(x), x ≥ 16 (Abramowitz & Stegun 6.1.41)."""
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / x**2) / x**2) / x**2) / x**2) / x


def _trigamma(x: Any) -> Any:
    """ψ'(x) for x > 0: of many numbers from x + 10 by its expansion (Abramowitz & Stegun 6.4.6, 6.4.12), which takes them many
    times as fast as SciPy's zeta.
    """
    x = np.asarray(x, dtype=float)
    if x.size <= 64:
        return zeta(2.0, x)
    far = 1 / (x + 10)
    square = far**2
    series = 7 / 6 * square - 691 / 2730
    for coefficient in (5 / 66, -1 / 30, 1 / 42, -1 / 30, 1 / 6):
        series = series * square + coefficient
    near = sum((x + step) ** -2.0 for step in range(9, -1, -1))
    return near + far + square / 2 + far * square * series


def _log_gamma_ratio(a: Any, d: Any) -> Any:
    """log Γ(a + d) - log Γ(a) for positive a and d, from Stirling's formula where a is large."""
    large = np.maximum(a, 16.0)
    far = d * np.log(large) + (large + d - 0.5) * np.log1p(d / large) - d
    far = far + _stirling(large + d) - _stirling(large)
    return np.where(a > 16.0, far, gammaln(np.minimum(a, 16.0) + d) - gammaln(np.minimum(a, 16.0)))


def _log_scaled_besseli(order: Any, x: Any) -> Any:
    """log I_order(x) - x for x ≥ 0, beyond x = 1e8 from its expansion (Abramowitz & Stegun 9.7.1)."""
    order, x = np.broadcast_arrays(np.asarray(order, dtype=float), np.asarray(x, dtype=float))
    large = np.maximum(x, 1e8)
    far = np.log1p((1.0 - 4.0 * np.minimum(order, 1.0) ** 2) / (8.0 * large)) - 0.5 * np.log(
        2.0 * np.pi * large
    )
    with np.errstate(divide="ignore"):
        value = np.where(x > 1e8, far, np.log(ive(order, np.minimum(x, 1e8))))
    high = ((order > 1e3) & (x > 0)) | ((order >= 1.0) & (x > 1e8))
    if np.any(high):
        value = np.where(high, _log_high_besseli(np.where(high, order, 1e3), np.where(high, x, 1.0)), value)
    lost = np.isneginf(value) & (x > 0)
    if np.any(lost):
        value = np.where(lost, _log_small_besseli(np.where(lost, order, 0.0), np.where(lost, x, 0.0)), value)
    return value[()]


def _log_high_besseli(order: Any, x: Any) -> Any:
    """log I_order(x) - x of a high order, by Debye's expansion (Abramowitz & Stegun 9.7.7)."""
    z = x / order
    root = np.hypot(1.0, z)
    t, s = 1.0 / root, 1.0 / root**2
    series = 1.0 + t / order * (
        (3 - 5 * s) / 24
        + t / order * (
            (81 - s * (462 - 385 * s)) / 1152
            + t / order * (30375 - s * (369603 - s * (765765 - 425425 * s))) / 414720
        )
    )  # fmt: skip
    leading = order * (1.0 / (root + z) - np.arcsinh(1.0 / z))
    return leading - 0.5 * np.log(2 * np.pi * order * root) + np.log(series)


def _log_small_besseli(order: Any, x: Any) -> Any:
    """log I_order(x) - x by the power series, where it has no floating-point number."""
    term, total, place = np.ones(x.shape), np.zeros(x.shape), 0.0
    while np.any(term > 1e-17 * total):
        total, place = total + term, place + 1.0
        term = term * (x / 2) ** 2 / (place * (order + place))
    power = np.where(order > 0, order * np.log(np.where(x > 0, x, 1.0) / 2), 0.0)
    return power - gammaln(order + 1) + np.log(total) - x


def _tanh_ratio(c: Any) -> Any:
    """tanh(c/2)/(2c), which is 1/4 at 0."""
    small = np.abs(c) < 1e-4
    away = np.where(small, 1.0, c)
    return np.where(small, 0.25 - np.square(c) / 48.0, np.tanh(away / 2.0) / (2.0 * away))[()]


def _log_sub_exp(above: Any, below: Any) -> Any:
    """log(exp a - exp b) for a ≥ b, -inf where they are equal."""
    gap = np.where(np.isneginf(below), -np.inf, below - above)
    return above + np.log(-np.expm1(np.minimum(gap, 0.0)))


def _log_softplus(power: Any) -> Any:
    """log log(1 + exp a), which is a where exp a is small."""
    return np.where(power < -37, power, np.log(np.logaddexp(0.0, power)))


def _log_complement(power: Any) -> Any:
    """log(1 - exp(-exp a)), which is a where exp a is small."""
    return np.where(power < -37, power, np.log(-np.expm1(-np.exp(power))))


def _falling_root(function: Any, *given: Any) -> Any:
    """The u > 0 at which a function vanishes that falls in u, for all entries at once; 0 or inf where it has none.

    Newton's method in log u: by itself, which as a rule is all that is needed, or else kept within bounds. `function` gives the
    value and the slope.
    """
    given = np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in given))
    with np.errstate(all="ignore"):
        place, before = np.zeros(given[0].shape), np.inf
        for _ in range(12):
            value, slope = function(np.exp(place), *given)
            step = -value / (slope * np.exp(place))
            size = np.max(np.abs(step), initial=0.0)
            place = place + step
            if size < 1e-9 and 2 * size <= before and np.all(np.abs(slope * np.exp(place)) > 1e-15):
                return np.exp(place)[()]
            if not size < 3:
                break
            before = size
        return _bracketed_root(function, given)


def _bracketed_root(function: Any, given: Any) -> Any:
    """The same by Newton's method in log u kept within bounds, which are halved where it does not halve its steps (Press et al.
    2007, section 9.4), until its next steps would be rounding; where it no longer falls but by rounding the root is infinite.
    """
    place, reach = np.zeros(given[0].shape), np.full(given[0].shape, 2.0)
    low, high, before, found = -np.inf + place, np.inf + place, np.inf + place, np.isnan(sum(given))
    for _ in range(200):
        value, slope = function(np.exp(place), *given)
        newton = -value / (slope * np.exp(place))
        size = np.abs(newton)
        low, high = np.where(value > 0, place, low), np.where(value < 0, place, high)
        near, within = size < 1e-5, np.isfinite(high - low)
        inside = (place + newton > low) & (place + newton < high)
        last = near & inside & (2 * size <= before)
        found = found | (value == 0) | (near & ~last) | (np.abs(place) > 700)
        found = found | (high - low < 1e-15 * (1 + np.abs(place)))
        if np.all(found | (last & (size < 1e-9))):
            place = np.where(found, place, place + newton)
            break
        kept = inside & (size <= np.where(within, before / 2, reach))
        step = np.where(within, (low + high) / 2 - place, np.where(value > 0, reach, -reach))
        step = np.where(found, 0.0, np.where(kept | near, newton, step))
        reach = np.where(within | kept, reach, 2 * reach)
        place, before = np.clip(place + step, -701.0, 701.0), np.abs(step)
    level = (place > 0) & (np.abs(slope * np.exp(place)) < 1e-15)
    root = np.where(place < -700, 0.0, np.where(level | (place > 700), np.inf, np.exp(place)))
    return np.where(np.isnan(value), np.nan, root)[()]


def _steepness(function: Any, u: Any, *given: Any) -> Any:
    """How much a function falls at its root where u changes by its own size."""
    return np.abs(u * function(u, *given)[1])
