"""Two Normal laws of one known spread (Bishop 2006, sec. 9.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    weight = np.array([theta["w"], 1 - theta["w"]])
    means = np.array([theta["mu1"], theta["mu2"]])
    return np.log(weight) + log_normal(data["x"][:, None], means, data["sigma"] ** 2)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    mu = r.T @ data["x"] / r.sum(0)
    return {"w": r[:, 0].mean(), "mu1": mu[0], "mu2": mu[1]}
