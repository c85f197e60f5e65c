"""Trials with Normal latents behind vectors: factors and effects that the table of models does not hold."""

from __future__ import annotations

import numpy as np
import scipy
from sympy import Identity, IndexedBase, MatrixSymbol, Rational, ZeroMatrix, sqrt, symbols

from symem import Gamma, IndexedMatrix, IndexedVector, InverseWishart, Model, MultivariateNormal, Normal, diag
from tests.trials import WEIGHTS, Trial, Values, g, i, j, mixed, n, pos, real, simplex, trial, u
from tests.trials.vectors import (
    CENTRES,
    EYE,
    FACTORS,
    LABEL,
    LOADINGS,
    SPREADS,
    J,
    Sigma,
    W,
    d,
    f,
    gauss,
    m,
    mu,
    nu,
    p,
    psi,
    rows,
    s2,
    spd,
    t2,
    x,
)


@trial
def groups_with_their_means() -> Trial:
    """Means of groups drawn about a common mean with a multiple of the covariance within."""
    c, kappa, members = IndexedVector("c", d), symbols("kappa"), IndexedVector("x", d)
    model = Model(
        {c[g]: MultivariateNormal(mu, Sigma / kappa), members[g, j]: MultivariateNormal(c[g], Sigma)},
        latent=[c],
        known=[kappa],
    )

    def value(theta: Values, data: Values) -> float:
        groups, size, width = data["x"].shape
        between = np.eye(size) + 1 / data["kappa"]
        centre = np.tile(theta["mu"], size)
        wide = data["x"].reshape(groups, size * width)
        return float(gauss(wide, centre, np.kron(between, theta["Sigma"])).sum())

    theta = {"mu": CENTRES[0], "Sigma": SPREADS[0]}
    return Trial(model, {"x": rows(41, 4, 3, 3), "kappa": 0.5}, theta, real("mu") | spd("Sigma"), value)


@trial
def vectors_of_groups() -> Trial:
    """A vector of effects for each group, alike in all directions."""
    a = IndexedVector("a", d)
    model = Model(
        {
            a[g]: MultivariateNormal(mu, t2 * Identity(d)),
            x[g, j]: MultivariateNormal(a[g], s2 * Identity(d)),
        },
        latent=[a],
    )

    def value(theta: Values, data: Values) -> float:
        size = data["x"].shape[1]
        covariance = theta["s2"] * np.eye(size) + theta["t2"]
        columns = np.moveaxis(data["x"] - theta["mu"], 1, 2).reshape(-1, size)
        return float(gauss(columns, 0.0, covariance).sum())

    theta = {"mu": CENTRES[0], "t2": 0.7, "s2": 1.2}
    return Trial(model, {"x": rows(42, 4, 3, 3)}, theta, real("mu") | pos("t2", "s2"), value)


@trial
def factors_behind_factors() -> Trial:
    """A factor, a vector that leans on it, and a known map of that vector with noise."""
    middle, H, A = IndexedVector("v", p), MatrixSymbol("H", d, p), MatrixSymbol("A", p, m)
    model = Model(
        {
            f[i]: FACTORS,
            middle[i]: MultivariateNormal(A * f[i], s2 * Identity(p)),
            x[i]: MultivariateNormal(H * middle[i], diag(psi)),
        },
        latent=[f, middle],
        known=[H],
    )

    def value(theta: Values, data: Values) -> float:
        inner = theta["A"] @ theta["A"].T + theta["s2"] * np.eye(2)
        covariance = data["H"] @ inner @ data["H"].T + np.diag(theta["psi"])
        return float(gauss(data["x"], 0.0, covariance).sum())

    theta = {"A": np.array([[1.0], [0.5]]), "s2": 0.6, "psi": np.array([0.5, 1.0, 0.8])}
    data = {"x": rows(43, 9, 3), "H": LOADINGS}
    return Trial(model, data, theta, real("A") | pos("s2", "psi"), value)


@trial
def known_loadings_full_noise() -> Trial:
    H, R = MatrixSymbol("H", d, m), MatrixSymbol("R", d, d)
    model = Model({f[i]: FACTORS, x[i]: MultivariateNormal(mu + H * f[i], R)}, latent=[f], known=[H])

    def value(theta: Values, data: Values) -> float:
        return float(gauss(data["x"], theta["mu"], data["H"] @ data["H"].T + theta["R"]).sum())

    theta = {"mu": CENTRES[1], "R": SPREADS[0]}
    return Trial(model, {"x": rows(44, 9, 3), "H": LOADINGS}, theta, real("mu") | spd("R"), value)


