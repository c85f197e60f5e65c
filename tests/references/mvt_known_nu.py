"""Multivariate t with known degrees of freedom (Kent, Tyler & Vardi 1994)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.references import Values


def distance(theta: Values, data: Values) -> Any:
    off = data["y"] - theta["mu"]
    return (off * np.linalg.solve(theta["S"], off.T).T).sum(1)


def log_likelihood(theta: Values, data: Values) -> float:
    (n, d), nu = data["y"].shape, data["nu"]
    constant = gammaln((nu + d) / 2) - gammaln(nu / 2) - 0.5 * np.linalg.slogdet(nu * np.pi * theta["S"])[1]
    return float(n * constant - (nu + d) / 2 * np.log1p(distance(theta, data) / nu).sum())


def em_step(theta: Values, data: Values) -> Values:
    y, nu = data["y"], data["nu"]
    u = (nu + y.shape[1]) / (nu + distance(theta, data))
    mu = u @ y / u.sum()
    return {"mu": mu, "S": (y - mu).T @ (u[:, None] * (y - mu)) / len(y)}
