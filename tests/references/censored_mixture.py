"""Mixture of exponential lifetimes, NaN where only t > c is known (Mendenhall & Hader 1958)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    t, c, lam = data["t"][:, None], data["c"][:, None], theta["lam"]
    return np.log(theta["w"]) + np.where(np.isnan(t), -lam * c, np.log(lam) - lam * t)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    t, c = data["t"][:, None], data["c"][:, None]
    lifetime = np.where(np.isnan(t), c + 1 / theta["lam"], t)
    return {"w": r.mean(0), "lam": r.sum(0) / (r * lifetime).sum(0)}
