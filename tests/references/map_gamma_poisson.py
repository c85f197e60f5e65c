"""Poisson mixture with Gamma and Dirichlet priors (Murphy)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    x, lam = data["x"][:, None], theta["lam"]
    return np.log(theta["pi"]) + x * np.log(lam) - lam - gammaln(x + 1)


def log_likelihood(theta: Values, data: Values) -> float:
    a, b, c, lam = data["a"], data["b"], data["c"], theta["lam"]
    log_prior = ((a - 1) * np.log(lam) - b * lam + (c - 1) * np.log(theta["pi"])).sum()
    return float(data["n"] @ normalise(log_joint(theta, data))[1] + log_prior)


def em_step(theta: Values, data: Values) -> Values:
    r = data["n"][:, None] * normalise(log_joint(theta, data))[0]
    weight = r.sum(0) + data["c"] - 1
    lam = (r.T @ data["x"] + data["a"] - 1) / (r.sum(0) + data["b"])
    return {"pi": weight / weight.sum(), "lam": lam}
