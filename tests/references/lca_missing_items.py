"""Latent classes with missing answers: they are left out (Linzer & Lewis 2011, sec. 2.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    seen, x, th = ~np.isnan(data["x"]), np.nan_to_num(data["x"]), theta["th"]
    return np.log(theta["w"]) + x @ np.log(th).T + (seen - x) @ np.log(1 - th).T


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    """A missing answer counts as its expectation, the old th (EM, not available-case counting)."""
    r, _ = normalise(log_joint(theta, data))
    seen, x = ~np.isnan(data["x"]), np.nan_to_num(data["x"])
    positive = r.T @ x + (r.T @ ~seen) * theta["th"]
    return {"w": r.mean(0), "th": positive / r.sum(0)[:, None]}
