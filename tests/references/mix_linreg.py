"""Mixture of two regressions (DeSarbo & Cron 1988)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["pi"]) + log_normal(data["y"][:, None], data["X"] @ theta["b"].T, theta["s2"])


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    X, y, (r, _) = data["X"], data["y"], normalise(log_joint(theta, data))
    b = np.array([np.linalg.solve(X.T @ (w[:, None] * X), X.T @ (w * y)) for w in r.T])
    s2 = (r * (y[:, None] - X @ b.T) ** 2).sum(0) / r.sum(0)
    return {"pi": r.mean(0), "b": b, "s2": s2}
