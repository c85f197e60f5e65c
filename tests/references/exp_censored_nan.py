"""Exponential lifetimes, NaN where only t > c is known (Cox & Oakes 1984)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    lam, t, c = theta["lam"], data["t"], data["c"]
    return float(np.where(np.isnan(t), -lam * c, np.log(lam) - lam * t).sum())


def em_step(theta: Values, data: Values) -> Values:
    t, c = data["t"], data["c"]
    return {"lam": len(t) / np.where(np.isnan(t), c + 1 / theta["lam"], t).sum()}
