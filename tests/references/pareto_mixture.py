"""Mixture of Pareto laws above a known threshold (Arnold 1983)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    excess = np.log(data["x"] / data["xm"])[:, None]
    return np.log(theta["w"]) + np.log(theta["alpha"]) - theta["alpha"] * excess - np.log(data["x"])[:, None]


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    return {"w": r.mean(0), "alpha": r.sum(0) / (r.T @ np.log(data["x"] / data["xm"]))}
