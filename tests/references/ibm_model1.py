"""IBM model 1 without the null word: alignments are uniform (Brown et al. 1993)."""

from __future__ import annotations

import numpy as np

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    t, total = theta["t"], 0.0
    for source, target in data["pairs"]:
        total += sum(np.log(t[source, e].mean()) for e in target)
    return float(total)


def em_step(theta: Values, data: Values) -> Values:
    t = theta["t"]
    counts = np.zeros_like(t)
    for source, target in data["pairs"]:
        for e in target:
            for f, p in zip(source, t[source, e] / t[source, e].sum(), strict=True):
                counts[f, e] += p
    return {"t": counts / counts.sum(1, keepdims=True)}
