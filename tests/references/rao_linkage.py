"""Genetic linkage of 197 animals (Rao 1965; Dempster, Laird & Rubin 1977, sec. 1)."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    th, y = theta["th"], data["y"]
    cells = np.array([0.5 + th / 4, (1 - th) / 4, (1 - th) / 4, th / 4])
    return float(gammaln(y.sum() + 1) - gammaln(y + 1).sum() + y @ np.log(cells))


def em_step(theta: Values, data: Values) -> Values:
    y1, y2, y3, y4 = data["y"]
    x2 = y1 * (theta["th"] / 4) / (0.5 + theta["th"] / 4)
    return {"th": (x2 + y4) / (x2 + y2 + y3 + y4)}
