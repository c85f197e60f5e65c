"""Paired comparisons, w[i, j] wins of i over j (Hunter 2004; Caron & Doucet 2012)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    skill, w = theta["l"], data["w"]
    return float((w * (np.log(skill)[:, None] - np.log(skill[:, None] + skill))).sum())


def em_step(theta: Values, data: Values) -> Values:
    skill, w = theta["l"], data["w"]
    z = (w + w.T) / (skill[:, None] + skill)
    np.fill_diagonal(z, 0.0)
    return {"l": w.sum(1) / z.sum(1)}
