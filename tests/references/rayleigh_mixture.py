"""Mixture of Rayleigh laws (Ateya 2014)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    x, sigma = data["x"][:, None], theta["sigma"]
    return np.log(theta["w"]) + np.log(x / sigma**2) - x**2 / (2 * sigma**2)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    return {"w": r.mean(0), "sigma": np.sqrt(r.T @ data["x"] ** 2 / (2 * r.sum(0)))}
