"""Zero-inflated Binomial (Hall 2000)."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    w, p, x, N = theta["w"], theta["p"], data["x"], data["N"]
    choose = np.exp(gammaln(N + 1) - gammaln(x + 1) - gammaln(N - x + 1))
    return float(np.log(w * (x == 0) + (1 - w) * choose * p**x * (1 - p) ** (N - x)).sum())


def em_step(theta: Values, data: Values) -> Values:
    w, p, x, N = theta["w"], theta["p"], data["x"], data["N"]
    z = (x == 0) * w / (w + (1 - w) * (1 - p) ** N)
    return {"w": z.mean(), "p": (1 - z) @ x / ((1 - z) @ N)}
