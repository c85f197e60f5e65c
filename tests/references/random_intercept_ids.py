"""A random intercept for each group, groups given by an id (Laird & Ware 1982)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    y, g = data["y"], data["g"]
    same_group = g[:, None] == g
    covariance = theta["s2"] * np.eye(len(y)) + theta["s2a"] * same_group
    residual = y - theta["mu"]
    log_det = np.linalg.slogdet(2 * np.pi * covariance)[1]
    return float(-0.5 * (log_det + residual @ np.linalg.solve(covariance, residual)))


def em_step(theta: Values, data: Values) -> Values:
    y, g, mu, s2a, s2 = data["y"], data["g"], theta["mu"], theta["s2a"], theta["s2"]
    variance = 1 / (1 / s2a + np.bincount(g) / s2)
    effect = variance * np.bincount(g, y - mu) / s2
    new = (y - effect[g]).mean()
    return {
        "mu": new,
        "s2a": (effect**2 + variance).mean(),
        "s2": ((y - new - effect[g]) ** 2 + variance[g]).mean(),
    }
