"""Normal mixture, each component with its own covariance matrix (Bishop 2006, section 9.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_multinormal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    laws = zip(theta["mu"], theta["S"], strict=True)
    densities = [log_multinormal(data["y"], mean, covariance) for mean, covariance in laws]
    return np.log(theta["pi"]) + np.stack(densities, axis=1)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    y, (r, _) = data["y"], normalise(log_joint(theta, data))
    weight = r.sum(0)
    mu = r.T @ y / weight[:, None]
    off = y[:, None, :] - mu
    S = np.einsum("ik,ika,ikb->kab", r, off, off) / weight[:, None, None]
    return {"pi": r.mean(0), "mu": mu, "S": S}
