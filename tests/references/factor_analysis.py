"""Factor analysis with one factor (Rubin & Thayer 1982)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    y, L = data["y"], theta["L"]
    covariance = np.outer(L, L) + np.diag(theta["psi"])
    log_det = np.linalg.slogdet(2 * np.pi * covariance)[1]
    return float(-0.5 * (len(y) * log_det + (y.T * np.linalg.solve(covariance, y.T)).sum()))


def em_step(theta: Values, data: Values) -> Values:
    y, L, psi = data["y"], theta["L"], theta["psi"]
    variance = 1 / (1 + (L**2 / psi).sum())
    z = variance * (y @ (L / psi))
    second = (z**2 + variance).sum()
    loading = y.T @ z / second
    return {"L": loading, "psi": ((y**2).sum(0) - loading * (y.T @ z)) / len(y)}
