"""Mixture of Gamma laws of unknown shape a and rate b (Wiper et al. 2001)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, gammaln

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    y, a, b = data["y"][:, None], theta["a"], theta["b"]
    return np.log(theta["pi"]) + a * np.log(b) - gammaln(a) + (a - 1) * np.log(y) - b * y


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def shape(gap: float) -> float:
    """The root of log a - digamma(a) = gap."""
    return float(brentq(lambda a: np.log(a) - digamma(a) - gap, 1e-8, 1e8, xtol=1e-14, rtol=1e-14))


def em_step(theta: Values, data: Values) -> Values:
    y, (r, _) = data["y"], normalise(log_joint(theta, data))
    mean, mean_log = r.T @ y / r.sum(0), r.T @ np.log(y) / r.sum(0)
    a = np.array([shape(gap) for gap in np.log(mean) - mean_log])
    return {"pi": r.mean(0), "a": a, "b": a / mean}
