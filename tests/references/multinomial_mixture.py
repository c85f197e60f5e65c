"""Mixture of multinomials over documents (Nigam et al. 2000)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    return np.log(theta["pi"]) + data["n"] @ np.log(theta["th"]).T


def log_likelihood(theta: Values, data: Values) -> float:
    n = data["n"]
    choose = gammaln(n.sum(1) + 1) - gammaln(n + 1).sum(1)
    return float((normalise(log_joint(theta, data))[1] + choose).sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    words = r.T @ data["n"]
    return {"pi": r.mean(0), "th": words / words.sum(1, keepdims=True)}
