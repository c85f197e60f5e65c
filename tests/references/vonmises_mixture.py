"""Mixture of von Mises laws on the circle (Banerjee et al. 2005, d = 2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import i0e, i1e

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    kappa = theta["kappa"]
    angle = data["y"][:, None] - theta["mu"]
    return np.log(theta["pi"]) + kappa * (np.cos(angle) - 1) - np.log(2 * np.pi * i0e(kappa))


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def concentration(length: float) -> float:
    """The root of I1(kappa) / I0(kappa) = length."""
    return float(brentq(lambda k: i1e(k) / i0e(k) - length, 1e-8, 1e6, xtol=1e-14, rtol=1e-14))


def em_step(theta: Values, data: Values) -> Values:
    y, (r, _) = data["y"], normalise(log_joint(theta, data))
    sine, cosine = r.T @ np.sin(y), r.T @ np.cos(y)
    kappa = np.array([concentration(length) for length in np.hypot(sine, cosine) / r.sum(0)])
    return {"pi": r.mean(0), "mu": np.arctan2(sine, cosine), "kappa": kappa}
