"""Closed forms that a text asks for, against a direct maximiser of what they maximise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Eq, Identity, Idx, IndexedBase, Piecewise, Sum, exp, sqrt, symbols

from symem import (
    Bernoulli,
    Beta,
    Categorical,
    Gamma,
    GammaInverse,
    Gumbel,
    IndexedMatrix,
    IndexedVector,
    InverseWishart,
    Model,
    MultivariateNormal,
    Normal,
    Poisson,
    Simplex,
)
from symem.derivation import Closed, Shares, Status

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
        return scipy.stats.beta.pdf(seen, shape, 1) if first else scipy.stats.beta.pdf(seen, 1, shape)

    joint = np.column_stack([0.4 * densities(0.7), 0.6 * densities(4.0)])
    shares = joint / joint.sum(axis=1, keepdims=True)
    theta = {"w": [0.4, 0.6], "al": [0.7, 4.0]}
    assert solver.log_likelihood(theta, x=seen) == pytest.approx(np.log(joint.sum(axis=1)).sum())
    for place, found in enumerate(solver.em_step(theta, x=seen).al):
        best = scipy.optimize.minimize_scalar(
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
        joint = np.array([share, 1 - share]) * scipy.stats.norm.pdf(seen[:, None], means, scales)
        prior = scipy.stats.norm.logpdf(means, 0, 3).sum() + scipy.stats.invgamma.logpdf(scales, 2).sum()
        return float(-np.log(joint.sum(axis=1)).sum() - prior)

    here = np.r_[np.log(found.w[0] / found.w[1]), found.mu, np.log(found.sigma)]
    best = scipy.optimize.minimize(loss, here + 0.05, method="BFGS", options={"gtol": 1e-7})
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
            share * scipy.stats.multivariate_normal.pdf(rows, mean, spread)
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
    joint = np.column_stack(
        [0.6 * scipy.stats.norm.pdf(seen, 0.5, 0.6), 0.4 * scipy.stats.norm.pdf(seen, 0.5, 2)]
    )
    shares = joint / joint.sum(axis=1, keepdims=True)
    weights = shares @ [1 / 0.36, 1 / 4]
    step = solver.em_step(theta, x=seen)
    assert step.m == pytest.approx((weights @ seen) / weights.sum())
    squares = (seen - step.m) ** 2
    assert [step.b, step.a] == pytest.approx(np.sqrt(squares @ shares / shares.sum(axis=0)))


def _best(objective: Any, low: float, high: float) -> float:
    found = scipy.optimize.minimize_scalar(
        lambda value: -objective(value), bounds=(low, high), method="bounded", options={"xatol": 1e-11}
    )
    return float(found.x)


def test_locations_of_gumbel_laws_of_a_known_scale() -> None:
    """e^((μ - x)/s) is a product, so Σ γ e^(-x/s) is a statistic."""
    em = Model({z[i]: Categorical(w[k]), x[i]: Gumbel(a, mu[z[i]])}, latent=[z], known=[a]).derive()
    seen, theta = np.array([-1.0, 0.5, 2.0, 7.0, 9.5]), {"w": [0.3, 0.7], "mu": [0.0, 8.0]}
    joint = theta["w"] * scipy.stats.gumbel_r.pdf(seen[:, None], theta["mu"], 1.5)
    shares = joint / joint.sum(1, keepdims=True)
    solver = em.solver()
    new = solver.em_step(theta, x=seen, a=1.5)
    with pytest.warns(solver.LostDigitsWarning, match=r"mu\[0\] is infinite: a sum in it has vanished"):
        solver.em_step({"w": [0.3, 0.7], "mu": [2000.0, 2008.0]}, x=seen + 2000, a=1.5)
    for place, found in enumerate(new.mu):
        best = _best(
            lambda loc, own=place: shares[:, own] @ scipy.stats.gumbel_r.logpdf(seen, loc, 1.5), -5, 15
        )
        assert found == pytest.approx(best, abs=1e-6)
    assert {claim.status for each in em.certificates for claim in each.claims} == {Status.PROVED}


def test_a_known_offset_in_an_exponent() -> None:
    """Poisson rates e^(α + v): α = log Σ γ y - log Σ γ e^v."""
    v, y = IndexedBase("v"), IndexedBase("y")
    law = Poisson(exp(al[z[i]] + v[i]))
    solver = Model({z[i]: Categorical(w[k]), y[i]: law}, latent=[z], known=[v]).derive().solver()
    seen, offset, theta = (
        np.array([0.0, 2.0, 9.0]),
        np.array([0.5, -1.0, 0.25]),
        {"w": [0.5, 0.5], "al": [-1.0, 2.0]},
    )
    joint = theta["w"] * scipy.stats.poisson.pmf(
        seen[:, None], np.exp(np.asarray(theta["al"]) + offset[:, None])
    )
    shares = joint / joint.sum(1, keepdims=True)
    expected = np.log(shares.T @ seen) - np.log(shares.T @ np.exp(offset))
    np.testing.assert_allclose(solver.em_step(theta, y=seen, v=offset).al, expected, rtol=1e-12)


def test_normalised_loadings_of_a_poisson_factorisation() -> None:
    """Rows of H sum to one, so that Σ_ij w_ik h_kj = Σ_i w_ik (Lee & Seung 2001, with that constraint)."""
    J = symbols("J", integer=True, positive=True)
    j, N, y, W, H = Idx("j", J), *map(IndexedBase, "NyWH")
    total = Eq(y[i, j], Sum(N[i, j, k], k))
    em = Model(
        {N[i, j, k]: Poisson(W[i, k] * H[k, j])}, latent=[N], given=[total], parameters={H: Simplex()}
    ).derive()
    counts = np.array([[3.0, 0.0, 5.0], [1.0, 4.0, 0.0]])
    theta = {"W": [[1.0, 2.0], [0.5, 3.0]], "H": [[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]]}
    rates = np.einsum("ik,kj->ijk", theta["W"], theta["H"])
    mean = counts[:, :, None] * rates / rates.sum(2, keepdims=True)
    new = em.solver().em_step(theta, y=counts)
    np.testing.assert_allclose(new.W, mean.sum(1), rtol=1e-12)
    np.testing.assert_allclose(new.H, (mean.sum(0) / mean.sum((0, 1))).T, rtol=1e-12)


def test_a_probability_that_laws_share_through_its_square() -> None:
    """z ~ Bernoulli(p) beside y ~ Bernoulli(p²): the stationary equation is a quadratic once its denominators are gone."""
    p, y = symbols("p"), IndexedBase("y")
    laws = {z[i]: Bernoulli(p), y[i]: Bernoulli(p**2), x[i]: Normal(mu[z[i]], 1)}
    solver = Model(laws, latent=[z]).derive().solver()
    seen, labels, theta = (
        np.array([-0.2, 0.3, 2.2, 1.0]),
        np.array([1.0, 0.0, 1.0, 0.0]),
        {"p": 0.4, "mu": [0.0, 2.0]},
    )
    one, other = 0.4 * scipy.stats.norm.pdf(seen, 2), 0.6 * scipy.stats.norm.pdf(seen, 0)
    share = one / (one + other)

    def surrogate(p: float) -> float:
        first = scipy.special.xlogy(share, p) + scipy.special.xlog1py(1 - share, -p)
        return float(
            np.sum(first + scipy.special.xlogy(labels, p * p) + scipy.special.xlog1py(1 - labels, -p * p))
        )

    assert solver.em_step(theta, x=seen, y=labels).p == pytest.approx(_best(surrogate, 0.01, 0.99), abs=1e-7)


@pytest.mark.parametrize("prior", [Gamma(3, 2), GammaInverse(3, 2)], ids=str)
def test_a_variance_or_a_scale_of_latents_under_a_prior(prior: Any) -> None:
    """Sums of the second moments of latents have a sign, so one root of the quadratic is positive."""
    u, s, is_variance = IndexedBase("u"), symbols("s"), prior.name == "Gamma"
    law = Normal(0, sqrt(s) if is_variance else s)
    em = Model({u[i]: law, x[i]: Normal(u[i], 1)}, latent=[u], prior={s: prior}).derive()
    seen, old = np.array([-2.0, 0.5, 3.0, 1.0]), 1.7
    variance = old if is_variance else old**2
    second = variance / (1 + variance) + (seen * variance / (1 + variance)) ** 2
    log_prior = (scipy.stats.gamma if is_variance else scipy.stats.invgamma)(3, scale=2).logpdf

    def surrogate(s: float) -> float:
        spread = s if is_variance else s**2
        return float(-0.5 * np.sum(np.log(spread) + second / spread) + log_prior(s))

    assert em.solver().em_step({"s": old}, x=seen).s == pytest.approx(_best(surrogate, 0.05, 20), rel=1e-6)
    order = next(claim for claim in em.certificates[0].claims if claim.name == "second order")
    assert order.status is Status.PROVED


def test_intercepts_of_groups_and_their_common_slope_are_one_linear_system() -> None:
    """Weighted least squares with a column for each label and one for the covariate."""
    y, cov = IndexedBase("y"), IndexedBase("cov")
    law = Normal(al[z[i]] + b * cov[i], f)
    em = Model({z[i]: Categorical(w[k]), y[i]: law}, latent=[z], known=[cov]).derive()
    by_name = {str(update.parameter): update for update in em.derivation.updates}
    assert by_name["b"].law == "numbers put in"
    claims = {
        c.name: c for each in em.derivation.certificates for c in each.claims if str(each.parameter) == "b"
    }
    assert claims["second order"].status is Status.PROVED
    assert claims["second order"].argument.startswith("with al[k] at its solution, which holds for every b,")
    assert all(isinstance(update, Closed | Shares) for update in by_name.values())
    seen, covariate = np.array([0.3, 2.1, 1.4, -0.7, 3.0, 2.2]), np.array([0.1, 1.0, -0.4, 0.6, 1.7, 0.2])
    means = np.array([0.2, 1.5]) + 0.4 * covariate[:, None]
    joint = np.array([0.3, 0.7]) * scipy.stats.norm.pdf(seen[:, None], means, 0.9)
    shares = joint / joint.sum(axis=1, keepdims=True)
    design = np.vstack([np.column_stack([np.eye(2)[label] * np.ones((6, 1)), covariate]) for label in (0, 1)])
    weights = np.concatenate([shares[:, 0], shares[:, 1]])
    root = np.sqrt(weights)[:, None]
    best = np.linalg.lstsq(root * design, root[:, 0] * np.tile(seen, 2), rcond=None)[0]
    left = np.tile(seen, 2) - design @ best
    theta = {"w": [0.3, 0.7], "al": [0.2, 1.5], "b": 0.4, "f": 0.9}
    step = em.solver().em_step(theta, y=seen, cov=covariate)
    np.testing.assert_allclose([*step.al, step.b], best, rtol=1e-9)
    assert step.f == pytest.approx(np.sqrt(weights @ left**2 / 6))
