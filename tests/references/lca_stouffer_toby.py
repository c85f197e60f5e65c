"""Latent classes for binary items (Stouffer & Toby 1951; Goodman 1974)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    x, th = data["x"], theta["th"]
    return np.log(theta["pi"]) + x @ np.log(th).T + (1 - x) @ np.log(1 - th).T


def log_likelihood(theta: Values, data: Values) -> float:
    return float(data["n"] @ normalise(log_joint(theta, data))[1])


def em_step(theta: Values, data: Values) -> Values:
    r = data["n"][:, None] * normalise(log_joint(theta, data))[0]
    return {"pi": r.sum(0) / r.sum(), "th": r.T @ data["x"] / r.sum(0)[:, None]}
