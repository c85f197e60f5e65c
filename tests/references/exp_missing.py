"""An exponential sample of two, of which one is missing (Givens & Hoeting, ex. 4.1)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    return float(np.log(theta["theta"]) - theta["theta"] * data["y1"])


def em_step(theta: Values, data: Values) -> Values:
    return {"theta": 2 / (data["y1"] + 1 / theta["theta"])}
