"""Vectors with one mean and one of several covariances: the mean, then the covariances (Meng & Rubin 1993)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_multinormal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    densities = [log_multinormal(data["x"], theta["mu"], covariance) for covariance in theta["Sigma"]]
    return np.log(theta["w"]) + np.stack(densities, axis=1)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    x, (r, _) = data["x"], normalise(log_joint(theta, data))
    precision = np.linalg.inv(theta["Sigma"])
    pull = np.einsum("ik,kab,ib->a", r, precision, x)
    mu = np.linalg.solve(np.tensordot(r.sum(0), precision, 1), pull)
    Sigma = np.einsum("ik,ia,ib->kab", r, x - mu, x - mu) / r.sum(0)[:, None, None]
    return {"w": r.mean(0), "mu": mu, "Sigma": Sigma}
