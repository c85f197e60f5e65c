"""Two counts that share a Poisson part: x = u + w, y = v + w (Karlis 2003)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from tests.references import Values, normalise


def log_joint(theta: Values, x: int, y: int) -> Any:
    w = np.arange(min(x, y) + 1)
    parts = ((x - w, theta["l1"]), (y - w, theta["l2"]), (w, theta["l3"]))
    return sum(m * np.log(rate) - rate - gammaln(m + 1) for m, rate in parts)


def log_likelihood(theta: Values, data: Values) -> float:
    pairs = zip(data["x"], data["y"], strict=True)
    return float(sum(normalise(log_joint(theta, int(x), int(y)))[1] for x, y in pairs))


def em_step(theta: Values, data: Values) -> Values:
    x, y = data["x"], data["y"]
    posteriors = [normalise(log_joint(theta, int(a), int(b)))[0] for a, b in zip(x, y, strict=True)]
    shared = np.mean([p @ np.arange(len(p)) for p in posteriors])
    return {"l1": x.mean() - shared, "l2": y.mean() - shared, "l3": shared}
