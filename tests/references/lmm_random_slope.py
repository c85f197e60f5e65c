"""Random intercept and slope, the same design in each group (Laird & Ware 1982)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, log_multinormal


def log_likelihood(theta: Values, data: Values) -> float:
    X = data["X"]
    covariance = X @ theta["D"] @ X.T + theta["s2"] * np.eye(len(X))
    return float(log_multinormal(data["y"], X @ theta["be"], covariance).sum())


def em_step(theta: Values, data: Values) -> Values:
    X, y, s2 = data["X"], data["y"], theta["s2"]
    variance = np.linalg.inv(np.linalg.inv(theta["D"]) + X.T @ X / s2)
    effect = (y - X @ theta["be"]) @ X @ variance / s2
    be = np.linalg.lstsq(X, (y - effect @ X.T).mean(0), rcond=None)[0]
    residual = y - X @ be - effect @ X.T
    return {
        "be": be,
        "D": effect.T @ effect / len(y) + variance,
        "s2": (residual**2).mean() + np.trace(X @ variance @ X.T) / len(X),
    }
