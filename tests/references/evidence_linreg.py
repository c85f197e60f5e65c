"""Bayesian linear regression: the precisions of weights and noise by EM (Bishop 2006, section 9.3.4)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, log_multinormal


def log_likelihood(theta: Values, data: Values) -> float:
    X = data["X"]
    covariance = X @ X.T / theta["alpha"] + np.eye(len(X)) / theta["beta"]
    return float(log_multinormal(data["y"][None], 0.0, covariance)[0])


def em_step(theta: Values, data: Values) -> Values:
    X, y, alpha, beta = data["X"], data["y"], theta["alpha"], theta["beta"]
    variance = np.linalg.inv(alpha * np.eye(X.shape[1]) + beta * X.T @ X)
    mean = beta * variance @ X.T @ y
    noise = ((y - X @ mean) ** 2).sum() + np.trace(X @ variance @ X.T)
    return {"alpha": len(mean) / (mean @ mean + np.trace(variance)), "beta": len(y) / noise}
