"""Normal mixture with one covariance matrix (Fraley & Raftery, EEE)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_multinormal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    densities = [log_multinormal(data["y"], mean, theta["S"]) for mean in theta["mu"]]
    return np.log(theta["pi"]) + np.stack(densities, axis=1)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    y, (r, _) = data["y"], normalise(log_joint(theta, data))
    mu = r.T @ y / r.sum(0)[:, None]
    off = y[:, None, :] - mu
    return {"pi": r.mean(0), "mu": mu, "S": np.einsum("ik,ika,ikb->ab", r, off, off) / len(y)}
