"""Four alleles in order of dominance: gene counting (Lange 2002, ch. 2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values


def genotypes(theta: Values) -> Any:
    """Probabilities of ordered pairs (stronger, weaker), zero below the diagonal."""
    pairs = np.outer(theta["p"], theta["p"])
    return np.triu(2 * pairs) - np.diag(np.diag(pairs))


def log_likelihood(theta: Values, data: Values) -> float:
    return float(data["n"] @ np.log(genotypes(theta).sum(1)))


def em_step(theta: Values, data: Values) -> Values:
    cells = genotypes(theta)
    counts = data["n"][:, None] * cells / cells.sum(1, keepdims=True)
    return {"p": (counts.sum(1) + counts.sum(0)) / (2 * data["n"].sum())}
