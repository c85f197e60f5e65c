"""Automatic relevance determination: a precision for each weight (MacKay 1994; Tipping 2001)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, log_multinormal


def log_likelihood(theta: Values, data: Values) -> float:
    X = data["X"]
    covariance = X / theta["alpha"] @ X.T + np.eye(len(X)) / theta["beta"]
    return float(log_multinormal(data["y"][None], 0.0, covariance)[0])


def em_step(theta: Values, data: Values) -> Values:
    X, y, beta = data["X"], data["y"], theta["beta"]
    variance = np.linalg.inv(np.diag(theta["alpha"]) + beta * X.T @ X)
    mean = beta * variance @ X.T @ y
    noise = ((y - X @ mean) ** 2).sum() + np.trace(X @ variance @ X.T)
    return {"alpha": 1 / (mean**2 + np.diag(variance)), "beta": len(y) / noise}
