"""Laplace mixture with known locations."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    distance = np.abs(data["y"][:, None] - data["m"])
    return np.log(theta["w"]) - np.log(2 * theta["b"]) - distance / theta["b"]


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    distance = np.abs(data["y"][:, None] - data["m"])
    return {"w": r.mean(0), "b": (r * distance).sum(0) / r.sum(0)}
