"""Mean fields against hand-written coordinate ascent: topics, blocks of two sides, means with a law, rates that multiply."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
from scipy.special import digamma, gammaln, xlogy
from sympy import Idx, IndexedBase, exp, symbols

from symem import (
    EM,
    Bernoulli,
    Categorical,
    Dirichlet,
    Gamma,
    Model,
    ModelError,
    Normal,
    NotDerivedError,
    Poisson,
)
from symem.verification import verify

D, N, V, K, L, n, m = symbols("D N V K L n m", integer=True, positive=True)
d, t, v, k, h, i, j = (
    Idx(*pair) for pair in (("d", D), ("t", N), ("v", V), ("k", K), ("h", L), ("i", n), ("j", m))
)
theta, z, w, beta, alpha, x, rho, pi, B, mu, u, q, y = map(
    IndexedBase, ["theta", "z", "w", "beta", "alpha", "x", "rho", "pi", "B", "mu", "u", "q", "y"]
)
m0, tau, s, a, b, c, e = symbols("m0 tau s a b c e")

TOPICS = {
    theta[d, k]: Dirichlet(alpha[k]),
    z[d, t]: Categorical(theta[d, k]),
    w[d, t]: Categorical(beta[z[d, t], v]),
}
BLOCKS = {z[i]: Categorical(pi[k]), q[j]: Categorical(rho[h]), x[i, j]: Bernoulli(B[z[i], q[j]])}
MEANS = {mu[k]: Normal(m0, tau), z[i]: Categorical(pi[k]), x[i]: Normal(mu[z[i]], s)}
RATES = {u[i]: Gamma(a, b), w[j]: Gamma(c, e), y[i, j]: Poisson(u[i] * w[j])}
MODELS = {
    "topics": Model(TOPICS, latent=[theta, z]),
    "blocks": Model(BLOCKS, latent=[z, q]),
    "means": Model(MEANS, latent=[mu, z]),
    "rates": Model(RATES, latent=[u, w]),
}
RNG = np.random.default_rng(0)
DATA: dict[str, dict[str, Any]] = {
    "topics": {"w": RNG.integers(0, 6, (5, 9)), "V": 6},
    "blocks": {"x": RNG.integers(0, 2, (7, 6))},
    "means": {"x": np.concatenate([RNG.normal(-2, 1, 9), RNG.normal(2, 1, 11)])},
    "rates": {"y": RNG.poisson(RNG.gamma(2, 1, (6, 1)) * RNG.gamma(2, 1, 5))},
}
STARTS: dict[str, dict[str, Any]] = {
    "topics": {
        "alpha": np.array([0.8, 1.3]),
        "beta": RNG.dirichlet(np.ones(6), 2),
        "alpha_theta": RNG.uniform(0.5, 3, (5, 2)),
    },
    "blocks": {
        "pi": np.array([0.4, 0.6]),
        "rho": np.array([0.3, 0.5, 0.2]),
        "B": RNG.uniform(0.2, 0.8, (2, 3)),
        "gamma_q": RNG.dirichlet(np.ones(3), 6),
    },
    "means": {
        "m0": 0.1,
        "tau": 1.5,
        "pi": np.array([0.4, 0.6]),
        "s": 1.2,
        "m_mu": np.array([-1.0, 1.5]),
        "v_mu": np.array([0.2, 0.3]),
    },
    "rates": {
        "a": 1.5,
        "b": 0.8,
        "c": 2.0,
        "e": 1.1,
        "shape_u": RNG.uniform(1, 4, 6),
        "rate_u": RNG.uniform(1, 4, 6),
    },
}
NAMES = sorted(MODELS)


@cache
def derived(name: str) -> EM:
    return MODELS[name].derive(approximate="mean field", budget=math.inf)


# references: F and one round, the rest first, then the parameters, then the factors ----------------------------


def topics(p: dict[str, Any], w: Any, V: int) -> tuple[float, dict[str, Any]]:
    """Blei, Ng & Jordan 2003, equation 15 and appendix A.3; α by Newton's method at the new γ."""
    mean = digamma(p["alpha_theta"]) - digamma(p["alpha_theta"].sum(1, keepdims=True))
    phi = np.exp(mean)[:, None, :] * p["beta"].T[w]
    phi /= phi.sum(-1, keepdims=True)
    free = gammaln(p["alpha"].sum()) * len(w) - len(w) * gammaln(p["alpha"]).sum()
    free += ((p["alpha"] - 1) * mean).sum() + (phi * mean[:, None, :]).sum()
    free += (phi * np.log(p["beta"].T[w])).sum() - xlogy(phi, phi).sum()
    free -= (gammaln(p["alpha_theta"].sum(1)) - gammaln(p["alpha_theta"]).sum(1)).sum()
    free -= ((p["alpha_theta"] - 1) * mean).sum()
    found = np.stack([(phi * (w == word)[..., None]).sum((0, 1)) for word in range(V)], axis=1)
    gamma = p["alpha"] + phi.sum(1)
    new = digamma(gamma) - digamma(gamma.sum(1, keepdims=True))

    def slope(a: Any) -> Any:
        return len(w) * (digamma(a.sum()) - digamma(a)) + new.sum(0)

    root = scipy.optimize.root(slope, p["alpha"], tol=1e-14).x
    return free, {"alpha": root, "beta": found / found.sum(1, keepdims=True), "alpha_theta": gamma}


