"""Bivariate normal about zero with missing coordinates (Murray 1977)."""

from __future__ import annotations

from tests.references import Values, complete


def log_likelihood(theta: Values, data: Values) -> float:
    return float(complete(data["y"], 0.0, theta["S"])[2].sum())


def em_step(theta: Values, data: Values) -> Values:
    filled, spread, _ = complete(data["y"], 0.0, theta["S"])
    return {"S": (filled.T @ filled + spread.sum(0)) / len(filled)}
