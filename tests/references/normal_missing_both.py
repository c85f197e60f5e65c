"""Normal mixture in which values (NaN) and labels (-1) may be missing (Little & Rubin 2002)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    x, z = data["x"][:, None], data["z"][:, None]
    value = np.where(np.isnan(x), 0.0, log_normal(x, theta["mu"], theta["s2"]))
    allowed = (z < 0) | (z == np.arange(len(theta["w"])))
    return np.where(allowed, np.log(theta["w"]) + value, -np.inf)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    absent = np.isnan(data["x"])[:, None]
    first = np.where(absent, theta["mu"], data["x"][:, None])
    mu = (r * first).sum(0) / r.sum(0)
    square = (first - mu) ** 2 + np.where(absent, theta["s2"], 0.0)
    return {"w": r.mean(0), "mu": mu, "s2": (r * square).sum(0) / r.sum(0)}
