"""Trials with vectors and matrices that the table of models does not hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from sympy import Identity, IndexedBase, MatrixSymbol, ZeroMatrix, symbols

from symem import (
    Bernoulli,
    Categorical,
    Gamma,
    IndexedMatrix,
    IndexedVector,
    Model,
    MultivariateNormal,
    Wishart,
    diag,
)
from tests.trials import (
    WEIGHTS,
    Trial,
    Values,
    i,
    k,
    mixed,
    pos,
    real,
    simplex,
    trial,
    u,
    w,
    z,
)

d, m, p, J = symbols("d m p J", integer=True, positive=True)
x, y, f = IndexedVector("x", d), IndexedVector("y", d), IndexedVector("f", m)
mu, mus = MatrixSymbol("mu", d, 1), IndexedVector("mu", d)
Sigma, Sigmas = MatrixSymbol("Sigma", d, d), IndexedMatrix("Sigma", d, d)
W, psi = MatrixSymbol("W", d, m), MatrixSymbol("psi", d, 1)
LABEL, FACTORS = Categorical(w[k]), MultivariateNormal(ZeroMatrix(m, 1), Identity(m))
s2, t2, nu = symbols("s2 t2 nu")

EYE = np.eye(3)
CENTRES = np.array([[0.0, 1.0, -1.0], [1.0, -0.5, 0.5]])
LOADINGS = np.array([[1.0, 0.2], [-0.5, 0.8], [0.3, -0.6]])
SPREADS = np.array(
    [
        [[1.0, 0.3, 0.0], [0.3, 0.8, -0.2], [0.0, -0.2, 1.5]],
        [[2.0, -0.4, 0.3], [-0.4, 1.0, 0.1], [0.3, 0.1, 0.6]],
    ]
)


def spd(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "spd")


def rows(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).normal(0, 1.5, shape)


def gauss(value: Any, mean: Any, covariance: Any) -> Any:
    """The log-density at each row."""
    return np.atleast_1d(
        scipy.stats.multivariate_normal.logpdf(value - mean, np.zeros(len(covariance)), covariance)
    )


def seen(value: Any, mean: Any, covariance: Any) -> float:
    """The log-density of the entries that are not NaN."""
    total = 0.0
    for row, centre in zip(value, np.broadcast_to(mean, value.shape), strict=True):
        there = ~np.isnan(row)
        total += gauss(row[there], centre[there], covariance[np.ix_(there, there)]).sum()
    return total


def gaps(seed: int, *shape: int) -> Any:
    """Rows with about a quarter of their entries missing, none with all."""
    value, absent = rows(seed, *shape), np.random.default_rng(seed + 100).random(shape) < 0.25
    return np.where(absent & ~absent.all(axis=1, keepdims=True), np.nan, value)


@trial
def one_set_of_loadings_in_a_mixture() -> Trial:
    model = Model(
        {z[i]: LABEL, f[i]: FACTORS, x[i]: MultivariateNormal(mus[z[i]] + W * f[i], diag(psi))},
        latent=[z, f],
    )

    def value(theta: Values, data: Values) -> float:
        covariance = theta["W"] @ theta["W"].T + np.diag(theta["psi"])
        parts = [gauss(data["x"], centre, covariance) for centre in theta["mu"]]
        return mixed(theta["w"], np.stack(parts, 1))

    theta = {"w": WEIGHTS, "mu": CENTRES, "W": LOADINGS, "psi": np.array([0.5, 1.0, 0.8])}
    kinds = simplex("w") | real("mu", "W") | pos("psi")
    return Trial(model, {"x": rows(45, 12, 3)}, theta, kinds, value)


@trial
def scatter_by_category() -> Trial:
    """Multivariate t whose location and scatter go with an observed category."""
    group = IndexedBase("group")
    model = Model(
        {
            u[i]: Gamma(nu / 2, 2 / nu),
            x[i]: MultivariateNormal(mus[group[i]], Sigmas[group[i]] / u[i]),
        },
        latent=[u],
        known=[nu, group],
    )

    def value(theta: Values, data: Values) -> float:
        laws = zip(data["x"], data["group"], strict=True)
        return sum(
            float(scipy.stats.multivariate_t.logpdf(row, theta["mu"][c], theta["Sigma"][c], df=data["nu"]))
            for row, c in laws
        )

    data = {"x": rows(46, 12, 3), "nu": 3.0, "group": np.array([0, 1] * 6)}
    return Trial(model, data, {"mu": CENTRES, "Sigma": SPREADS}, real("mu") | spd("Sigma"), value)


@trial
def known_low_rank_covariance() -> Trial:
    """Means and weights of a mixture whose covariance, W Wᵀ + s2 I, is known."""
    model = Model(
        {z[i]: LABEL, x[i]: MultivariateNormal(mus[z[i]], W * W.T + s2 * Identity(d))},
        latent=[z],
        known=[W, s2],
    )

    def value(theta: Values, data: Values) -> float:
        covariance = data["W"] @ data["W"].T + data["s2"] * EYE
        return mixed(theta["w"], np.stack([gauss(data["x"], c, covariance) for c in theta["mu"]], 1))

    data = {"x": rows(50, 10, 3), "W": LOADINGS, "s2": 0.5}
    return Trial(model, data, {"w": WEIGHTS, "mu": CENTRES}, simplex("w") | real("mu"), value)


@trial
def scale_by_component() -> Trial:
    """One shape of covariance, a size for each component known beforehand."""
    size = IndexedBase("size")
    model = Model(
        {z[i]: LABEL, x[i]: MultivariateNormal(mus[z[i]], size[z[i]] * Sigma)}, latent=[z], known=[size]
    )

    def value(theta: Values, data: Values) -> float:
        laws = zip(theta["mu"], data["size"], strict=True)
        return mixed(theta["w"], np.stack([gauss(data["x"], c, s * theta["Sigma"]) for c, s in laws], 1))

    data = {"x": rows(51, 10, 3), "size": np.array([1.0, 4.0])}
    theta = {"w": WEIGHTS, "mu": CENTRES, "Sigma": SPREADS[0]}
    return Trial(model, data, theta, simplex("w") | real("mu") | spd("Sigma"), value)


@trial
def precision_with_prior() -> Trial:
    """A mixture by precisions, each with a Wishart prior."""
    Lambda, V, nu0 = IndexedMatrix("Lambda", d, d), MatrixSymbol("V", d, d), symbols("nu0")
    model = Model(
        {z[i]: LABEL, x[i]: MultivariateNormal(mus[z[i]], precision=Lambda[z[i]])},
        latent=[z],
        prior={Lambda[k]: Wishart(nu0, V)},
    )

    def value(theta: Values, data: Values) -> float:
        laws = zip(theta["mu"], theta["Lambda"], strict=True)
        parts = [gauss(data["x"], centre, np.linalg.inv(precision)) for centre, precision in laws]
        prior = sum(
            scipy.stats.wishart.logpdf(precision, data["nu0"], data["V"]) for precision in theta["Lambda"]
        )
        return mixed(theta["w"], np.stack(parts, 1)) + float(prior)

    data = {"x": rows(56, 14, 3), "nu0": 5.0, "V": 0.3 * EYE}
    theta = {"w": WEIGHTS, "mu": CENTRES, "Lambda": SPREADS}
    return Trial(model, data, theta, simplex("w") | real("mu") | spd("Lambda"), value)


@trial
def shift_of_some() -> Trial:
    """A vector is shifted by delta with a chance."""
    delta, q = MatrixSymbol("delta", d, 1), symbols("q")
    model = Model({z[i]: Bernoulli(q), x[i]: MultivariateNormal(mu + z[i] * delta, Sigma)}, latent=[z])

    def value(theta: Values, data: Values) -> float:
        centres = (theta["mu"], theta["mu"] + theta["delta"])
        parts = [gauss(data["x"], centre, theta["Sigma"]) for centre in centres]
        return mixed(np.array([1 - theta["q"], theta["q"]]), np.stack(parts, 1))

    theta = {"q": 0.4, "mu": CENTRES[0], "delta": CENTRES[1], "Sigma": SPREADS[0]}
    kinds = {"q": "unit"} | real("mu", "delta") | spd("Sigma")
    return Trial(model, {"x": rows(65, 12, 3)}, theta, kinds, value)


@trial
def mixture_of_multivariate_regressions() -> Trial:
    t, slopes = IndexedVector("t", p), IndexedMatrix("B", d, p)
    law = MultivariateNormal(slopes[z[i]] * t[i], Sigmas[z[i]])
    model = Model({z[i]: LABEL, x[i]: law}, latent=[z], known=[t])

    def value(theta: Values, data: Values) -> float:
        laws = zip(theta["B"], theta["Sigma"], strict=True)
        return mixed(theta["w"], np.stack([gauss(data["x"], data["t"] @ B.T, S) for B, S in laws], 1))

    data = {"x": rows(78, 14, 3), "t": rows(79, 14, 2)}
    theta = {"w": WEIGHTS, "B": np.stack([LOADINGS, -LOADINGS]), "Sigma": SPREADS}
    return Trial(model, data, theta, simplex("w") | real("B") | spd("Sigma"), value)


@trial
def size_of_a_known_shape() -> Trial:
    """A covariance that is known but for a number."""
    R = MatrixSymbol("R", d, d)
    model = Model({z[i]: LABEL, x[i]: MultivariateNormal(mus[z[i]], s2 * R)}, latent=[z], known=[R])

    def value(theta: Values, data: Values) -> float:
        parts = [gauss(data["x"], centre, theta["s2"] * data["R"]) for centre in theta["mu"]]
        return mixed(theta["w"], np.stack(parts, 1))

    data = {"x": rows(83, 10, 3), "R": SPREADS[0]}
    theta = {"w": WEIGHTS, "mu": CENTRES, "s2": 0.8}
    return Trial(model, data, theta, simplex("w") | real("mu") | pos("s2"), value)
