"""Mixture of von Mises laws with one known concentration and a von Mises prior on the means (Mardia & El-Atoum 1976)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import i0e

from tests.references import Values, normalise


def log_von_mises(x: Any, mu: Any, kappa: Any) -> Any:
    return kappa * (np.cos(x - mu) - 1) - np.log(2 * np.pi * i0e(kappa))


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["w"]) + log_von_mises(data["x"][:, None], theta["mu"], data["kappa"])


def log_likelihood(theta: Values, data: Values) -> float:
    log_prior = log_von_mises(theta["mu"], data["m"], data["c"]).sum()
    return float(normalise(log_joint(theta, data))[1].sum() + log_prior)


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    resultant = data["kappa"] * r.T @ np.exp(1j * data["x"]) + data["c"] * np.exp(1j * data["m"])
    return {"w": r.mean(0), "mu": np.angle(resultant)}
