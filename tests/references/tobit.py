"""Tobit regression, zeros are censored (Tobin 1958; Amemiya 1984)."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

from tests.references import Values, log_normal, truncated_moments


def log_likelihood(theta: Values, data: Values) -> float:
    y, mean, s2 = data["y"], data["X"] @ theta["b"], theta["s2"]
    return float(np.where(y > 0, log_normal(y, mean, s2), log_ndtr(-mean / np.sqrt(s2))).sum())


def em_step(theta: Values, data: Values) -> Values:
    X, y, mean = data["X"], data["y"], data["X"] @ theta["b"]
    lower = np.full(len(y), -np.inf)
    first, second, _ = truncated_moments(mean, np.sqrt(theta["s2"]), lower, np.zeros(len(y)))
    first, second = np.where(y > 0, y, first), np.where(y > 0, y**2, second)
    b = np.linalg.solve(X.T @ X, X.T @ first)
    return {"b": b, "s2": (second - 2 * first * (X @ b) + (X @ b) ** 2).mean()}
