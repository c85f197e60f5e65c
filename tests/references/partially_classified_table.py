"""A table with units classified by one factor only (Little & Rubin, ch. 13)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    pi = theta["pi"]
    row, column = data["row"] @ np.log(pi.sum(1)), data["col"] @ np.log(pi.sum(0))
    return float((data["full"] * np.log(pi)).sum() + row + column)


def em_step(theta: Values, data: Values) -> Values:
    pi = theta["pi"]
    by_row = data["row"][:, None] * pi / pi.sum(1, keepdims=True)
    by_column = data["col"] * pi / pi.sum(0)
    counts = data["full"] + by_row + by_column
    return {"pi": counts / counts.sum()}
