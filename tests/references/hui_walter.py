"""Error rates of two tests in two populations (Hui & Walter 1980)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    x, th, pr = data["x"], theta["th"], theta["pr"][data["pop"]]
    state = np.log(np.stack([1 - pr, pr], axis=1))
    return state + x @ np.log(th).T + (1 - x) @ np.log(1 - th).T


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    pr = np.bincount(data["pop"], r[:, 1]) / np.bincount(data["pop"])
    return {"pr": pr, "th": r.T @ data["x"] / r.sum(0)[:, None]}
