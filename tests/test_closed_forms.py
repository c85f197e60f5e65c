"""Closed forms that a text asks for, against a direct maximiser of what they maximise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats
from sympy import Eq, Identity, Idx, IndexedBase, Piecewise, symbols

from symem import (
    Bernoulli,
    Beta,
    Categorical,
    GammaInverse,
    IndexedMatrix,
    IndexedVector,
    InverseWishart,
    Model,
    MultivariateNormal,
    Normal,
)

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma, al = map(IndexedBase, ["x", "z", "w", "mu", "sigma", "al"])
a, b, f, m = symbols("a b f m")


@pytest.mark.parametrize("first", [True, False], ids=["Beta(a, 1)", "Beta(1, a)"])
def test_a_beta_law_with_a_parameter_1_has_a_closed_maximum(first: bool) -> None:
    law = Beta(al[z[i]], 1) if first else Beta(1, al[z[i]])
    solver = Model({z[i]: Categorical(w[k]), x[i]: law}, latent=[z]).derive().solver()
    seen = np.array([0.05, 0.2, 0.45, 0.7, 0.9, 0.97, 0.33])

    def densities(shape: Any) -> Any:
        return stats.beta.pdf(seen, shape, 1) if first else stats.beta.pdf(seen, 1, shape)

    joint = np.column_stack([0.4 * densities(0.7), 0.6 * densities(4.0)])
    shares = joint / joint.sum(axis=1, keepdims=True)
    theta = {"w": [0.4, 0.6], "al": [0.7, 4.0]}
    assert solver.log_likelihood(theta, x=seen) == pytest.approx(np.log(joint.sum(axis=1)).sum())
    for place, found in enumerate(solver.em_step(theta, x=seen).al):
        best = optimize.minimize_scalar(
            lambda shape, own=place: -(shares[:, own] @ np.log(densities(shape))),
            bounds=(0.01, 30),
            method="bounded",
            options={"xatol": 1e-10},
        )
        assert found == pytest.approx(best.x, rel=1e-6)


def test_priors_on_mean_and_scale_are_maximised_in_turn() -> None:
    """Conditional maximisation: the scale solves a quadratic of which one root is positive."""
    priors = {sigma[k]: GammaInverse(2, 1), mu[k]: Normal(0, 3)}
    law = Normal(mu[z[i]], sigma[z[i]])
    em = Model({z[i]: Categorical(w[k]), x[i]: law}, latent=[z], prior=priors).derive()
    rng = np.random.default_rng(3)
    seen = np.r_[rng.normal(0, 1, 40), rng.normal(6, 1.5, 60)]
    start = {"w": [0.5, 0.5], "mu": [0.0, 6.0], "sigma": [1.0, 1.0]}
    found = em.fit(x=seen, start=start, tol=1e-13, max_iter=5000).parameters

    def loss(at: Any) -> float:
        share, means, scales = 1 / (1 + np.exp(-at[0])), at[1:3], np.exp(at[3:])
        joint = np.array([share, 1 - share]) * stats.norm.pdf(seen[:, None], means, scales)
        prior = stats.norm.logpdf(means, 0, 3).sum() + stats.invgamma.logpdf(scales, 2).sum()
        return float(-np.log(joint.sum(axis=1)).sum() - prior)

    here = np.r_[np.log(found.w[0] / found.w[1]), found.mu, np.log(found.sigma)]
    best = optimize.minimize(loss, here + 0.05, method="BFGS", options={"gtol": 1e-7})
    assert here == pytest.approx(best.x, abs=1e-4)


def test_a_covariance_under_an_inverse_wishart_prior_about_the_identity() -> None:
    """The mode of the posterior: (C + I) / (N + ν + d + 1)."""
    d = symbols("d", integer=True, positive=True)
    v, m_k, s_k = IndexedVector("v", d), IndexedVector("m", d), IndexedMatrix("S", d, d)
    law = MultivariateNormal(m_k[z[i]], s_k[z[i]])
    prior = {s_k[k]: InverseWishart(7, Identity(d))}
    em = Model({z[i]: Categorical(w[k]), v[i]: law}, latent=[z], prior=prior).derive()
    rows = np.array([[0.1, 0.4], [-0.6, 1.0], [3.2, 2.5], [2.4, 3.9], [0.3, -0.2]])
    means, spreads = [[0.0, 0.0], [3.0, 3.0]], [np.eye(2), 2 * np.eye(2)]
    joint = np.column_stack(
        [
            share * stats.multivariate_normal.pdf(rows, mean, spread)
            for share, mean, spread in zip((0.4, 0.6), means, spreads, strict=True)
        ]
    )
    shares = joint / joint.sum(axis=1, keepdims=True)
    step = em.solver().em_step({"w": [0.4, 0.6], "m": means, "S": spreads}, v=rows)
    for own, mean, spread in zip(shares.T, step.m, step.S, strict=True):
        apart = rows - own @ rows / own.sum()
        assert mean == pytest.approx(own @ rows / own.sum())
        assert spread == pytest.approx(((own[:, None] * apart).T @ apart + np.eye(2)) / (own.sum() + 10))


def test_a_mean_that_two_scales_share() -> None:
    law = Normal(m, Piecewise((a, Eq(z[i], 1)), (b, True)))
    solver = Model({z[i]: Bernoulli(f), x[i]: law}, latent=[z]).derive().solver()
    seen, theta = np.array([-3.0, 0.1, 0.4, 2.0, -0.3, 0.2]), {"m": 0.5, "a": 2.0, "b": 0.6, "f": 0.4}
    joint = np.column_stack([0.6 * stats.norm.pdf(seen, 0.5, 0.6), 0.4 * stats.norm.pdf(seen, 0.5, 2)])
    shares = joint / joint.sum(axis=1, keepdims=True)
    weights = shares @ [1 / 0.36, 1 / 4]
    step = solver.em_step(theta, x=seen)
    assert step.m == pytest.approx((weights @ seen) / weights.sum())
    squares = (seen - step.m) ** 2
    assert [step.b, step.a] == pytest.approx(np.sqrt(squares @ shares / shares.sum(axis=0)))
