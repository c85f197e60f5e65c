"""Two Poisson laws for the death notices of the London Times (Hasselblad 1969)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    x, lam = data["x"][:, None], theta["lam"]
    return np.log(theta["pi"]) + x * np.log(lam) - lam - gammaln(x + 1)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(data["n"] @ normalise(log_joint(theta, data))[1])


def em_step(theta: Values, data: Values) -> Values:
    r = data["n"][:, None] * normalise(log_joint(theta, data))[0]
    return {"pi": r.sum(0) / r.sum(), "lam": r.T @ data["x"] / r.sum(0)}
