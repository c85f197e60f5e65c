"""Two coins, an even choice between them for each run of N tosses (Do & Batzoglou 2008, fig. 1b)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def log_joint(theta: Values, data: Values) -> Any:
    heads = data["x"][:, None]
    return np.log(0.5) + heads * np.log(theta["th"]) + (data["N"] - heads) * np.log(1 - theta["th"])


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(log_joint(theta, data))[1].sum())


def em_step(theta: Values, data: Values) -> Values:
    r, _ = normalise(log_joint(theta, data))
    return {"th": r.T @ data["x"] / (data["N"] * r.sum(0))}
