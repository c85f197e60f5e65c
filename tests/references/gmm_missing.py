"""Normal mixture with missing entries (Ghahramani & Jordan 1994)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, complete, normalise


def parts(theta: Values, data: Values) -> Any:
    laws = zip(theta["mu"], theta["Sigma"], strict=True)
    return [complete(data["x"], mean, covariance) for mean, covariance in laws]


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["w"]) + np.stack([value for _, _, value in parts(theta, data)], axis=1)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    mu, Sigma = np.empty_like(theta["mu"]), np.empty_like(theta["Sigma"])
    for k, (weight, (filled, spread, _)) in enumerate(zip(r.T, parts(theta, data), strict=True)):
        mu[k] = weight @ filled / weight.sum()
        off = filled - mu[k]
        Sigma[k] = (off.T @ (weight[:, None] * off) + np.tensordot(weight, spread, 1)) / weight.sum()
    return {"w": r.mean(0), "mu": mu, "Sigma": Sigma}
