"""Mixture of inverse Gaussian laws (Tweedie 1957)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    x, mu, lam = data["x"][:, None], theta["mu"], theta["lam"]
    return np.log(theta["w"]) + 0.5 * np.log(lam / (2 * np.pi * x**3)) - lam * (x - mu) ** 2 / (2 * mu**2 * x)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, x = normalise(log_joint(theta, data))[0], data["x"][:, None]
    mu = (r * x).sum(0) / r.sum(0)
    lam = r.sum(0) / (r * (x - mu) ** 2 / (mu**2 * x)).sum(0)
    return {"w": r.mean(0), "mu": mu, "lam": lam}
