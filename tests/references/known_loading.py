"""A normal vector seen through a known map with known noise (Dempster, Laird & Rubin 1977, section 4.6)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, log_multinormal


def log_likelihood(theta: Values, data: Values) -> float:
    A = data["A"]
    return float(log_multinormal(data["x"], A @ theta["mu"], A @ theta["V"] @ A.T + data["R"]).sum())


def em_step(theta: Values, data: Values) -> Values:
    x, A, V = data["x"], data["A"], theta["V"]
    gain = V @ A.T @ np.linalg.inv(A @ V @ A.T + data["R"])
    z = theta["mu"] + (x - A @ theta["mu"]) @ gain.T
    mu = z.mean(0)
    spread = V - gain @ A @ V
    return {"mu": mu, "V": (z - mu).T @ (z - mu) / len(z) + (spread + spread.T) / 2}