def blocks(p: dict[str, Any], x: Any) -> tuple[float, dict[str, Any]]:
    """Govaert & Nadif 2008, section 3."""
    one, zero = np.log(p["B"]), np.log1p(-p["B"])
    scores = np.einsum("ij,jl,kl->ik", x, p["gamma_q"], one) + np.einsum(
        "ij,jl,kl->ik", 1 - x, p["gamma_q"], zero
    )
    r = scipy.special.softmax(scores + np.log(p["pi"]), axis=1)
    free = (r * (scores + np.log(p["pi"]))).sum() - xlogy(r, r).sum()
    free += (p["gamma_q"] * np.log(p["rho"])).sum() - xlogy(p["gamma_q"], p["gamma_q"]).sum()
    shares, rho = r.mean(0), p["gamma_q"].mean(0)
    B = np.einsum("ik,ij,jl->kl", r, x, p["gamma_q"]) / np.outer(r.sum(0), p["gamma_q"].sum(0))
    weights = np.einsum("ik,ij,kl->jl", r, x, np.log(B)) + np.einsum("ik,ij,kl->jl", r, 1 - x, np.log1p(-B))
    return free, {
        "pi": shares,
        "rho": rho,
        "B": B,
        "gamma_q": scipy.special.softmax(weights + np.log(rho), axis=1),
    }


def means(p: dict[str, Any], x: Any) -> tuple[float, dict[str, Any]]:
    """Bishop 2006, section 10.2, with variances that are parameters."""
    square = (x[:, None] - p["m_mu"]) ** 2 + p["v_mu"]
    scores = np.log(p["pi"]) - np.log(2 * np.pi * p["s"] ** 2) / 2 - square / (2 * p["s"] ** 2)
    free = scipy.special.logsumexp(scores, axis=1).sum()
    free += (
        -np.log(2 * np.pi * p["tau"] ** 2) / 2
        - ((p["m_mu"] - p["m0"]) ** 2 + p["v_mu"]) / (2 * p["tau"] ** 2)
        + np.log(2 * np.pi * np.e * p["v_mu"]) / 2
    ).sum()
    r = scipy.special.softmax(scores, axis=1)
    new = {"pi": r.mean(0), "m0": p["m_mu"].mean(), "s": math.sqrt((r * square).sum() / len(x))}
    new["tau"] = math.sqrt(((p["m_mu"] - new["m0"]) ** 2 + p["v_mu"]).mean())
    precision = 1 / new["tau"] ** 2 + r.sum(0) / new["s"] ** 2
    at = new["m0"] / new["tau"] ** 2 + (r * x[:, None]).sum(0) / new["s"] ** 2
    return free, {**new, "m_mu": at / precision, "v_mu": 1 / precision}


def rates(p: dict[str, Any], y: Any) -> tuple[float, dict[str, Any]]:
    """Gamma laws on both sides of a Poisson mean (Cemgil 2009); shapes by the one root of log a - ψ(a) = d."""
    mean, log_mean = p["shape_u"] / p["rate_u"], digamma(p["shape_u"]) - np.log(p["rate_u"])
    shape, rate = p["c"] + y.sum(0), 1 / p["e"] + mean.sum()
    v, log_v = shape / rate, digamma(shape) - np.log(rate)
    free = (y * (log_mean[:, None] + log_v) - np.outer(mean, v) - gammaln(y + 1)).sum()
    free += _prior(p["a"], p["b"], mean, log_mean) + _prior(p["c"], p["e"], v, log_v)
    free += _entropy(p["shape_u"], p["rate_u"]) + _entropy(shape, rate + 0 * shape)
    new = dict(zip("ab", _gamma(mean, log_mean), strict=True)) | dict(
        zip("ce", _gamma(v, log_v), strict=True)
    )
    more = {"shape_u": new["a"] + y.sum(1), "rate_u": 1 / new["b"] + v.sum() + 0 * mean}
    return free, {**new, **more}


