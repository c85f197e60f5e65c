"""Gamma mixture with known shapes (Wiper et al. 2001)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    y, a, b = data["y"][:, None], data["a"], theta["b"]
    return np.log(theta["w"]) + a * np.log(b) - gammaln(a) + (a - 1) * np.log(y) - b * y


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    return {"w": r.mean(0), "b": data["a"] * r.sum(0) / (r.T @ data["y"])}
