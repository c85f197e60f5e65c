"""Normal mixture with one known variance."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["pi"]) + log_normal(data["y"][:, None], theta["mu"], data["s2"])


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    return {"pi": r.mean(0), "mu": r.T @ data["y"] / r.sum(0)}
