"""Mixture of exponentials (McLachlan & Krishnan)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["pi"]) + np.log(theta["lam"]) - data["y"][:, None] * theta["lam"]


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    return {"pi": r.mean(0), "lam": r.sum(0) / (r.T @ data["y"])}
