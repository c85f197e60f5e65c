"""Beta-binomial with latent success probabilities (Skellam 1948)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import root
from scipy.special import betaln, digamma, gammaln

from tests.references import Values


def log_likelihood(theta: Values, data: Values) -> float:
    a, b, x, N = theta["a"], theta["b"], data["x"], data["N"]
    choose = gammaln(N + 1) - gammaln(x + 1) - gammaln(N - x + 1)
    return float(data["n"] @ (choose + betaln(a + x, b + N - x) - betaln(a, b)))


def em_step(theta: Values, data: Values) -> Values:
    a, b, x, n, N = theta["a"], theta["b"], data["x"], data["n"], data["N"]
    log_p = n @ (digamma(a + x) - digamma(a + b + N)) / n.sum()
    log_q = n @ (digamma(b + N - x) - digamma(a + b + N)) / n.sum()

    def equations(log_ab: Any) -> Any:
        new_a, new_b = np.exp(log_ab)
        return digamma([new_a, new_b]) - digamma(new_a + new_b) - [log_p, log_q]

    new = np.exp(root(equations, np.log([a, b]), tol=1e-14).x)
    return {"a": new[0], "b": new[1]}
