"""A point mass at zero beside an exponential: a zero has probability w, not density (Aitchison 1955)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    w, rate, y = theta["w"], theta["rate"], data["y"]
    return float(np.where(y == 0, np.log(w), np.log(1 - w) + np.log(rate) - rate * y).sum())


def em_step(theta: Values, data: Values) -> Values:
    zero = data["y"] == 0
    return {"w": zero.mean(), "rate": (~zero).sum() / data["y"].sum()}
