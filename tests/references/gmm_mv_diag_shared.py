"""Normal mixture with one diagonal covariance (Fraley & Raftery, EEI)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["w"]) + log_normal(data["x"][:, None, :], theta["mu"], theta["v"]).sum(2)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    x, (r, _) = data["x"], normalise(log_joint(theta, data))
    mu = r.T @ x / r.sum(0)[:, None]
    v = (r[:, :, None] * (x[:, None, :] - mu) ** 2).sum((0, 1)) / len(x)
    return {"w": r.mean(0), "mu": mu, "v": v}
