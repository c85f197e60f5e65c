"""Normal mixture with spherical covariances (Bishop, PRML 9; Fraley & Raftery, VII)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    variance = theta["s2"][:, None]
    return np.log(theta["pi"]) + log_normal(data["y"][:, None, :], theta["mu"], variance).sum(2)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    y, (r, _) = data["y"], normalise(log_joint(theta, data))
    mu = r.T @ y / r.sum(0)[:, None]
    squares = ((y[:, None, :] - mu) ** 2).sum(2)
    return {"pi": r.mean(0), "mu": mu, "s2": (r * squares).sum(0) / (y.shape[1] * r.sum(0))}
