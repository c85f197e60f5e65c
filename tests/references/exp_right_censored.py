"""Exponential lifetimes t, and others known only to exceed c (Cox & Oakes 1984)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    lam, t, c = theta["lam"], data["t"], data["c"]
    return float(len(t) * np.log(lam) - lam * (t.sum() + c.sum()))


def em_step(theta: Values, data: Values) -> Values:
    t, c = data["t"], data["c"]
    return {"lam": (len(t) + len(c)) / (t.sum() + (c + 1 / theta["lam"]).sum())}
