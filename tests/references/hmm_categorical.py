"""Ice creams and weather, a chain that moves to STOP at its end (Eisner 2002)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, forward_backward


def _smoothed(theta: Values, data: Values) -> tuple[Any, Any, float]:
    weight = theta["E"][:, data["x"]].T.copy()
    weight[-1] *= theta["A"][:, 2]
    return forward_backward(theta["start"], theta["A"][:, :2], weight)


def log_likelihood(theta: Values, data: Values) -> float:
    return _smoothed(theta, data)[2]


def em_step(theta: Values, data: Values) -> Values:
    gamma, pairs, _ = _smoothed(theta, data)
    moved = np.column_stack([pairs, gamma[-1]])
    seen = gamma.T @ np.eye(theta["E"].shape[1])[data["x"]]
    return {
        "start": gamma[0],
        "A": moved / moved.sum(1, keepdims=True),
        "E": seen / seen.sum(1, keepdims=True),
    }
