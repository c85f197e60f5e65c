"""Sequences of labels behind Normal data (Rabiner 1989; Bishop 2006, section 13.2)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, forward_backward, log_normal


def _smoothed(theta: Values, data: Values) -> list[tuple[Any, Any, float]]:
    weights = np.exp(log_normal(data["x"][..., None], theta["mu"], theta["s2"]))
    return [forward_backward(theta["de"], theta["A"], weight) for weight in weights]


def log_likelihood(theta: Values, data: Values) -> float:
    return sum(value for _, _, value in _smoothed(theta, data))


def em_step(theta: Values, data: Values) -> Values:
    found = _smoothed(theta, data)
    gamma, pairs = np.stack([each for each, _, _ in found]), sum(each for _, each, _ in found)
    count = gamma.sum((0, 1))
    mu = np.einsum("jtk,jt->k", gamma, data["x"]) / count
    s2 = np.einsum("jtk,jtk->k", gamma, (data["x"][..., None] - mu) ** 2) / count
    return {
        "de": gamma[:, 0].mean(0),
        "A": pairs / np.sum(pairs, axis=1, keepdims=True),
        "mu": mu,
        "s2": s2,
    }
