"""Three coins: coin pi chooses between coins p and q, whose toss is seen (Singh 2005)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    head = theta["pi"] * theta["p"] + (1 - theta["pi"]) * theta["q"]
    x = data["x"]
    return float((x * np.log(head) + (1 - x) * np.log(1 - head)).sum())


def em_step(theta: Values, data: Values) -> Values:
    x, pi, p, q = data["x"], theta["pi"], theta["p"], theta["q"]
    first = pi * p**x * (1 - p) ** (1 - x)
    second = (1 - pi) * q**x * (1 - q) ** (1 - x)
    m = first / (first + second)
    return {"pi": m.mean(), "p": (m @ x) / m.sum(), "q": ((1 - m) @ x) / (1 - m).sum()}