@trial
def design_of_each_group() -> Trial:
    """Fixed and random effects whose designs differ from group to group."""
    X, Z = IndexedMatrix("X", J, p), IndexedMatrix("Z", J, m)
    b, beta, D = IndexedVector("b", m), MatrixSymbol("beta", p, 1), MatrixSymbol("D", m, m)
    group = IndexedVector("y", J)
    model = Model(
        {
            b[g]: MultivariateNormal(ZeroMatrix(m, 1), D),
            group[g]: MultivariateNormal(X[g] * beta + Z[g] * b[g], s2 * Identity(J)),
        },
        latent=[b],
        known=[X, Z],
    )

    def value(theta: Values, data: Values) -> float:
        total = 0.0
        for X, Z, y in zip(data["X"], data["Z"], data["y"], strict=True):
            covariance = Z @ theta["D"] @ Z.T + theta["s2"] * np.eye(len(y))
            total += gauss(y, X @ theta["beta"], covariance).sum()
        return total

    data = {"X": rows(47, 5, 4, 2), "Z": rows(48, 5, 4, 2), "y": rows(49, 5, 4)}
    theta = {"beta": np.array([0.5, -1.0]), "D": np.array([[1.0, 0.2], [0.2, 0.5]]), "s2": 0.8}
    return Trial(model, data, theta, real("beta") | spd("D") | pos("s2"), value)


@trial
def vector_and_number() -> Trial:
    """A vector and a number that share a scalar factor."""
    score, L, other = IndexedBase("score"), MatrixSymbol("L", d, 1), IndexedBase("y")
    a, b, v = symbols("a b v")
    model = Model(
        {
            score[i]: Normal(0, 1),
            x[i]: MultivariateNormal(score[i] * L, diag(psi)),
            other[i]: Normal(a + b * score[i], v ** Rational(1, 2)),
        },
        latent=[score],
    )

    def value(theta: Values, data: Values) -> float:
        slope = np.append(theta["L"], theta["b"])
        covariance = np.outer(slope, slope) + np.diag(np.append(theta["psi"], theta["v"]))
        both = np.column_stack([data["x"], data["y"]])
        return float(gauss(both, np.append(np.zeros(3), theta["a"]), covariance).sum())

    theta = {"L": LOADINGS[:, 0], "psi": np.array([0.5, 1.0, 0.8]), "a": 0.2, "b": 0.7, "v": 0.6}
    data = {"x": rows(52, 10, 3), "y": rows(53, 10)}
    return Trial(model, data, theta, real("L", "a", "b") | pos("psi", "v"), value)


@trial
def factors_beside_covariates() -> Trial:
    """Slopes on known covariates and loadings on factors, one coupled block."""
    t, B = IndexedVector("t", p), MatrixSymbol("B", d, p)
    law = MultivariateNormal(B * t[i] + W * f[i], s2 * Identity(d))
    model = Model({f[i]: FACTORS, x[i]: law}, latent=[f], known=[t])

    def value(theta: Values, data: Values) -> float:
        covariance = theta["W"] @ theta["W"].T + theta["s2"] * EYE
        return float(gauss(data["x"], data["t"] @ theta["B"].T, covariance).sum())

    theta = {"B": LOADINGS[::-1].copy(), "W": LOADINGS, "s2": 0.8}
    data = {"x": rows(54, 10, 3), "t": rows(55, 10, 2)}
    return Trial(model, data, theta, real("B", "W") | pos("s2"), value)


@trial
def uniqueness_with_prior() -> Trial:
    """Full noise behind factors, with an inverse Wishart prior."""
    S0, nu0 = MatrixSymbol("S0", d, d), symbols("nu0")
    model = Model(
        {f[i]: FACTORS, x[i]: MultivariateNormal(W * f[i], Sigma)},
        latent=[f],
        prior={Sigma: InverseWishart(nu0, S0)},
    )

    def value(theta: Values, data: Values) -> float:
        covariance = theta["W"] @ theta["W"].T + theta["Sigma"]
        prior = scipy.stats.invwishart.logpdf(theta["Sigma"], data["nu0"], data["S0"])
        return float(gauss(data["x"], 0.0, covariance).sum() + prior)

    data = {"x": rows(57, 10, 3), "nu0": 5.0, "S0": SPREADS[1]}
    return Trial(model, data, {"W": LOADINGS, "Sigma": SPREADS[0]}, real("W") | spd("Sigma"), value)


@trial
def weights_about_a_mean() -> Trial:
    """Regression weights drawn about an unknown mean for several tasks with one design."""
    X, b, task = MatrixSymbol("X", n, p), IndexedVector("b", p), IndexedVector("y", n)
    centre, D = MatrixSymbol("mu", p, 1), MatrixSymbol("D", p, p)
    model = Model(
        {b[g]: MultivariateNormal(centre, D), task[g]: MultivariateNormal(X * b[g], s2 * Identity(n))},
        latent=[b],
        known=[X],
    )

    def value(theta: Values, data: Values) -> float:
        X = data["X"]
        covariance = X @ theta["D"] @ X.T + theta["s2"] * np.eye(len(X))
        return float(gauss(data["y"], X @ theta["mu"], covariance).sum())

    theta = {"mu": np.array([0.5, -1.0]), "D": np.array([[1.0, 0.2], [0.2, 0.5]]), "s2": 0.8}
    data = {"X": rows(63, 5, 2), "y": rows(64, 6, 5)}
    return Trial(model, data, theta, real("mu") | spd("D") | pos("s2"), value)


