"""Mixture of multivariate t with known degrees of freedom (Peel & McLachlan 2000)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.references import Values, normalise


def distance(theta: Values, data: Values) -> Any:
    off = data["x"][:, None, :] - theta["mu"]
    return np.einsum("ika,kab,ikb->ik", off, np.linalg.inv(theta["Sigma"]), off)


def log_joint(theta: Values, data: Values) -> Any:
    nu, d = data["nu"], data["x"].shape[1]
    log_det = np.linalg.slogdet(nu * np.pi * theta["Sigma"])[1]
    constant = gammaln((nu + d) / 2) - gammaln(nu / 2) - 0.5 * log_det
    return np.log(theta["w"]) + constant - (nu + d) / 2 * np.log1p(distance(theta, data) / nu)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    x, (r, _) = data["x"], normalise(log_joint(theta, data))
    weight = r * (data["nu"] + x.shape[1]) / (data["nu"] + distance(theta, data))
    mu = weight.T @ x / weight.sum(0)[:, None]
    off = x[:, None, :] - mu
    Sigma = np.einsum("ik,ika,ikb->kab", weight, off, off) / r.sum(0)[:, None, None]
    return {"w": r.mean(0), "mu": mu, "Sigma": Sigma}
