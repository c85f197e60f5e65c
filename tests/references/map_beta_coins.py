"""Binomial mixture with Beta and Dirichlet priors (Dempster, Laird & Rubin 1977, sec. 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    x, th = data["x"][:, None], theta["th"]
    choose = gammaln(data["N"] + 1) - gammaln(x + 1) - gammaln(data["N"] - x + 1)
    return np.log(theta["pi"]) + choose + x * np.log(th) + (data["N"] - x) * np.log(1 - th)


def log_likelihood(theta: Values, data: Values) -> float:
    a, b, c, th = data["a"], data["b"], data["c"], theta["th"]
    log_prior = ((a - 1) * np.log(th) + (b - 1) * np.log(1 - th) + (c - 1) * np.log(theta["pi"])).sum()
    return float(normalise(log_joint(theta, data))[1].sum() + log_prior)


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    a, b, c = data["a"], data["b"], data["c"]
    weight = r.sum(0) + c - 1
    th = (r.T @ data["x"] + a - 1) / (r.sum(0) * data["N"] + a + b - 2)
    return {"pi": weight / weight.sum(), "th": th}
