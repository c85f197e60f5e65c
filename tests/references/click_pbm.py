"""Position-based click model: c clicks among n impressions (Craswell et al. 2008)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    click = theta["g"][:, None] * theta["a"]
    return float((data["c"] * np.log(click) + (data["n"] - data["c"]) * np.log(1 - click)).sum())


def em_step(theta: Values, data: Values) -> Values:
    g, a, n, c = theta["g"][:, None], theta["a"][None, :], data["n"], data["c"]
    examined = c + (n - c) * g * (1 - a) / (1 - g * a)
    attracted = c + (n - c) * a * (1 - g) / (1 - g * a)
    return {"g": examined.sum(1) / n.sum(1), "a": attracted.sum(0) / n.sum(0)}
