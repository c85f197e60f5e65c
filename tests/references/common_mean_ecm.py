"""Normal scale mixture with one mean: conditional maximisation (Meng & Rubin 1993)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["pi"]) + log_normal(data["y"][:, None], theta["mu"], theta["s2"])


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    y, (r, _) = data["y"], normalise(log_joint(theta, data))
    weight = r / theta["s2"]
    mu = (weight * y[:, None]).sum() / weight.sum()
    return {"pi": r.mean(0), "mu": mu, "s2": r.T @ (y - mu) ** 2 / r.sum(0)}
