"""Normal latents behind vectors: factors, principal components, effects of groups, weights of a regression."""

from __future__ import annotations

from sympy import Identity, Idx, IndexedBase, MatrixSymbol, Sum, ZeroMatrix, det, log, pi, sqrt, symbols

from symem import (
    Categorical,
    IndexedMatrix,
    IndexedVector,
    Model,
    MultivariateNormal,
    Normal,
    Positive,
    Reals,
    diag,
)
from tests.models.table import Row, declared_by, renamed

n, d, m, p, K, G, J = symbols("n d m p K G J", integer=True, positive=True)
i, k, g, j = Idx("i", n), Idx("k", K), Idx("g", G), Idx("j", J)
c, w = IndexedBase("c"), IndexedBase("w")
x, y, z = IndexedVector("x", d), IndexedVector("y", d), IndexedVector("z", m)
mu, W, psi = MatrixSymbol("mu", d, 1), MatrixSymbol("W", d, m), MatrixSymbol("psi", d, 1)
s2 = symbols("s2")
factors = {z[i]: MultivariateNormal(ZeroMatrix(m, 1), Identity(m))}


def one_factor() -> Model:
    """The factor a scalar, its loadings a vector."""
    score, L = IndexedBase("z"), MatrixSymbol("L", d, 1)
    return Model({score[i]: Normal(0, 1), y[i]: MultivariateNormal(score[i] * L, diag(psi))}, latent=[score])


def factor_analysis_by_likelihood() -> Model:
    noise = x[i] - mu - W * z[i]
    of_x = -(noise.T * diag(psi).I * noise) / 2 - log(det(diag(psi))) / 2 - d * log(2 * pi) / 2
    of_z = -(z[i].T * z[i]) / 2 - m * log(2 * pi) / 2
    return Model.from_likelihood(
        log_likelihood=Sum(of_x + of_z, i),
        latent={z: Reals()},
        parameters={mu: Reals(), W: Reals(), psi: Positive()},
    )


def principal_components() -> Model:
    return Model({**factors, y[i]: MultivariateNormal(W * z[i], s2 * Identity(d))}, latent=[z])


means, loadings = IndexedVector("mu", d), IndexedMatrix("W", d, m)
line = means[c[i]] + loadings[c[i]] * z[i]


def mixture_with_own_uniquenesses() -> Model:
    own = IndexedVector("psi", d)
    return Model(
        {c[i]: Categorical(w[k]), **factors, x[i]: MultivariateNormal(line, diag(own[c[i]]))}, latent=[c, z]
    )


def mixture_of_principal_components() -> Model:
    noise = IndexedBase("s2")[c[i]] * Identity(d)
    return Model({c[i]: Categorical(w[k]), **factors, x[i]: MultivariateNormal(line, noise)}, latent=[c, z])


def shared_factors() -> Model:
    q = symbols("q", integer=True, positive=True)
    other = IndexedVector("y", q)
    A, B = MatrixSymbol("A", d, m), MatrixSymbol("B", q, m)
    P, Q = MatrixSymbol("P", d, d), MatrixSymbol("Q", q, q)
    return Model(
        {**factors, x[i]: MultivariateNormal(A * z[i], P), other[i]: MultivariateNormal(B * z[i], Q)},
        latent=[z],
    )


def known_loading() -> Model:
    A, R = MatrixSymbol("A", d, m), MatrixSymbol("R", d, d)
    centre, V = MatrixSymbol("mu", m, 1), MatrixSymbol("V", m, m)
    return Model(
        {z[i]: MultivariateNormal(centre, V), x[i]: MultivariateNormal(A * z[i], R)},
        latent=[z],
        known=[A, R],
    )


b, be, D = IndexedVector("b", p), MatrixSymbol("be", p, 1), MatrixSymbol("D", p, p)
effects = {b[g]: MultivariateNormal(ZeroMatrix(p, 1), D)}


def random_slopes_by_entry() -> Model:
    """The responses as numbers y[g, j]."""
    X, response = IndexedVector("X", p), IndexedBase("y")
    return Model({**effects, response[g, j]: Normal(X[j].T * (be + b[g]), sqrt(s2))}, latent=[b], known=[X])


weight, X, response = MatrixSymbol("b", p, 1), MatrixSymbol("X", n, p), MatrixSymbol("y", n, 1)
alpha, beta = symbols("alpha beta")


def evidence_by_entry() -> Model:
    row, value = IndexedVector("X", p), IndexedBase("y")
    return Model(
        {
            weight: MultivariateNormal(ZeroMatrix(p, 1), precision=alpha * Identity(p)),
            value[i]: Normal(row[i].T * weight, 1 / sqrt(beta)),
        },
        latent=[weight],
        known=[row],
    )


def relevance() -> Model:
    each = MatrixSymbol("alpha", p, 1)
    return Model(
        {
            weight: MultivariateNormal(ZeroMatrix(p, 1), precision=diag(each)),
            response: MultivariateNormal(X * weight, Identity(n) / beta),
        },
        latent=[weight],
        known=[X],
    )


def noisy_line(noise: object, known: object) -> Model:
    xi, one, two = IndexedBase("xi"), IndexedBase("x"), IndexedBase("y")
    centre, t2, b0, b1 = symbols("m t2 b0 b1")
    return Model(
        {
            xi[i]: Normal(centre, sqrt(t2)),
            one[i]: Normal(xi[i], sqrt(noise)),
            two[i]: Normal(b0 + b1 * xi[i], sqrt(s2)),
        },
        latent=[xi],
        known=[known],
    )


def errors_of_known_ratio() -> Model:
    ratio = symbols("ratio")
    return noisy_line(ratio * s2, ratio)


def errors_of_known_size() -> Model:
    v = IndexedBase("v")
    return noisy_line(v[i], v)


ROWS: list[Row] = [
    Row("factor_analysis_vector", one_factor, of="factor_analysis"),
    Row("factor_analysis_mean", declared_by("factor_analysis"), example="factor_analysis"),
    Row("factor_analysis_likelihood", factor_analysis_by_likelihood, of="factor_analysis_mean"),
    Row("ppca", principal_components),
    Row("ppca_mean", declared_by("probabilistic_pca"), example="probabilistic_pca"),
    Row("mixture_fa", declared_by("mixture_of_factor_analysers"), example="mixture_of_factor_analysers"),
    Row("mixture_fa_own", mixture_with_own_uniquenesses),
    Row("mixture_ppca", mixture_of_principal_components),
    Row("canonical_correlation", shared_factors),
    Row("known_loading", known_loading),
    Row("lmm_random_slope", declared_by("random_slopes"), theta=renamed(be="beta"), example="random_slopes"),
    Row("lmm_random_slope_entries", random_slopes_by_entry, of="lmm_random_slope"),
    Row("evidence_linreg", declared_by("evidence_regression"), example="evidence_regression"),
    Row("evidence_linreg_entries", evidence_by_entry, of="evidence_linreg"),
    Row("ard_linreg", relevance),
    Row(
        "mix_linreg_vector",
        declared_by("mixture_of_regressions"),
        arrays=renamed(X="x"),
        theta=renamed(pi="w", b="beta"),
        of="mix_linreg",
        example="mixture_of_regressions",
    ),
    Row("errors_in_variables", errors_of_known_ratio),
    Row("errors_in_variables_known", errors_of_known_size),
]
