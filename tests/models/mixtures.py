"""Finite mixtures: one label a row of data."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betaln, gammaln
from sympy import Idx, IndexedBase, Sum, exp, sqrt, symbols

from symem import (
    Bernoulli,
    Beta,
    Binomial,
    Categorical,
    Dirichlet,
    Exponential,
    Gamma,
    LogNormal,
    Model,
    Multinomial,
    Normal,
    Poisson,
)
from tests.answers import Values
from tests.models.table import Row, declared_by, renamed, responsibility

n, K, J, V = symbols("n K J V", integer=True, positive=True)
i, k, j, v = Idx("i", n), Idx("k", K), Idx("j", J), Idx("v", V)
x, y, z, w, mu, s2, lam, th = map(IndexedBase, ["x", "y", "z", "w", "mu", "s2", "lam", "th"])
a, b, c, N = symbols("a b c N")


def log_choose(total: Any, part: Any) -> float:
    return float(np.sum(gammaln(total + 1) - gammaln(part + 1) - gammaln(total - part + 1)))


def repeated(data: Values) -> Values:
    """Values x with frequencies n, as one row an observation."""
    rest = {name: value for name, value in data.items() if name not in ("x", "n")}
    return {"x": np.repeat(data["x"], data["n"], axis=0), **rest}


def with_deviations(theta: Values) -> Values:
    """Weights pi are w, variances s2 are squares of sigma."""
    rest = {name: value for name, value in theta.items() if name not in ("pi", "s2")}
    return {"w": theta["pi"], **rest, "sigma": np.sqrt(theta["s2"])}


def r(density: Any) -> Any:
    return responsibility(density, k, K)


def exponential_mixture() -> Model:
    return Model({z[i]: Categorical(w[k]), y[i]: Exponential(lam[z[i]])}, latent=[z])


def exponential_textbook() -> dict[Any, Any]:
    weight = r(w[k] * lam[k] * exp(-lam[k] * y[i]))
    return {w[k]: Sum(weight, i) / n, lam[k]: Sum(weight, i) / Sum(weight * y[i], i)}


def normal_mixture() -> Model:
    return Model({z[i]: Categorical(w[k]), y[i]: Normal(mu[z[i]], sqrt(s2[z[i]]))}, latent=[z])


def normal_textbook() -> dict[Any, Any]:
    weight = r(w[k] * exp(-((y[i] - mu[k]) ** 2) / (2 * s2[k])) / sqrt(s2[k]))
    total = Sum(weight, i)
    mean = Sum(weight * y[i], i) / total
    return {w[k]: total / n, mu[k]: mean, s2[k]: Sum(weight * (y[i] - mean) ** 2, i) / total}


def lognormal_mixture() -> Model:
    return Model({z[i]: Categorical(w[k]), y[i]: LogNormal(mu[z[i]], sqrt(s2[z[i]]))}, latent=[z])


def partly_labelled_mixture() -> Model:
    return Model({z[i]: Categorical(w[k]), y[i]: Normal(mu[z[i]], sqrt(s2[z[i]]))}, missing=[z])


def multinomial_mixture() -> Model:
    total = IndexedBase("N")
    return Model(
        {z[i]: Categorical(w[k]), x[i, v]: Multinomial(total[i], th[z[i], v])}, latent=[z], known=[total]
    )


def binomial_map() -> Model:
    return Model(
        {z[i]: Categorical(w[k]), x[i]: Binomial(N, th[z[i]])},
        latent=[z],
        known=[N, a, b, c],
        prior={w: Dirichlet(c), th: Beta(a, b)},
    )


def poisson_map() -> Model:
    return Model(
        {z[i]: Categorical(w[k]), x[i]: Poisson(lam[z[i]])},
        latent=[z],
        known=[a, b, c],
        prior={w: Dirichlet(c), lam: Gamma(a, 1 / b)},
    )


def diagonal_mixture() -> Model:
    variance = IndexedBase("v")
    return Model({z[i]: Categorical(w[k]), y[i, j]: Normal(mu[z[i], j], sqrt(variance[z[i], j]))}, latent=[z])


def spherical_mixture() -> Model:
    return Model({z[i]: Categorical(w[k]), y[i, j]: Normal(mu[z[i], j], sqrt(s2[z[i]]))}, latent=[z])


def regression_mixture() -> Model:
    X, slope = IndexedBase("X"), IndexedBase("b")
    line = Sum(X[i, j] * slope[z[i], j], j)
    return Model({z[i]: Categorical(w[k]), y[i]: Normal(line, sqrt(s2[z[i]]))}, latent=[z], known=[X])


def factorial_mixture() -> Model:
    z1, z2, c0, c1, c2 = map(IndexedBase, ["z1", "z2", "c0", "c1", "c2"])
    p1, p2, variance = symbols("p1 p2 s2")
    return Model(
        {
            z1[i]: Bernoulli(p1),
            z2[i]: Bernoulli(p2),
            y[i, j]: Normal(c0[j] + z1[i] * c1[j] + z2[i] * c2[j], sqrt(variance)),
        },
        latent=[z1, z2],
    )


def factorial_theta(theta: Values) -> Values:
    (p1, p2), (c0, c1, c2) = theta["p"], theta["W"]
    return {"p1": p1, "p2": p2, "c0": c0, "c1": c1, "c2": c2, "s2": theta["s2"]}


def dirichlet_constant(size: int, concentration: float) -> float:
    return float(gammaln(size * concentration) - size * gammaln(concentration))


def binomial_prior_constant(data: Values) -> float:
    return dirichlet_constant(2, data["c"]) - 2 * float(betaln(data["a"], data["b"]))


def poisson_prior_constant(data: Values) -> float:
    normaliser = data["a"] * np.log(data["b"]) - gammaln(data["a"])
    return dirichlet_constant(2, data["c"]) + 2 * float(normaliser)


weights = renamed(pi="w")

ROWS = [
    Row(
        "coin_do_batzoglou",
        declared_by("two_coins"),
        constant=lambda data: log_choose(data["N"], data["x"]),
        example="two_coins",
    ),
    Row("coins_weight", declared_by("two_coins_weight"), example="two_coins_weight"),
    Row("coin_mixing_weight", declared_by("two_coins_tosses"), theta=weights, example="two_coins_tosses"),
    Row("bernoulli_singh", declared_by("singh"), theta=renamed(pi="w"), example="singh"),
    Row("singh_map", declared_by("singh_map"), example="singh_map", prior=True),
    Row("gaussian_pair", declared_by("gaussian_pair"), example="gaussian_pair"),
    Row(
        "gmm1d_known_var",
        declared_by("gaussian_known"),
        arrays=lambda data: {"x": data["y"], "sigma": np.sqrt(data["s2"])},
        theta=weights,
        example="gaussian_known",
    ),
    Row(
        "gmm1d_shared_var",
        declared_by("gaussian_shared"),
        arrays=renamed(y="x"),
        theta=with_deviations,
        example="gaussian_shared",
    ),
    Row(
        "gmm1d_faithful",
        declared_by("old_faithful"),
        arrays=renamed(y="x"),
        theta=with_deviations,
        example="old_faithful",
    ),
    Row("gmm1d_own_var", normal_mixture, theta=weights, textbook=normal_textbook),
    Row("exp_mixture", exponential_mixture, theta=weights, textbook=exponential_textbook),
    Row(
        "poisson_mixture_hasselblad",
        declared_by("london_times"),
        arrays=repeated,
        theta=weights,
        example="london_times",
    ),
    Row("lognormal_mixture", lognormal_mixture, theta=weights),
    Row("semisup_gmm", partly_labelled_mixture, arrays=renamed(lab="z"), theta=weights),
    Row(
        "multinomial_mixture",
        multinomial_mixture,
        arrays=lambda data: {"x": data["n"], "N": data["n"].sum(1)},
        theta=weights,
    ),
    Row(
        "lca_stouffer_toby",
        declared_by("latent_classes"),
        arrays=repeated,
        theta=weights,
        example="latent_classes",
    ),
    Row("map_beta_coins", binomial_map, theta=weights, constant=binomial_prior_constant, prior=True),
    Row(
        "map_gamma_poisson",
        poisson_map,
        arrays=repeated,
        theta=weights,
        constant=poisson_prior_constant,
        prior=True,
    ),
    Row("zip", declared_by("zero_inflated"), arrays=repeated, example="zero_inflated"),
    Row("contaminated_normal", declared_by("contaminated"), example="contaminated"),
    Row("gmm_mv_diag", diagonal_mixture, theta=weights),
    Row("gmm_mv_spherical", spherical_mixture, theta=weights),
    Row("mix_linreg", regression_mixture, theta=weights),
    Row("factorial_mixture", factorial_mixture, theta=factorial_theta),
]
