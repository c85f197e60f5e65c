"""Two independent bits, each of which shifts the mean: cooperative vector quantisation (Ghahramani 1995)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_normal, normalise

BITS = np.array([[1.0, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]])


def log_joint(theta: Values, data: Values) -> Any:
    on = np.where(BITS[:, 1:] == 1, np.log(theta["p"]), np.log(1 - theta["p"])).sum(1)
    return on + log_normal(data["y"][:, None, :], BITS @ theta["W"], theta["s2"]).sum(2)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    y, (r, _) = data["y"], normalise(log_joint(theta, data))
    W = np.linalg.solve(BITS.T @ np.diag(r.sum(0)) @ BITS, (r @ BITS).T @ y)
    squares = ((y[:, None, :] - BITS @ W) ** 2).sum(2)
    return {"p": (r @ BITS)[:, 1:].mean(0), "W": W, "s2": (r * squares).sum() / y.size}
