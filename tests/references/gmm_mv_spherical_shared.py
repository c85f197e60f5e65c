"""Normal mixture with one variance for all coordinates of all components (Fraley & Raftery, EII)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["w"]) + log_normal(data["x"][:, None, :], theta["mu"], theta["s2"]).sum(2)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    x, (r, _) = data["x"], normalise(log_joint(theta, data))
    mu = r.T @ x / r.sum(0)[:, None]
    s2 = (r * ((x[:, None, :] - mu) ** 2).sum(2)).sum() / x.size
    return {"w": r.mean(0), "mu": mu, "s2": s2}
