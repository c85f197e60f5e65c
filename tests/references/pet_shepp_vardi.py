"""Emission tomography: counts of detectors from intensities of pixels (Shepp & Vardi 1982)."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    rate = data["P"] @ theta["lam"]
    return float((data["y"] * np.log(rate) - rate - gammaln(data["y"] + 1)).sum())


def em_step(theta: Values, data: Values) -> Values:
    P, lam = data["P"], theta["lam"]
    return {"lam": lam * (P.T @ (data["y"] / (P @ lam))) / P.sum(0)}
