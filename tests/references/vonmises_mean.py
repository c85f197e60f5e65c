"""Mixture of von Mises laws with known concentrations (Mardia & Jupp 2000, section 5.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import i0e

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    kappa, angle = data["kappa"], data["x"][:, None] - theta["mu"]
    return np.log(theta["w"]) + kappa * (np.cos(angle) - 1) - np.log(2 * np.pi * i0e(kappa))


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    resultant = r.T @ np.exp(1j * data["x"])
    return {"w": r.mean(0), "mu": np.angle(resultant)}
