"""Three coins with Beta priors (Singh 2005; MAP after Dempster, Laird & Rubin 1977, sec. 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betaln

from tests.references import Values


def log_beta(x: Any, a: float, b: float) -> Any:
    return (a - 1) * np.log(x) + (b - 1) * np.log(1 - x) - betaln(a, b)


def log_likelihood(theta: Values, data: Values) -> float:
    w, p, q, x, a, b = theta["w"], theta["p"], theta["q"], data["x"], data["a"], data["b"]
    head = w * p + (1 - w) * q
    log_prior = log_beta(w, a, a) + log_beta(p, a, b) + log_beta(q, b, a)
    return float((x * np.log(head) + (1 - x) * np.log(1 - head)).sum() + log_prior)


def em_step(theta: Values, data: Values) -> Values:
    w, p, q, x, a, b = theta["w"], theta["p"], theta["q"], data["x"], data["a"], data["b"]
    first, second = w * p**x * (1 - p) ** (1 - x), (1 - w) * q**x * (1 - q) ** (1 - x)
    m = first / (first + second)
    return {
        "w": (m.sum() + a - 1) / (len(x) + 2 * a - 2),
        "p": (m @ x + a - 1) / (m.sum() + a + b - 2),
        "q": ((1 - m) @ x + b - 1) / ((1 - m).sum() + a + b - 2),
    }
