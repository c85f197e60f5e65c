"""Student t whose scale stands in the prior of the variances (Liu & Rubin 1995)."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    nu, s2 = data["nu"], theta["s2"]
    square = (data["y"] - theta["mu"]) ** 2 / s2
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi * s2)
    return float((constant - (nu + 1) / 2 * np.log1p(square / nu)).sum())


def em_step(theta: Values, data: Values) -> Values:
    y, nu = data["y"], data["nu"]
    precision = (nu + 1) / (nu * theta["s2"] + (y - theta["mu"]) ** 2)
    return {"mu": precision @ y / precision.sum(), "s2": len(y) / precision.sum()}
