"""Plain NumPy references, written from the papers and sharing nothing with symem.

A module per model, each with `em_step(theta, data)` and `log_likelihood(theta, data)`: both take plain
dicts of floats and arrays under the names of `tests/zoo/<model>.json`; ℓ is what that file calls ℓ (in
MAP-EM with its log-prior).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import log_ndtr

Values = dict[str, Any]


def normalise(log_joint: Any) -> tuple[Any, Any]:
    """p(z | x) and log p(x) from log p(x, z), whose last axis runs over z."""
    top = log_joint.max(axis=-1, keepdims=True)
    weight = np.exp(log_joint - top)
    total = weight.sum(axis=-1, keepdims=True)
    return weight / total, (top + np.log(total))[..., 0]


def log_normal(x: Any, mean: Any, variance: Any) -> Any:
    """The log-density of N(mean, variance)."""
    return -0.5 * np.log(2 * np.pi * variance) - (x - mean) ** 2 / (2 * variance)


def log_multinormal(x: Any, mean: Any, covariance: Any) -> Any:
    """The log-density of N(mean, covariance) at the rows of x; the mean is one or a row each."""
    root = np.linalg.cholesky(covariance)
    white = solve_triangular(root, (x - mean).T, lower=True)
    return -0.5 * (len(root) * math.log(2 * math.pi) + (white**2).sum(0)) - np.log(np.diag(root)).sum()


def complete(x: Any, mean: Any, covariance: Any) -> tuple[Any, Any, Any]:
    """Rows of x with NaN filled by regression on the seen entries, what is left to vary, and log p(seen)."""
    filled, spread, value = x.copy(), np.zeros((*x.shape, x.shape[1])), np.zeros(len(x))
    centre = np.broadcast_to(mean, x.shape)
    for i, row in enumerate(x):
        no = np.isnan(row)
        seen = ~no
        slopes = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, no)]).T
        filled[i, no] = centre[i, no] + slopes @ (row - centre[i])[seen]
        spread[i][np.ix_(no, no)] = covariance[np.ix_(no, no)] - slopes @ covariance[np.ix_(seen, no)]
        if seen.any():
            part = covariance[np.ix_(seen, seen)]
            value[i] = log_multinormal(row[None, seen], centre[i, seen], part)[0]
    return filled, spread, value


def factors(x: Any, mean: Any, loadings: Any, noise: Any) -> tuple[Any, Any]:
    """E z at each row and Cov z, where x = mean + loadings z + e, z ~ N(0, I), Var e = noise (a diagonal)."""
    weighted = loadings.T / noise
    variance = np.linalg.inv(np.eye(loadings.shape[1]) + weighted @ loadings)
    return (x - mean) @ weighted.T @ variance, variance


def with_intercept(mean: Any, variance: Any, weight: Any) -> tuple[Any, Any]:
    """(1, E z) at each row and the weighted sum of E (1, z)(1, z)ᵀ, Cov z the same at each row."""
    rows = np.column_stack([np.ones(len(mean)), mean])
    second = rows.T @ (weight[:, None] * rows)
    second[1:, 1:] += weight.sum() * variance
    return rows, second


def truncated_moments(mean: Any, sd: Any, lower: Any, upper: Any) -> tuple[Any, Any, Any]:
    """E x, E x² and log P(lower < x < upper) of a Normal that is known to lie between the two."""
    a, b = (lower - mean) / sd, (upper - mean) / sd
    flip = a > 0
    a, b = np.where(flip, -b, a), np.where(flip, -a, b)
    log_mass = log_ndtr(b) + np.log1p(-np.exp(log_ndtr(a) - log_ndtr(b)))
    density_a, density_b = np.exp(-(a**2) / 2 - log_mass), np.exp(-(b**2) / 2 - log_mass)
    root = math.sqrt(2 * math.pi)
    shift = (density_a - density_b) / root
    edge_a = np.where(np.isinf(a), 0.0, a) * density_a
    edge_b = np.where(np.isinf(b), 0.0, b) * density_b
    second = 1 + (edge_a - edge_b) / root
    shift = np.where(flip, -shift, shift)
    return mean + sd * shift, mean**2 + 2 * mean * sd * shift + sd**2 * second, log_mass


def forward_backward(first: Any, step: Any, weight: Any) -> tuple[Any, Any, float]:
    """γ, the sum of ξ over the transitions and log p of one chain, in scaled form (Rabiner 1989, section V.A)."""
    alpha, beta, scale = np.zeros_like(weight), np.ones_like(weight), np.zeros(len(weight))
    for t, seen in enumerate(weight):
        alpha[t] = seen * (first if t == 0 else alpha[t - 1] @ step)
        scale[t] = alpha[t].sum()
        alpha[t] /= scale[t]
    pairs = np.zeros_like(step)
    for t in range(len(weight) - 1, 0, -1):
        ahead = weight[t] * beta[t] / scale[t]
        beta[t - 1] = step @ ahead
        pairs += alpha[t - 1][:, None] * step * ahead
    return alpha * beta, pairs, float(np.log(scale).sum())
