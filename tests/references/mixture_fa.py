"""Mixture of factor analysers with one uniqueness each coordinate (Ghahramani & Hinton 1996)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, factors, log_multinormal, normalise, with_intercept


def log_joint(theta: Values, data: Values) -> Any:
    laws = zip(theta["mu"], theta["W"], strict=True)
    densities = [log_multinormal(data["x"], mean, W @ W.T + np.diag(theta["psi"])) for mean, W in laws]
    return np.log(theta["w"]) + np.stack(densities, axis=1)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    x, (r, _) = data["x"], normalise(log_joint(theta, data))
    new: Any = {"w": r.mean(0), "mu": np.empty_like(theta["mu"]), "W": np.empty_like(theta["W"])}
    residual = np.zeros(theta["mu"].shape)
    for k, weight in enumerate(r.T):
        z, variance = factors(x, theta["mu"][k], theta["W"][k], theta["psi"])
        rows, second = with_intercept(z, variance, weight)
        lines = np.linalg.solve(second, rows.T @ (weight[:, None] * x))
        left = weight @ (x - rows @ lines) ** 2
        spread = weight.sum() * np.einsum("pa,pq,qa->a", lines[1:], variance, lines[1:])
        new["mu"][k], new["W"][k], residual[k] = lines[0], lines[1:].T, left + spread
    return {**new, "psi": residual.sum(0) / len(x)}
