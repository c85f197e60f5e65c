"""Contaminated normal vectors: with probability eps the covariance is c times larger (Tukey 1960; Little 1988)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_multinormal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    narrow, wide = (
        log_multinormal(data["x"], theta["mu"], scale * theta["Sigma"]) for scale in (1.0, data["c"])
    )
    return np.stack([np.log(1 - theta["eps"]) + narrow, np.log(theta["eps"]) + wide], axis=1)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    x, r = data["x"], normalise(log_joint(theta, data))[0][:, 1]
    weight = 1 - r + r / data["c"]
    mu = weight @ x / weight.sum()
    return {"eps": r.mean(), "mu": mu, "Sigma": (x - mu).T @ (weight[:, None] * (x - mu)) / len(x)}
