"""Negative binomial as a Gamma mixture of Poisson laws (Bliss & Fisher 1953)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, gammaln

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    r, b, x = theta["r"], theta["b"], data["x"]
    value = gammaln(r + x) - gammaln(r) - gammaln(x + 1) + r * np.log(b) - (r + x) * np.log(b + 1)
    return float(data["n"] @ value)


def em_step(theta: Values, data: Values) -> Values:
    old, b, x, n = theta["r"], theta["b"], data["x"], data["n"]
    mean = n @ ((old + x) / (b + 1)) / n.sum()
    mean_log = n @ (digamma(old + x) - np.log(b + 1)) / n.sum()
    gap = np.log(mean) - mean_log
    r = brentq(lambda s: np.log(s) - digamma(s) - gap, 1e-8, 1e8, xtol=1e-14, rtol=1e-14)
    return {"r": r, "b": r / mean}
