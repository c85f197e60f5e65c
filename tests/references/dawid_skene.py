"""Observer error rates without the truth; n[i, j, l] reports (Dawid & Skene 1979)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    # xlogy: 0 log 0 = 0, for the published start has zeros
    reports = xlogy(data["n"][:, :, None, :], theta["pi"][None]).sum(axis=(1, 3))
    return np.log(theta["p"]) + reports


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    counts = np.einsum("ik,ijl->jkl", r, data["n"])
    return {"p": r.mean(0), "pi": counts / counts.sum(2, keepdims=True)}
