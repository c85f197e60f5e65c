"""The Gamma law between two ends: its mass, and the means of what it is the law of and of its logarithm; copied into modules that
need them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammainc, gammaincc, gammaln

from symem.runtime.with_scipy import _beside_stirling, _deviance


def _log_gamma_interval(shape: Any, low: Any, high: Any) -> Any:
    """log P(low < T < high) of a number T with the Gamma law of that shape and rate 1; of shape 0 it is at 0."""
    return _gamma_interval(shape, low, high)[0]


def _gamma_interval_mean(shape: Any, low: Any, high: Any) -> Any:
    """E[T | low < T < high] of a number T with the Gamma law of that shape and rate 1."""
    return _gamma_interval(shape, low, high)[1]


def _gamma_interval(shape: Any, low: Any, high: Any) -> Any:
    """log P(low < T < high) and E[T | low < T < high], T as above, by what is left of the larger end's
    D(x) = x^s e^-x / Γ(s + 1) in a tail, and by nodes of Gauss and Legendre where the interval is narrow.
    """
    s, a, b = np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in (shape, low, high)))
    with np.errstate(all="ignore"):
        right = (a > 0) & (a >= s)
        left = ~right & (b <= s + 1.0)
        ratio = np.where((a > 0) & np.isfinite(b), np.exp(s * np.log(a / b) + b - a), 0.0)
        rest_a, rest_b = (_gamma_rest(s, np.where(left, each, 0.0)) for each in (a, b))
        of_left = 1.0 + rest_b - ratio * (1.0 + rest_a), s * (rest_b - ratio * rest_a)
        tail_a, tail_b = (_gamma_tail(s, np.where(right, each, np.inf)) for each in (a, b))
        back = np.where(np.isfinite(b), 1.0 / ratio, 0.0)
        of_right = tail_a - back * tail_b, s * (1.0 - back)
        far_a, far_b = (np.exp(_log_gamma_size(s, np.where(np.isfinite(each), each, 1.0))) for each in (a, b))
        far_a, far_b = np.where(a > 0, far_a, 0.0), np.where(np.isfinite(b), far_b, 0.0)
        inner = 1.0 - np.where(a > 0, gammainc(s, a), 0.0) - gammaincc(s, b)
        mass = np.where(left, of_left[0], np.where(right, of_right[0], inner))
        edge = np.where(left, b, np.where(right, a, 1.0))
        log_mass = np.log(mass) + np.where(left | right, _log_gamma_size(s, edge), 0.0)
        mean = np.where(right, s, 0.0) + np.where(left, of_left[1], of_right[1]) / mass
        mean = np.where(left | right, mean, s + s * (far_a - far_b) / mass)
        steep = np.maximum(np.abs((s - 1.0 - a) / a), np.abs((s - 1.0 - b) / b)) * (b - a)
        narrow = (a > 0) & (b - a <= a) & (steep < 2.0)
        if np.any(narrow):
            near = _gamma_narrow(s, np.where(narrow, a, 1.0), np.where(narrow, b, 1.0))
            log_mass, mean = np.where(narrow, near[0], log_mass), np.where(narrow, near[1], mean)
        return log_mass[()], mean[()]


def _log_gamma_size(s: Any, x: Any) -> Any:
    """log D(x), for large shapes by the deviance."""
    large = np.maximum(s, 1.0)
    few = np.where(s > 0, np.minimum(s, 1.0) * np.log(x), 0.0) - x - gammaln(np.minimum(s, 1.0) + 1.0)
    return np.where(s > 1.0, -_deviance(large, x) - _beside_stirling(large), few)


def _gamma_narrow(s: Any, a: Any, b: Any) -> Any:
    """The same where the density changes little between a and b."""
    nodes, weights = np.polynomial.legendre.leggauss(12)
    centre, half = (a + b) / 2.0, (b - a) / 2.0
    step = half[..., None] * nodes
    weight = weights * np.exp((s[..., None] - 1.0) * np.log1p(step / centre[..., None]) - step)
    total = weight.sum(-1)
    log_density = _log_gamma_size(s, centre) + np.log(s / centre)
    return log_density + np.log(half * total), centre + (weight * step).sum(-1) / total


def _gamma_rest(s: Any, x: Any) -> Any:
    """P(s + 1, x)/D(x) for x ≤ s + 1, by its series x/(s + 1) + x²/((s + 1)(s + 2)) + … where D has no number."""
    size = np.exp(_log_gamma_size(s, x))
    lost = (size < 1e-290) & (x > 0)
    value = np.where(x > 0, gammainc(s + 1.0, x) / np.where(lost, 1.0, size), 0.0)
    if np.any(lost):
        term, total, place = np.where(lost, x / (s + 1.0), 0.0), np.zeros(s.shape), 1.0
        while np.any(term > 1e-17 * total):
            total, place = total + term, place + 1.0
            term = term * x / (s + place)
        value = np.where(lost, total, value)
    return value


def _gamma_tail(s: Any, x: Any) -> Any:
    """Q(s, x)/D(x) for x ≥ s, by its continued fraction where D has no number (Abramowitz & Stegun 6.5.31)."""
    there = np.isfinite(x)
    x = np.where(there, x, 1.0)
    size = np.exp(_log_gamma_size(s, x))
    lost = there & (size < 1e-290)
    value = gammaincc(s, x) / np.where(lost, 1.0, size)
    if np.any(lost):
        above = np.where(lost, x, s + 100.0)
        term = np.zeros(s.shape)
        for place in range(300, 0, -1):
            term = place * (place - s) / (above + 2.0 * place + 1.0 - s - term)
        value = np.where(lost, s / (above + 1.0 - s - term), value)
    return np.where(there, value, 0.0)


def _log_incomplete_gamma(logs: Any) -> Any:
    """log ∫ t^(s - 1) e^-t dt between two ends."""
    return logs[0]


def _gamma_interval_log_mean(logs: Any) -> Any:
    """E[log T | low < T < high] of a number T with the Gamma law of that shape and rate 1."""
    return logs[1]


def _gamma_interval_log_variance(logs: Any) -> Any:
    """Var(log T | low < T < high) of the same T."""
    return logs[2]


def _gamma_interval_logs(shape: Any, low: Any, high: Any) -> Any:
    """log ∫ t^(s - 1) e^-t dt between two ends, its slope in s, which is the mean of log T, and the slope of that, its variance; a
    thousand at a time: by nodes of Gauss and Legendre in log T on either side of where its density is largest, as far as that is
    above e^-40 of there; below 1, where few nodes would do for no long tail, by the series of e^-t.
    """
    given = np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in (shape, low, high)))
    flat = [each.reshape(-1) for each in given]
    found = np.empty((3, flat[0].size))
    with np.errstate(all="ignore"):
        for start in range(0, flat[0].size, 1024):
            s, a, b = (each[start : start + 1024] for each in flat)
            end = np.minimum(1.0, b)
            long = a < 0.05 * end
            at, mass, mean, variance = _gamma_logs_by_nodes(s, np.where(long, end, a), b)
            some = np.flatnonzero(long)
            if some.size:
                below = _gamma_logs_by_series(s[some], a[some], end[some])
                own = np.exp(s[some] * np.log(end[some] / at[some]) + at[some]) * below[0]
                whole = mass[some] + own
                gap, share = below[1] + np.log(end[some] / at[some]) - mean[some], own / whole
                variance[some] += share * (below[2] - variance[some] + (1.0 - share) * gap**2)
                mean[some] += share * gap
                mass[some] = whole
            log_at = np.log(at)
            found[:, start : start + 1024] = np.log(mass) + s * log_at - at, log_at + mean, variance
    return found.reshape(3, *given[0].shape)


#: The nodes and weights of Gauss and Legendre between 0 and 1.
_LEGENDRE = (np.array(np.polynomial.legendre.leggauss(32)) + np.array([[1.0], [0.0]])) / 2.0


def _gamma_logs_by_nodes(s: Any, a: Any, b: Any) -> tuple[Any, Any, Any, Any]:
    """c, where the density of log T is largest, the integral over its value at 1, and mean and variance of log(T/c)."""
    at, few = np.clip(s, a, b), 40.0 / s
    left, right = (few + np.sqrt(few * (few + 8.0))) / 2.0, few + np.sqrt(few * (few + 2.0))
    left = np.where(at < s, np.minimum(left, 40.0 / (s - at)), left)
    left = np.minimum(left, np.where(at > 2.0 * a, np.log(at / a), np.log1p((at - a) / a)))
    right = np.where(at > s, np.minimum(right, 40.0 / (at - s)), right)
    right = np.log1p(np.minimum(right, (b - at) / at))
    nodes, weights = _LEGENDRE
    mass, mean, square = (np.zeros(s.shape) for _ in range(3))
    for reach in (-left, right):
        some = np.flatnonzero(reach)
        if some.size:
            step = reach[some, None] * nodes
            here, size = s[some, None], at[some, None]
            if np.max(size) < 1e3:
                power = here * step - size * np.expm1(step)
            else:
                power = (here - size) * step - size * _exp_rest(step)
            density = np.exp(power) * (weights * np.abs(reach[some, None]))
            mass[some] += density.sum(-1)
            mean[some] += np.einsum("ij,ij->i", density, step)
            square[some] += np.einsum("ij,ij,ij->i", density, step, step)
    whole = np.where(mass > 0, mass, 1.0)
    mean = mean / whole
    return at, mass, mean, np.maximum(square / whole - mean**2, 0.0)


def _exp_rest(x: Any) -> Any:
    """e^x - 1 - x, near 0 from its series."""
    near = np.clip(x, -0.1, 0.1)
    series = 1 / 40320
    for factorial in (5040, 720, 120, 24, 6, 2):
        series = series * near + 1 / factorial
    return np.where(np.abs(x) < 0.1, near * near * series, np.expm1(x) - x)


def _gamma_logs_by_series(s: Any, a: Any, end: Any) -> tuple[Any, Any, Any]:
    """∫ t^(s - 1) e^-t dt / c^s from a to c = `end`, at most 1, and mean and variance of log(T/c): by the moments of log t under
    t^(s + j - 1), j = 0, 1, ….
    """
    there = a > 0
    length = np.where(there, np.log(end / np.where(there, a, 1.0)), 0.0)
    left, sign = np.where(there, np.exp(-s * length), 0.0), np.ones(s.shape)
    sums = [np.zeros(s.shape) for _ in range(3)]
    for place in range(19):
        power = s + place
        z = power * length
        inner = [1.0 - left, 1.0 - left * (1.0 + z), 1.0 - left * (1.0 + z * (1.0 + z / 2.0))]
        if place == 0:
            inner = [np.where(there, gammainc(order, z), 1.0) for order in (1.0, 2.0, 3.0)]
        for order, each in enumerate(inner):
            sums[order] += sign * each * (1.0, -1.0, 2.0)[order] / power ** (order + 1)
        sign, left = -sign * end / (place + 1), left * np.where(there, a / end, 0.0)
    mean = sums[1] / sums[0]
    return sums[0], mean, sums[2] / sums[0] - mean**2
