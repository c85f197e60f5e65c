"""Prevalence from a test of known sensitivity and specificity (Rogan & Gladen 1978)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    positive = theta["p"] * data["se"] + (1 - theta["p"]) * (1 - data["sp"])
    return float(np.where(data["x"] == 1, np.log(positive), np.log(1 - positive)).sum())


def em_step(theta: Values, data: Values) -> Values:
    x, p = data["x"], theta["p"]
    ill = p * np.where(x == 1, data["se"], 1 - data["se"])
    well = (1 - p) * np.where(x == 1, 1 - data["sp"], data["sp"])
    return {"p": (ill / (ill + well)).mean()}
