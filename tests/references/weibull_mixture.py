"""Mixture of Weibull laws with rate lam and shape k: hazard lam k y^(k-1) (Elmahdy & Aboutahoun 2013)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    y, lam, k = data["y"][:, None], theta["lam"], theta["k"]
    return np.log(theta["pi"]) + np.log(lam * k) + (k - 1) * np.log(y) - lam * y**k


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def shape(w: Any, y: Any) -> float:
    """The root of 1/k + mean(log y) = sum w y^k log y / sum w y^k."""
    log_y = np.log(y)

    def slope(k: float) -> float:
        power = w * y**k
        return float(1 / k + w @ log_y / w.sum() - power @ log_y / power.sum())

    return float(brentq(slope, 1e-3, 1e2, xtol=1e-14, rtol=1e-14))


def em_step(theta: Values, data: Values) -> Values:
    y, (r, _) = data["y"], normalise(log_joint(theta, data))
    k = np.array([shape(w, y) for w in r.T])
    return {"pi": r.mean(0), "lam": r.sum(0) / (r * y[:, None] ** k).sum(0), "k": k}
