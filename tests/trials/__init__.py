"""Models that no source prints updates for: each is held to three identities against a likelihood of its own.

A trial is a declaration, data, a point, and ℓ written by hand. `tests/test_trials.py` asks of it that the
derived ℓ is that one, that ∂Q(θ|θ) = ∂ℓ (Fisher), and that no small step from the update raises Q.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln, logsumexp
from sympy import Idx, IndexedBase, symbols

from symem import Model

Values = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """A model to derive, where to try it, and its observed-data log-likelihood (plus log-prior).

    `open` names the parameters without an update; `conditional` says that there is no joint maximum to be had, only
    one parameter after the other (ECM).
    """

    model: Model
    data: Values
    theta: Values
    kinds: dict[str, str]
    log_likelihood: Callable[[Values, Values], float]
    open: frozenset[str] = frozenset()
    conditional: bool = False


TRIALS: dict[str, Callable[[], Trial]] = {}


def trial(build: Callable[[], Trial]) -> Callable[[], Trial]:
    """Enter a trial in the list."""
    TRIALS[build.__name__] = build
    return build


n, K, J, G, H, V = symbols("n K J G H V", integer=True, positive=True)
i, k, j, g, h, v = Idx("i", n), Idx("k", K), Idx("j", J), Idx("g", G), Idx("h", H), Idx("v", V)
x, y, z, u, w, t, c, a, b, mu, lam, th, p = map(
    IndexedBase, ["x", "y", "z", "u", "w", "t", "c", "a", "b", "mu", "lam", "th", "p"]
)

WEIGHTS = np.array([0.4, 0.6])
MEANS = np.array([-1.0, 1.0])


def real(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "real")


def pos(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "pos")


def unit(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "unit")


def simplex(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "simplex")


def mixed(weights: Any, log_densities: Any) -> float:
    """Σ_i log Σ_k w_k f_k(x_i), components along the last axis."""
    return float(logsumexp(np.log(weights) + log_densities, axis=1).sum())


def normal(value: Any, mean: Any, variance: Any) -> Any:
    return -0.5 * np.log(2 * np.pi * variance) - (value - mean) ** 2 / (2 * variance)


def joint_normal(value: Any, mean: Any, covariance: Any) -> float:
    off = value - mean
    log_det = np.linalg.slogdet(2 * np.pi * covariance)[1]
    return float(-0.5 * (log_det + off @ np.linalg.solve(covariance, off)))


def poisson(count: Any, rate: Any) -> Any:
    return count * np.log(rate) - rate - gammaln(count + 1)
