"""Regression with missing responses, filled in by their expectations (Healy & Westmacott 1956)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, log_normal


def log_likelihood(theta: Values, data: Values) -> float:
    seen = ~np.isnan(data["y"])
    return float(log_normal(data["y"], data["X"] @ theta["b"], theta["s2"])[seen].sum())


def em_step(theta: Values, data: Values) -> Values:
    X, absent = data["X"], np.isnan(data["y"])
    y = np.where(absent, X @ theta["b"], data["y"])
    b = np.linalg.solve(X.T @ X, X.T @ y)
    return {"b": b, "s2": ((y - X @ b) ** 2 + absent * theta["s2"]).mean()}
