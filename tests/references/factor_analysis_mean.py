"""Factor analysis with several factors and a mean, its maximum joint over mean and loadings (Rubin & Thayer 1982)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, factors, log_multinormal, with_intercept


def log_likelihood(theta: Values, data: Values) -> float:
    covariance = theta["W"] @ theta["W"].T + np.diag(theta["psi"])
    return float(log_multinormal(data["x"], theta["mu"], covariance).sum())


def em_step(theta: Values, data: Values) -> Values:
    x = data["x"]
    z, variance = factors(x, theta["mu"], theta["W"], theta["psi"])
    rows, second = with_intercept(z, variance, np.ones(len(x)))
    lines = np.linalg.solve(second, rows.T @ x)
    psi = ((x - rows @ lines) ** 2).mean(0) + np.einsum("pa,pq,qa->a", lines[1:], variance, lines[1:])
    return {"mu": lines[0], "W": lines[1:].T, "psi": psi}
