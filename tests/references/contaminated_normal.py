"""Contaminated Normal: with probability eps the variance is k times larger (Little & Rubin, ch. 12)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    variance = theta["s2"] * np.array([1.0, data["k"]])
    weight = np.array([1 - theta["eps"], theta["eps"]])
    return np.log(weight) + log_normal(data["y"][:, None], theta["mu"], variance)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    y, r = data["y"], normalise(log_joint(theta, data))[0][:, 1]
    w = 1 - r + r / data["k"]
    mu = w @ y / w.sum()
    return {"eps": r.mean(), "mu": mu, "s2": w @ (y - mu) ** 2 / len(y)}