def _prior(shape: float, scale: float, mean: Any, log_mean: Any) -> float:
    return float(((shape - 1) * log_mean - mean / scale - shape * math.log(scale) - gammaln(shape)).sum())


def _entropy(shape: Any, rate: Any) -> float:
    return float((shape - np.log(rate) + gammaln(shape) + (1 - shape) * digamma(shape)).sum())


def _gamma(mean: Any, log_mean: Any) -> tuple[float, float]:
    gap = math.log(mean.mean()) - log_mean.mean()
    shape = scipy.optimize.brentq(lambda g: math.log(g) - digamma(g) - gap, 1e-6, 1e6, xtol=1e-15)
    return shape, mean.mean() / shape


REFERENCES: dict[str, Any] = {"topics": topics, "blocks": blocks, "means": means, "rates": rates}


@pytest.mark.parametrize("name", NAMES)
def test_rounds_are_those_of_coordinate_ascent(name: str) -> None:
    module, point, reference = derived(name).solver(), STARTS[name], REFERENCES[name]
    values = []
    for _ in range(12):
        free, after = reference(point, **DATA[name])
        values.append(module.log_likelihood(point, **DATA[name]))
        assert values[-1] == pytest.approx(free, abs=1e-10 * (1 + abs(free)))
        found = module.em_step(point, **DATA[name])._asdict()
        for parameter, expected in after.items():
            np.testing.assert_allclose(found[parameter], expected, rtol=1e-9, atol=1e-10)
        point = after
    assert np.diff(values).min() > -1e-10


def test_the_free_energy_is_below_the_log_likelihood() -> None:
    """Of the rates ℓ by Gauss-Laguerre quadrature over u; w is integrated numerically."""
    data = {"y": np.array([[2], [0], [3]])}
    fit = (
        derived("rates")
        .solver()
        .em_step({**STARTS["rates"], "shape_u": [1, 1, 1.5], "rate_u": [1, 2, 2]}, **data)
    )
    p = fit._asdict()
    free = derived("rates").solver().log_likelihood(fit, **data)

    def density(v: float) -> float:
        r = 1 / p["b"]
        inside = gammaln(p["a"] + data["y"]) - gammaln(p["a"]) - gammaln(data["y"] + 1)
        inside = (
            inside + p["a"] * math.log(r) + data["y"] * math.log(v) - (p["a"] + data["y"]) * math.log(r + v)
        )
        return math.exp(inside.sum() + scipy.stats.gamma.logpdf(v, p["c"], scale=p["e"]))

    whole = math.log(scipy.integrate.quad(density, 0, 60)[0])
    assert whole - 0.5 < free < whole


def test_factors_are_told_as_posteriors() -> None:
    em = derived("topics")
    assert str(em.posterior[theta]) == "Dirichlet(alpha_theta[d, k])"
    assert em.posterior["z"].name == "Categorical"
    assert str(em.updates["alpha_theta"]) == "N_z[d, k] + alpha[k]"
    assert derived("means").posterior[mu].name == "Normal"


@pytest.mark.parametrize("name", NAMES)
def test_factors_are_certified(name: str) -> None:
    em = derived(name)
    of_factors = [each for each in em.derivation.updates if hasattr(each, "together")]
    proved = {
        each.parameter
        for each in em.derivation.certificates
        if all(c.status.value == "proved" for c in each.claims)
    }
    assert {each.parameter for each in of_factors} <= proved
    assert all("mean field" in each.approximation for each in em.derivation.certificates)


