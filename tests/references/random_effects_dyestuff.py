"""One-way random effects, J yields for each batch (Davies 1947; Box & Tiao)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    residual, a, e = data["y"] - theta["mu"], theta["s2a"], theta["s2e"]
    j = residual.shape[1]
    total = residual.sum(1)
    log_det = (j - 1) * np.log(e) + np.log(e + j * a)
    quadratic = (residual**2).sum(1) / e - a * total**2 / (e * (e + j * a))
    return float((-0.5 * (j * np.log(2 * np.pi) + log_det + quadratic)).sum())


def em_step(theta: Values, data: Values) -> Values:
    y, a, e = data["y"], theta["s2a"], theta["s2e"]
    v = 1 / (1 / a + y.shape[1] / e)
    effect = v * (y - theta["mu"]).sum(1) / e
    mu = (y - effect[:, None]).mean()
    s2e = ((y - mu - effect[:, None]) ** 2 + v).mean()
    return {"mu": mu, "s2a": (effect**2 + v).mean(), "s2e": s2e}
