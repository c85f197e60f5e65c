"""Probabilistic principal components with a mean (Tipping & Bishop 1999)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, factors, log_multinormal, with_intercept


def log_likelihood(theta: Values, data: Values) -> float:
    W = theta["W"]
    return float(log_multinormal(data["x"], theta["mu"], W @ W.T + theta["s2"] * np.eye(len(W))).sum())


def em_step(theta: Values, data: Values) -> Values:
    x = data["x"]
    z, variance = factors(x, theta["mu"], theta["W"], theta["s2"])
    rows, second = with_intercept(z, variance, np.ones(len(x)))
    lines = np.linalg.solve(second, rows.T @ x)
    W = lines[1:].T
    s2 = ((x - rows @ lines) ** 2).mean() + np.trace(W @ variance @ W.T) / len(W)
    return {"mu": lines[0], "W": W, "s2": s2}
