"""A Normal sample of which only bin counts are seen (Dempster, Laird & Rubin 1977, sec. 4.2)."""

from __future__ import annotations

import numpy as np

from tests.references import Values, truncated_moments


def log_likelihood(theta: Values, data: Values) -> float:
    edges, sd = data["edges"], np.sqrt(theta["s2"])
    return float(data["n"] @ truncated_moments(theta["mu"], sd, edges[:-1], edges[1:])[2])


def em_step(theta: Values, data: Values) -> Values:
    edges, n, sd = data["edges"], data["n"], np.sqrt(theta["s2"])
    first, second, _ = truncated_moments(theta["mu"], sd, edges[:-1], edges[1:])
    mu = n @ first / n.sum()
    return {"mu": mu, "s2": n @ second / n.sum() - mu**2}
