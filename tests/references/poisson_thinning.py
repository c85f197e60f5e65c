"""Hidden counts N ~ Poisson, seen x ~ Binomial(N, p) (Royle 2004, one visit)."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    rate, x = theta["lam"] * theta["p"], data["x"]
    return float((x * np.log(rate) - rate - gammaln(x + 1)).sum())


def em_step(theta: Values, data: Values) -> Values:
    hidden = data["x"] + theta["lam"] * (1 - theta["p"])
    return {"lam": hidden.mean(), "p": data["x"].sum() / hidden.sum()}
