"""One order of conditional steps (ECM): it does not depend on how a model was stated, nor on the order of what is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Idx, IndexedBase, Sum, log, loggamma, pi, symbols

from symem import Categorical, Counts, Labels, Model, Normal, Poisson, Positive, Reals, Simplex
from symem.derivation import Conditional
from symem.em import EM
from symem.language.leaves import name_of
from tests.derived import once

n, K = symbols("n K", integer=True, positive=True)
a, m, s = symbols("a m s")
i, k = Idx("i", n), Idx("k", K)
w, x, y, z, mu, sigma, rate = map(IndexedBase, ["w", "x", "y", "z", "mu", "sigma", "rate"])

SEEN = np.array([0.3, 2.1, 1.4, -0.7, 3.0, 2.2, 0.9, 1.1, -1.2])
COUNTS = np.array([0, 3, 1, 2, 5, 4, 0, 1, 7])
SHARES = np.array([0.3, 0.7])


def normal(value: Expr, mean: Expr, scale: Expr) -> Expr:
    return -log(2 * pi) / 2 - log(scale) - (value - mean) ** 2 / (2 * scale**2)


def count(value: Expr, mean: Expr) -> Expr:
    return value * log(mean) - mean - loggamma(value + 1)


@dataclass(frozen=True)
class Stated:
    """A mixture by the law of a row, and by its log-density; θ, data, and what the first step of ECM gives."""

    law: Any
    density: Expr
    supports: Mapping[Any, Any]
    theta: Mapping[str, Any]
    seen: np.ndarray
    order: tuple[str, ...]


STATED = {
    "a common mean, scales by label": Stated(
        Normal(m, sigma[z[i]]),
        normal(y[i], m, sigma[z[i]]),
        {sigma: Positive(), m: Reals()},
        {"m": 0.4, "sigma": [0.5, 2.0]},
        SEEN,
        ("m", "sigma"),
    ),
    "effects by label times one scale": Stated(
        Normal(mu[z[i]] * a, s),
        normal(y[i], mu[z[i]] * a, s),
        {s: Positive(), mu: Reals(), a: Reals()},
        {"a": 1.5, "mu": [0.2, 1.0], "s": 0.9},
        SEEN,
        ("a", "mu", "s"),
    ),
    "rates by label times one exposure": Stated(
        Poisson(rate[z[i]] * a),
        count(y[i], rate[z[i]] * a),
        {rate: Positive(), a: Positive()},
        {"a": 1.5, "rate": [0.8, 3.0]},
        COUNTS,
        ("a", "rate"),
    ),
}


def doors(case: Stated) -> list[EM]:
    """By distribution, and by likelihood with the parameters declared the other way round."""
    by_law = Model({z[i]: Categorical(w[k]), y[i]: case.law}, latent=[z])
    by_density = Model.from_likelihood(
        log_likelihood=Sum(log(w[z[i]]) + case.density, (i, 0, n - 1)),
        latent={z: Labels(K)},
        parameters={**case.supports, w: Simplex()},
        data={y: Counts()} if case.seen is COUNTS else None,
    )
    return [once(by_law), once(by_density)]


@pytest.mark.parametrize("case", STATED.values(), ids=list(STATED))
def test_the_order_of_conditional_steps_is_that_of_the_model(case: Stated) -> None:
    steps = []
    for em in doors(case):
        held = [name_of(u.parameter) for u in em.derivation.updates if isinstance(u, Conditional)]
        assert tuple(held) == case.order
        steps.append(em.solver().em_step({"w": SHARES, **case.theta}, y=case.seen))
    first, second = steps
    for name in ("w", *case.theta):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=1e-12)


def test_the_mean_is_moved_before_its_scales() -> None:
    """By hand (Meng & Rubin 1993): σ at the new mean, whatever was declared first."""
    case = STATED["a common mean, scales by label"]
    scales = np.array(case.theta["sigma"])[:, None]
    joint = SHARES[:, None] * np.exp(-((SEEN - 0.4) ** 2) / (2 * scales**2)) / scales
    gamma = joint / joint.sum(axis=0)
    mean = (gamma / scales**2 * SEEN).sum() / (gamma / scales**2).sum()
    spread = np.sqrt((gamma * (SEEN - mean) ** 2).sum(axis=1) / gamma.sum(axis=1))
    step = doors(case)[1].solver().em_step({"w": SHARES, **case.theta}, y=SEEN)
    assert float(step.m) == pytest.approx(mean)
    np.testing.assert_allclose(step.sigma, spread)
