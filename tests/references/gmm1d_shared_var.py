"""Normal mixture with one shared variance (McLachlan & Peel 2000)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["pi"]) + log_normal(data["y"][:, None], theta["mu"], theta["s2"])


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    mu = r.T @ data["y"] / r.sum(0)
    s2 = (r * (data["y"][:, None] - mu) ** 2).sum() / len(r)
    return {"pi": r.mean(0), "mu": mu, "s2": s2}
