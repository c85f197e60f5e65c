"""Normal mixture with diagonal covariances (Fraley & Raftery, VVI)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["pi"]) + log_normal(data["y"][:, None, :], theta["mu"], theta["v"]).sum(2)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    y, (r, _) = data["y"], normalise(log_joint(theta, data))
    weight = r.sum(0)[:, None]
    mu = r.T @ y / weight
    v = (r[:, :, None] * (y[:, None, :] - mu) ** 2).sum(0) / weight
    return {"pi": r.mean(0), "mu": mu, "v": v}
