"""Probabilistic principal components of centred data (Tipping & Bishop 1999)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, factors, log_multinormal


def log_likelihood(theta: Values, data: Values) -> float:
    W = theta["W"]
    return float(log_multinormal(data["y"], 0.0, W @ W.T + theta["s2"] * np.eye(len(W))).sum())


def em_step(theta: Values, data: Values) -> Values:
    y = data["y"]
    z, variance = factors(y, 0.0, theta["W"], theta["s2"])
    W = np.linalg.solve(z.T @ z + len(y) * variance, z.T @ y).T
    s2 = ((y - z @ W.T) ** 2).mean() + np.trace(W @ variance @ W.T) / y.shape[1]
    return {"W": W, "s2": s2}
