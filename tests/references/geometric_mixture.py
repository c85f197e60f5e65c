"""Mixture of geometric laws on 1, 2, … (McLachlan & Peel 2000)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["w"]) + np.log(theta["p"]) + (data["x"][:, None] - 1) * np.log(1 - theta["p"])


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    return {"w": r.mean(0), "p": r.sum(0) / (r.T @ data["x"])}
