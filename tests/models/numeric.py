"""Models with a block that has no closed form: a number is found where an equation falls; else the outcome says so."""

from __future__ import annotations

from sympy import Idx, IndexedBase, Sum, exp, log, sqrt, symbols

from symem import (
    Bernoulli,
    Beta,
    Binomial,
    Cases,
    Categorical,
    Gamma,
    Labels,
    Model,
    Normal,
    Poisson,
    Positive,
    Simplex,
    VonMises,
)
from tests.models.mixtures import repeated
from tests.models.table import Row, renamed

n, K, p = symbols("n K p", integer=True, positive=True)
i, k, j = Idx("i", n), Idx("k", K), Idx("j", p)
x, y, z, u, w, X = map(IndexedBase, ["x", "y", "z", "u", "w", "X"])


def gamma_mixture() -> Model:
    a, b = IndexedBase("a"), IndexedBase("b")
    return Model({z[i]: Categorical(w[k]), y[i]: Gamma(a[z[i]], 1 / b[z[i]])}, latent=[z])


def student_t() -> Model:
    mu, s2, nu = symbols("mu s2 nu")
    return Model({u[i]: Gamma(nu / 2, 2 / nu), y[i]: Normal(mu, sqrt(s2 / u[i]))}, latent=[u])


def negative_binomial() -> Model:
    r, b = symbols("r b")
    return Model({u[i]: Gamma(r, 1 / b), x[i]: Poisson(u[i])}, latent=[u])


def von_mises_mixture() -> Model:
    mu, kappa = IndexedBase("mu"), IndexedBase("kappa")
    return Model({z[i]: Categorical(w[k]), y[i]: VonMises(mu[z[i]], kappa[z[i]])}, latent=[z])


def mixture_of_experts() -> Model:
    v, b, s2 = map(IndexedBase, ["v", "b", "s2"])
    gate = 1 / (1 + exp(-Sum(X[i, j] * v[j], j)))
    experts = {1 - c: Normal(Sum(X[i, j] * b[c, j], j), sqrt(s2[c])) for c in (0, 1)}
    return Model({z[i]: Bernoulli(gate), y[i]: Cases(z[i], experts)}, latent=[z], known=[X])


def common_mean() -> Model:
    mu, s2 = symbols("mu"), IndexedBase("s2")
    return Model({z[i]: Categorical(w[k]), y[i]: Normal(mu, sqrt(s2[z[i]]))}, latent=[z])


def beta_binomial() -> Model:
    q = IndexedBase("q")
    a, b, N = symbols("a b N")
    return Model({q[i]: Beta(a, b), x[i]: Binomial(N, q[i])}, latent=[q], known=[N])


def weibull_mixture() -> Model:
    lam, shape = IndexedBase("lam"), IndexedBase("k")
    log_density = (
        log(lam[z[i]]) + log(shape[z[i]]) + (shape[z[i]] - 1) * log(y[i]) - lam[z[i]] * y[i] ** shape[z[i]]
    )
    return Model.from_likelihood(
        log_likelihood=Sum(log(w[z[i]]) + log_density, i),
        latent={z: Labels(K)},
        parameters={w: Simplex(), lam: Positive(), shape: Positive()},
    )


weights = renamed(pi="w")

ROWS = [
    Row("gamma_mixture", gamma_mixture, theta=weights),
    Row("student_t_unknown_nu", student_t),
    Row("negbin_gamma_poisson", negative_binomial, arrays=repeated),
    Row("vonmises_mixture", von_mises_mixture, theta=weights),
    Row("mix_experts", mixture_of_experts, climbed=("v",)),
    Row("common_mean_ecm", common_mean, theta=weights, conditional=("mu",)),
    Row("betabinom_latent_beta", beta_binomial, arrays=repeated),
    Row("weibull_mixture", weibull_mixture, theta=weights, climbed=("k", "lam")),
]
