"""Mixture of lognormals (McLachlan & Jones 1988)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    log_y = np.log(data["y"])[:, None]
    return np.log(theta["pi"]) + log_normal(log_y, theta["mu"], theta["s2"]) - log_y


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    log_y = np.log(data["y"])
    mu = r.T @ log_y / r.sum(0)
    return {"pi": r.mean(0), "mu": mu, "s2": (r * (log_y[:, None] - mu) ** 2).sum(0) / r.sum(0)}
