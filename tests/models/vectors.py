"""Mixtures, scale mixtures and missing entries of vectors."""

from __future__ import annotations

import numpy as np
from sympy import Identity, Idx, IndexedBase, MatrixSymbol, Sum, ZeroMatrix, det, log, pi, symbols

from symem import (
    Bernoulli,
    Cases,
    Categorical,
    Dirichlet,
    Gamma,
    IndexedMatrix,
    IndexedVector,
    InverseWishart,
    Labels,
    Model,
    MultivariateNormal,
    PositiveDefinite,
    Reals,
    Simplex,
    diag,
)
from tests.answers import Values
from tests.models.table import Row, declared_by, renamed

n, d, K = symbols("n d K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
z, w, u, s2 = map(IndexedBase, ["z", "w", "u", "s2"])
x, y, mu = IndexedVector("x", d), IndexedVector("y", d), IndexedVector("mu", d)
S, Sigma = IndexedMatrix("S", d, d), IndexedMatrix("Sigma", d, d)
mean, covariance = MatrixSymbol("mu", d, 1), MatrixSymbol("Sigma", d, d)
one_of_k = {z[i]: Categorical(w[k])}


def full_mixture_by_likelihood() -> Model:
    off = y[i] - mu[z[i]]
    log_density = -(off.T * S[z[i]].I * off) / 2 - log(det(S[z[i]])) / 2 - d * log(2 * pi) / 2
    return Model.from_likelihood(
        log_likelihood=Sum(log(w[z[i]]) + log_density, i),
        latent={z: Labels(K)},
        parameters={w: Simplex(), mu: Reals(), S: PositiveDefinite()},
    )


def full_mixture_by_precision() -> Model:
    return Model({**one_of_k, y[i]: MultivariateNormal(mu[z[i]], precision=S[z[i]])}, latent=[z])


def tied_mixture() -> Model:
    tied = MatrixSymbol("S", d, d)
    return Model({**one_of_k, y[i]: MultivariateNormal(mu[z[i]], tied)}, latent=[z])


def diagonal_mixture() -> Model:
    v = IndexedVector("v", d)
    return Model({**one_of_k, y[i]: MultivariateNormal(mu[z[i]], diag(v[z[i]]))}, latent=[z])


def spherical_mixture() -> Model:
    return Model({**one_of_k, y[i]: MultivariateNormal(mu[z[i]], s2[z[i]] * Identity(d))}, latent=[z])


def shared_diagonal_mixture() -> Model:
    v = MatrixSymbol("v", d, 1)
    return Model({**one_of_k, x[i]: MultivariateNormal(mu[z[i]], diag(v))}, latent=[z])


def shared_spherical_mixture() -> Model:
    variance = symbols("s2")
    return Model({**one_of_k, x[i]: MultivariateNormal(mu[z[i]], variance * Identity(d))}, latent=[z])


def mixture_with_priors() -> Model:
    c, kappa, nu = symbols("c kappa nu")
    m0, Psi = MatrixSymbol("m0", d, 1), MatrixSymbol("Psi", d, d)
    return Model(
        {**one_of_k, x[i]: MultivariateNormal(mu[z[i]], Sigma[z[i]])},
        latent=[z],
        prior={
            w: Dirichlet(c),
            mu[k]: MultivariateNormal(m0, Sigma[k] / kappa),
            Sigma[k]: InverseWishart(nu, Psi),
        },
    )


def mixture_of_t() -> Model:
    nu = symbols("nu")
    return Model(
        {
            **one_of_k,
            u[i]: Gamma(nu / 2, 2 / nu),
            x[i]: MultivariateNormal(mu[z[i]], Sigma[z[i]] / u[i]),
        },
        latent=[z, u],
        known=[nu],
    )


def contaminated_vectors() -> Model:
    eps, c = symbols("eps c")
    branches = {scale: MultivariateNormal(mean, covariance * c**scale) for scale in (0, 1)}
    return Model({z[i]: Bernoulli(eps), x[i]: Cases(z[i], branches)}, latent=[z], known=[c])


def common_mean_vectors() -> Model:
    return Model({**one_of_k, x[i]: MultivariateNormal(mean, Sigma[z[i]])}, latent=[z])


def murray() -> Model:
    centred = MatrixSymbol("S", d, d)
    return Model({y[i]: MultivariateNormal(ZeroMatrix(d, 1), centred)}, missing=[y])


def mixture_with_gaps() -> Model:
    return Model({**one_of_k, x[i]: MultivariateNormal(mu[z[i]], Sigma[z[i]])}, latent=[z], missing=[x])


def multivariate_regression() -> Model:
    q, p = symbols("q p", integer=True, positive=True)
    response, given = IndexedVector("y", q), IndexedVector("x", p)
    B, spread = MatrixSymbol("B", q, p), MatrixSymbol("Sigma", q, q)
    return Model({response[i]: MultivariateNormal(B * given[i], spread)}, missing=[response], known=[given])


def seemingly_unrelated() -> Model:
    q, p = symbols("q p", integer=True, positive=True)
    response, design = IndexedVector("y", q), IndexedMatrix("X", q, p)
    b, spread = MatrixSymbol("b", p, 1), MatrixSymbol("Sigma", q, q)
    return Model({response[i]: MultivariateNormal(design[i] * b, spread)}, missing=[response], known=[design])


weights = renamed(pi="w")


def precisions(theta: Values) -> Values:
    """Covariances as their inverses."""
    return {**weights(theta), "S": np.linalg.inv(theta["S"])}


ROWS: list[Row] = [
    Row(
        "gmm_mv_full",
        declared_by("gaussian_mixture_full"),
        arrays=renamed(y="x"),
        theta=renamed(pi="w", S="Sigma"),
        example="gaussian_mixture_full",
    ),
    Row("gmm_mv_full_likelihood", full_mixture_by_likelihood, theta=weights, of="gmm_mv_full"),
    Row("gmm_mv_full_precision", full_mixture_by_precision, theta=precisions, of="gmm_mv_full"),
    Row("gmm_mv_tied", tied_mixture, theta=weights),
    Row("gmm_mv_diag_vector", diagonal_mixture, theta=weights, of="gmm_mv_diag"),
    Row("gmm_mv_spherical_vector", spherical_mixture, theta=weights, of="gmm_mv_spherical"),
    Row("gmm_mv_diag_shared", shared_diagonal_mixture),
    Row("gmm_mv_spherical_shared", shared_spherical_mixture),
    Row("gmm_mv_map", mixture_with_priors, prior=True),
    Row(
        "mvt_known_nu",
        declared_by("multivariate_t"),
        arrays=renamed(y="x"),
        theta=renamed(S="Sigma"),
        example="multivariate_t",
    ),
    Row("t_mixture", mixture_of_t),
    Row("contaminated_vector", contaminated_vectors),
    Row("common_mean_vector", common_mean_vectors, conditional=("mu",)),
    Row("mvn_missing_murray", murray),
    Row("mvn_missing", declared_by("missing_normal"), example="missing_normal"),
    Row("gmm_missing", mixture_with_gaps),
    Row("multivariate_regression", multivariate_regression),
    # the design stands between b and Sigma in every row: no statistic free of both, so no conditional maximiser
    Row("seemingly_unrelated", seemingly_unrelated, blocked=("b", "Sigma")),
]
