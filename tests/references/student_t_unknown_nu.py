"""Student t with unknown degrees of freedom (Lange, Little & Taylor 1989; Liu & Rubin 1995)."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, gammaln

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    nu, s2 = theta["nu"], theta["s2"]
    square = (data["y"] - theta["mu"]) ** 2 / s2
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi * s2)
    return float((constant - (nu + 1) / 2 * np.log1p(square / nu)).sum())


def em_step(theta: Values, data: Values) -> Values:
    y, old = data["y"], theta["nu"]
    half_rate = (old + (y - theta["mu"]) ** 2 / theta["s2"]) / 2
    u, log_u = (old + 1) / 2 / half_rate, digamma((old + 1) / 2) - np.log(half_rate)
    mu, gap = u @ y / u.sum(), 1 + (log_u - u).mean()
    nu = brentq(lambda v: np.log(v / 2) - digamma(v / 2) + gap, 1e-6, 1e6, xtol=1e-14, rtol=1e-14)
    return {"mu": mu, "s2": u @ (y - mu) ** 2 / len(y), "nu": nu}