@trial
def factors_with_heavy_tails() -> Trial:
    """Factor analysis of a multivariate t: one Gamma scale for factors and noise (McLachlan et al. 2007)."""
    model = Model(
        {
            u[i]: Gamma(nu / 2, 2 / nu),
            f[i]: MultivariateNormal(ZeroMatrix(m, 1), Identity(m) / u[i]),
            x[i]: MultivariateNormal(mu + W * f[i], diag(psi) / u[i]),
        },
        latent=[u, f],
        known=[nu],
    )

    def value(theta: Values, data: Values) -> float:
        scatter = theta["W"] @ theta["W"].T + np.diag(theta["psi"])
        return float(scipy.stats.multivariate_t.logpdf(data["x"], theta["mu"], scatter, df=data["nu"]).sum())

    theta = {"mu": CENTRES[0], "W": LOADINGS, "psi": np.array([0.5, 1.0, 0.8])}
    data = {"x": rows(66, 10, 3), "nu": 4.0}
    return Trial(model, data, theta, real("mu", "W") | pos("psi"), value)


@trial
def common_effect_of_a_row() -> Trial:
    """Compound symmetry: a number added to all entries of a row."""
    shift, one = IndexedBase("shift"), MatrixSymbol("one", d, 1)
    model = Model(
        {shift[i]: Normal(0, sqrt(t2)), x[i]: MultivariateNormal(mu + shift[i] * one, s2 * Identity(d))},
        latent=[shift],
        known=[one],
    )

    def value(theta: Values, data: Values) -> float:
        return float(gauss(data["x"], theta["mu"], theta["s2"] * EYE + theta["t2"]).sum())

    theta = {"mu": CENTRES[0], "t2": 0.6, "s2": 0.9}
    return Trial(model, {"x": rows(77, 9, 3), "one": np.ones(3)}, theta, real("mu") | pos("t2", "s2"), value)


@trial
def regression_with_a_known_prior() -> Trial:
    X, y, b, A = (
        MatrixSymbol("X", n, p),
        MatrixSymbol("y", n, 1),
        MatrixSymbol("b", p, 1),
        MatrixSymbol("A", p, p),
    )
    beta = symbols("beta")
    model = Model(
        {b: MultivariateNormal(ZeroMatrix(p, 1), A), y: MultivariateNormal(X * b, Identity(n) / beta)},
        latent=[b],
        known=[X, A],
    )

    def value(theta: Values, data: Values) -> float:
        X = data["X"]
        covariance = X @ data["A"] @ X.T + np.eye(len(X)) / theta["beta"]
        return float(gauss(data["y"], 0.0, covariance).sum())

    data = {"X": rows(75, 8, 2), "y": rows(76, 8), "A": np.array([[1.0, 0.3], [0.3, 0.5]])}
    return Trial(model, data, {"beta": 1.3}, pos("beta"), value)


@trial
def groups_of_a_hidden_kind() -> Trial:
    """Random effects about a line that goes with a label of the group."""
    X, group, kind = MatrixSymbol("X", J, p), IndexedVector("y", J), IndexedBase("c")
    b, beta, D = IndexedVector("b", p), IndexedVector("beta", p), MatrixSymbol("D", p, p)
    line = X * beta[kind[g]] + X * b[g]
    model = Model(
        {
            kind[g]: LABEL,
            b[g]: MultivariateNormal(ZeroMatrix(p, 1), D),
            group[g]: MultivariateNormal(line, s2 * Identity(J)),
        },
        latent=[kind, b],
        known=[X],
    )

    def value(theta: Values, data: Values) -> float:
        X = data["X"]
        covariance = X @ theta["D"] @ X.T + theta["s2"] * np.eye(len(X))
        return mixed(theta["w"], np.stack([gauss(data["y"], X @ b, covariance) for b in theta["beta"]], 1))

    lines = np.array([[0.5, -1.0], [-0.5, 1.0]])
    theta = {"w": WEIGHTS, "beta": lines, "D": np.array([[1.0, 0.2], [0.2, 0.5]]), "s2": 0.8}
    kinds = simplex("w") | real("beta") | spd("D") | pos("s2")
    return Trial(model, {"X": rows(80, 4, 2), "y": rows(81, 7, 4)}, theta, kinds, value)
