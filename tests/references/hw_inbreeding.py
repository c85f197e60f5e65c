"""Hardy-Weinberg proportions with inbreeding coefficient f; n counts AA, AB, BB (Weir)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    p, f = theta["p"], theta["f"]
    q = 1 - p
    cells = np.array([f * p + (1 - f) * p * p, (1 - f) * 2 * p * q, f * q + (1 - f) * q * q])
    return float(data["n"] @ np.log(cells))


def em_step(theta: Values, data: Values) -> Values:
    p, f = theta["p"], theta["f"]
    aa, ab, bb = data["n"]
    z_aa, z_bb = aa * f / (f + (1 - f) * p), bb * f / (f + (1 - f) * (1 - p))
    n, z = data["n"].sum(), z_aa + z_bb
    return {"p": (z_aa + 2 * (aa - z_aa) + ab) / (z + 2 * (n - z)), "f": z / n}
