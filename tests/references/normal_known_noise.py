"""Effects seen through noise of known variance: random-effects meta-analysis (Colditz et al. 1994)."""

from __future__ import annotations

from tests.references import Values, log_normal


def log_likelihood(theta: Values, data: Values) -> float:
    return float(log_normal(data["y"], theta["mu"], data["v"] + theta["t2"]).sum())


def em_step(theta: Values, data: Values) -> Values:
    y, v, mu, t2 = data["y"], data["v"], theta["mu"], theta["t2"]
    variance = 1 / (1 / v + 1 / t2)
    effect = variance * (y / v + mu / t2)
    new_mu = effect.mean()
    return {"mu": new_mu, "t2": ((effect - new_mu) ** 2 + variance).mean()}
