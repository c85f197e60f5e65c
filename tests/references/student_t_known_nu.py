"""Student t with known degrees of freedom (Dempster, Laird & Rubin 1977; McLachlan & Krishnan, ex. 2.6)."""

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
    u = (nu + 1) / (nu + (y - theta["mu"]) ** 2 / theta["s2"])
    mu = u @ y / u.sum()
    return {"mu": mu, "s2": u @ (y - mu) ** 2 / len(y)}
