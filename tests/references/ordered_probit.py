"""Regression seen through known thresholds, unit variance (McKelvey & Zavoina 1975)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, truncated_moments


def log_likelihood(theta: Values, data: Values) -> float:
    mean = data["X"] @ theta["b"]
    return float(truncated_moments(mean, 1.0, data["low"], data["high"])[2].sum())


def em_step(theta: Values, data: Values) -> Values:
    X = data["X"]
    first, _, _ = truncated_moments(X @ theta["b"], 1.0, data["low"], data["high"])
    return {"b": np.linalg.solve(X.T @ X, X.T @ first)}
