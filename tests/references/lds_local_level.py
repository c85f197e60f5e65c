"""A level that drifts, as one Gaussian vector of all places (Durbin & Koopman 2012, section 2.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, log_multinormal


def _prior(theta: Values, data: Values) -> Any:
    """The covariance of all levels: that of the first and of so many steps as two places share."""
    place = np.arange(len(data["y"]))
    return data["P0"] + theta["s2n"] * np.minimum(place[:, None], place)


def log_likelihood(theta: Values, data: Values) -> float:
    spread = _prior(theta, data) + theta["s2e"] * np.eye(len(data["y"]))
    return float(log_multinormal(data["y"][None], np.full(len(spread), data["m0"]), spread)[0])


def em_step(theta: Values, data: Values) -> Values:
    prior, y = _prior(theta, data), data["y"]
    gain = np.linalg.solve(prior + theta["s2e"] * np.eye(len(y)), prior).T
    mean, spread = data["m0"] + gain @ (y - data["m0"]), theta["s2e"] * (gain + gain.T) / 2
    steps = np.diff(np.eye(len(y)), axis=0)
    moved = (steps @ mean) ** 2 + np.diag(steps @ spread @ steps.T)
    return {"s2n": moved.mean(), "s2e": ((y - mean) ** 2 + np.diag(spread)).mean()}
