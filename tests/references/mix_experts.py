"""Two linear experts behind a logistic gate (Jordan & Jacobs 1994)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    gate = data["X"] @ theta["v"]
    log_gate = np.stack([-np.logaddexp(0, -gate), -np.logaddexp(0, gate)], axis=1)
    return log_gate + log_normal(data["y"][:, None], data["X"] @ theta["b"].T, theta["s2"])


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def logistic_regression(X: Any, soft: Any, v: Any) -> Any:
    """Newton's method with soft targets, to convergence."""
    for _ in range(100):
        g = 1 / (1 + np.exp(-X @ v))
        v = v + np.linalg.solve(X.T @ ((g * (1 - g))[:, None] * X), X.T @ (soft - g))
    return v


def em_step(theta: Values, data: Values) -> Values:
    X, y, (r, _) = data["X"], data["y"], normalise(log_joint(theta, data))
    b = np.array([np.linalg.solve(X.T @ (w[:, None] * X), X.T @ (w * y)) for w in r.T])
    s2 = (r * (y[:, None] - X @ b.T) ** 2).sum(0) / r.sum(0)
    return {"v": logistic_regression(X, r[:, 0], theta["v"]), "b": b, "s2": s2}
