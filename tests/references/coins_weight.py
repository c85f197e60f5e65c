"""Two coins, the first picked with unknown probability w (Do & Batzoglou 2008 with a mixing weight)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    x, N = data["x"], data["N"]
    choose = gammaln(N + 1) - gammaln(x + 1) - gammaln(N - x + 1)
    coins = ((theta["w"], theta["p"]), (1 - theta["w"], theta["q"]))
    return np.stack([np.log(w) + choose + x * np.log(p) + (N - x) * np.log(1 - p) for w, p in coins], axis=1)


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    x, N, m = data["x"], data["N"], normalise(log_joint(theta, data))[0][:, 0]
    return {"w": m.mean(), "p": m @ x / (N * m.sum()), "q": (1 - m) @ x / (N * (1 - m).sum())}
