"""Zero-inflated Poisson (Lambert 1992)."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    w, lam, x = theta["w"], theta["lam"], data["x"]
    poisson = (1 - w) * np.exp(x * np.log(lam) - lam - gammaln(x + 1))
    return float(data["n"] @ np.log(w * (x == 0) + poisson))


def em_step(theta: Values, data: Values) -> Values:
    w, lam, x, n = theta["w"], theta["lam"], data["x"], data["n"]
    z = (x == 0) * w / (w + (1 - w) * np.exp(-lam))
    return {"w": n @ z / n.sum(), "lam": n @ x / (n @ (1 - z))}
