"""Rates of groups drawn from a Gamma of known shape, counts with exposures (Clayton & Kaldor 1987)."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    r, b, x, E = data["r"], theta["b"], data["x"], data["E"]
    X, total = x.sum(1), E.sum(1)
    group = gammaln(r + X) - gammaln(r) + r * np.log(b) - (r + X) * np.log(b + total)
    return float(group.sum() + (x * np.log(E) - gammaln(x + 1)).sum())


def em_step(theta: Values, data: Values) -> Values:
    rate = (data["r"] + data["x"].sum(1)) / (theta["b"] + data["E"].sum(1))
    return {"b": data["r"] / rate.mean()}