def test_it_is_said_to_be_an_approximation_everywhere() -> None:
    em = derived("blocks")
    assert em.approximation.startswith("This is an approximation, a mean field: q has a factor of its own")
    for text in (em.source(), em.markdown(), em.latex()):
        assert "mean field: q has a factor of its own" in " ".join(text.split())
    assert "F(θ) = " in em.source()
    assert r"\rho_{h}^{(t+1)} &= \frac{\sum_{j=1}^{m} \gamma_{qjh}^{(t)}}{m}" in em.markdown()
    fit = em.fit(**DATA["blocks"], start=STARTS["blocks"], max_iter=5000)
    assert "free energy" in fit.summary()
    assert "log-likelihood  " not in fit.summary()
    assert "gamma_q" not in fit.summary()
    assert math.isnan(fit.aic)
    assert math.isnan(fit.bic)
    assert fit.n_parameters == 1 + 2 + 6
    with pytest.raises(Exception, match="free energy, whose curvature is no information"):
        _ = fit.standard_errors


def test_data_of_any_size_are_drawn() -> None:
    """The factors of a fit are of its rows and columns alone."""
    drawn = derived("blocks").sample(STARTS["blocks"], n=4, m=3, seed=0, latents=True)
    assert drawn["x"].shape == (4, 3)
    assert drawn["q"].shape == (3,)


def test_random_starts_break_ties() -> None:
    table = np.kron([[0, 1, 1], [1, 0, 1]], np.ones((6, 5), dtype=int))
    fit = derived("blocks").fit(x=table, K=2, L=3, seed=0, n_init=3)
    assert sorted(np.argmax(fit.parameters.gamma_q, axis=1)[::5]) == [0, 1, 2]
    assert sorted(np.round(np.ravel(fit.parameters.B))) == [0, 0, 1, 1, 1, 1]


def test_a_refusal_tells_of_it_where_it_works() -> None:
    with pytest.raises(
        NotDerivedError, match=r'derive\(approximate="mean field"\) gives theta factors of a mean field'
    ):
        MODELS["topics"].derive(budget=math.inf)
    kinked = Model(
        {u[i]: Normal(0, a), q[j]: Normal(0, b), y[i, j]: Poisson(exp(u[i] + q[j]))}, latent=[u, q]
    )
    with pytest.raises(NotDerivedError) as refused:
        kinked.derive(budget=math.inf)
    assert "mean field" not in str(refused.value)
    with pytest.raises(
        NotDerivedError, match=r"No mean field was derived. The term -exp\(q\[j\] \+ u\[i\]\) cannot"
    ):
        kinked.derive(approximate="mean field", budget=math.inf)


def test_entries_that_are_coupled_have_no_factors() -> None:
    other = Idx("j", n)
    graph = Model({z[i]: Categorical(pi[k]), x[i, other]: Bernoulli(B[z[i], z[other]])}, latent=[z])
    with pytest.raises(
        NotDerivedError, match="coupled with each other, as the labels of the nodes of a graph are"
    ):
        graph.derive(approximate="mean field", budget=math.inf)


def test_documents_that_count_differently_have_no_factors() -> None:
    with pytest.raises(NotDerivedError, match="counts as often as its row does"):
        Model(TOPICS, latent=[theta, z], weights={d: q[d]}).derive(approximate="mean field", budget=math.inf)


@pytest.mark.slow
def test_a_chain_is_eliminated_beside_a_factor() -> None:
    """The rest may be anything that has an order: here forward and backward along labels."""
    A, first = IndexedBase("A"), {z[0]: Categorical(pi[k])}
    laws = {z[i]: Categorical(A[z[i - 1], k]), mu[k]: Normal(m0, tau), x[i]: Normal(mu[z[i]], s)}
    em = Model({**first, **laws}, latent=[z, mu]).derive(approximate="mean field", budget=math.inf)
    assert [type(each).__name__ for each in em.derivation.posteriors] == ["Chain"]
    assert em.posterior[mu].name == "Normal"
    assert verify(em).passed


def test_what_is_exact_stays_exact() -> None:
    mixture = Model({z[i]: Categorical(pi[k]), x[i]: Normal(mu[z[i]], s)}, latent=[z])
    assert mixture.derive(approximate="mean field", budget=math.inf).approximation == ""
    with pytest.raises(ModelError, match="'quadrature' or 'mean field'"):
        mixture.derive(approximate="field")


@pytest.mark.parametrize(
    "name", ["blocks", *(pytest.param(each, marks=pytest.mark.slow) for each in ("topics", "means", "rates"))]
)
def test_it_is_verified(name: str) -> None:
    ladder = verify(derived(name))
    assert ladder.passed
    assert "F ≤ ℓ" in ladder["V1"].identity
    assert ladder["V6"].passed is None
