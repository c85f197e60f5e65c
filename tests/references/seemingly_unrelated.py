"""Seemingly unrelated regressions with missing responses: coefficients, then covariance (Meng & Rubin 1993, section 2)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, complete


def log_likelihood(theta: Values, data: Values) -> float:
    return float(complete(data["y"], data["X"] @ theta["b"], theta["Sigma"])[2].sum())


def em_step(theta: Values, data: Values) -> Values:
    X, precision = data["X"], np.linalg.inv(theta["Sigma"])
    filled, spread, _ = complete(data["y"], X @ theta["b"], theta["Sigma"])
    left = np.einsum("iap,ab,ibq->pq", X, precision, X)
    b = np.linalg.solve(left, np.einsum("iap,ab,ib->p", X, precision, filled))
    off = filled - X @ b
    return {"b": b, "Sigma": (off.T @ off + spread.sum(0)) / len(off)}
