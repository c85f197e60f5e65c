"""Mixture of binomials with N_i trials and unknown weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    x, trials, th = data["x"][:, None], data["N"][:, None], theta["th"]
    choose = gammaln(trials + 1) - gammaln(x + 1) - gammaln(trials - x + 1)
    return np.log(theta["pi"]) + choose + x * np.log(th) + (trials - x) * np.log(1 - th)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    return {"pi": r.mean(0), "th": r.T @ data["x"] / (r.T @ data["N"])}
