"""Normal mixture with Dirichlet and normal-inverse-Wishart priors (Murphy 2012, section 11.4.2.8)."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from tests.references import Values, log_multinormal, normalise


def log_joint(theta: Values, data: Values) -> Any:
    laws = zip(theta["mu"], theta["Sigma"], strict=True)
    densities = [log_multinormal(data["x"], mean, covariance) for mean, covariance in laws]
    return np.log(theta["w"]) + np.stack(densities, axis=1)


def log_prior(theta: Values, data: Values) -> float:
    value = scipy.stats.dirichlet.logpdf(theta["w"], np.full(len(theta["w"]), data["c"]))
    for mean, covariance in zip(theta["mu"], theta["Sigma"], strict=True):
        value += scipy.stats.invwishart.logpdf(covariance, data["nu"], data["Psi"])
        value += log_multinormal(mean[None], data["m0"], covariance / data["kappa"])[0]
    return float(value)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum()) + log_prior(theta, data)


def em_step(theta: Values, data: Values) -> Values:
    x, (r, _) = data["x"], normalise(log_joint(theta, data))
    weight, kappa, d = r.sum(0), data["kappa"], x.shape[1]
    mu = (r.T @ x + kappa * data["m0"]) / (weight + kappa)[:, None]
    off, pull = x[:, None, :] - mu, mu - data["m0"]
    scatter = np.einsum("ik,ika,ikb->kab", r, off, off) + kappa * pull[:, :, None] * pull[:, None, :]
    Sigma = (data["Psi"] + scatter) / (weight + data["nu"] + d + 2)[:, None, None]
    w = weight + data["c"] - 1
    return {"w": w / w.sum(), "mu": mu, "Sigma": Sigma}
