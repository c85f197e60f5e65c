"""Trials whose means pass through matrices that are not square, known and unknown: nothing there cancels."""

from __future__ import annotations

import numpy as np
from sympy import Identity, MatrixSymbol, ZeroMatrix

from symem import IndexedVector, Model, MultivariateNormal
from tests.trials import WEIGHTS, Trial, Values, i, mixed, pos, real, simplex, trial, z
from tests.trials.vectors import (
    EYE,
    FACTORS,
    LABEL,
    LOADINGS,
    SPREADS,
    Sigma,
    W,
    d,
    f,
    gaps,
    gauss,
    m,
    p,
    rows,
    s2,
    seen,
    spd,
    x,
)

H, c, cs = MatrixSymbol("H", d, m), MatrixSymbol("c", m, 1), IndexedVector("c", m)
POINTS = np.array([[0.5, -0.3], [-0.5, 0.6]])


@trial
def two_sets_of_factors() -> Trial:
    e, V = IndexedVector("e", p), MatrixSymbol("V", d, p)
    model = Model(
        {
            f[i]: FACTORS,
            e[i]: MultivariateNormal(ZeroMatrix(p, 1), Identity(p)),
            x[i]: MultivariateNormal(W * f[i] + V * e[i], s2 * Identity(d)),
        },
        latent=[f, e],
    )

    def value(theta: Values, data: Values) -> float:
        both = np.hstack([theta["W"], theta["V"]])
        return float(gauss(data["x"], 0.0, both @ both.T + theta["s2"] * EYE).sum())

    theta = {"W": LOADINGS, "V": LOADINGS[::-1, :1].copy(), "s2": 0.8}
    return Trial(model, {"x": rows(90, 10, 3)}, theta, real("W", "V") | pos("s2"), value)


def inside(theta: Values, data: Values) -> float:
    covariance = theta["W"] @ theta["W"].T + theta["s2"] * EYE
    return float(gauss(data["x"], theta["W"] @ theta["c"], covariance).sum())


INSIDE = {"W": LOADINGS, "c": POINTS[0], "s2": 0.8}


@trial
def mean_of_factors() -> Trial:
    model = Model(
        {f[i]: MultivariateNormal(c, Identity(m)), x[i]: MultivariateNormal(W * f[i], s2 * Identity(d))},
        latent=[f],
    )
    data = {"x": rows(91, 10, 3) + np.array([1.0, 2.0, -1.0])}
    return Trial(model, data, INSIDE, real("W", "c") | pos("s2"), inside)


@trial
def points_of_a_plane() -> Trial:
    """Means of components on a known plane, equal noise."""
    model = Model(
        {z[i]: LABEL, x[i]: MultivariateNormal(H * cs[z[i]], s2 * Identity(d))}, latent=[z], known=[H]
    )

    def value(theta: Values, data: Values) -> float:
        parts = [gauss(data["x"], data["H"] @ point, theta["s2"] * EYE) for point in theta["c"]]
        return mixed(theta["w"], np.stack(parts, 1))

    data = {"x": rows(93, 12, 3), "H": LOADINGS}
    theta = {"w": WEIGHTS, "c": POINTS, "s2": 0.9}
    return Trial(model, data, theta, simplex("w") | real("c") | pos("s2"), value)


@trial
def growth_curves() -> Trial:
    """Curves in a known basis A with covariates t (Potthoff & Roy 1964), entries missing."""
    A, B, t = MatrixSymbol("A", d, m), MatrixSymbol("B", m, p), IndexedVector("t", p)
    model = Model({x[i]: MultivariateNormal(A * B * t[i], s2 * Identity(d))}, missing=[x], known=[A, t])

    def value(theta: Values, data: Values) -> float:
        return seen(data["x"], data["t"] @ theta["B"].T @ data["A"].T, theta["s2"] * EYE)

    data = {"x": gaps(94, 10, 3), "A": LOADINGS, "t": rows(95, 10, 2)}
    return Trial(model, data, {"B": POINTS, "s2": 0.9}, real("B") | pos("s2"), value)


@trial
def points_of_a_plane_with_full_noise() -> Trial:
    """Means of components on a known plane: the plane's point depends on the covariance, and back."""
    model = Model({z[i]: LABEL, x[i]: MultivariateNormal(H * cs[z[i]], Sigma)}, latent=[z], known=[H])

    def value(theta: Values, data: Values) -> float:
        parts = [gauss(data["x"], data["H"] @ point, theta["Sigma"]) for point in theta["c"]]
        return mixed(theta["w"], np.stack(parts, 1))

    data = {"x": rows(93, 12, 3), "H": LOADINGS}
    theta = {"w": WEIGHTS, "c": POINTS, "Sigma": SPREADS[0]}
    kinds = simplex("w") | real("c") | spd("Sigma")
    return Trial(model, data, theta, kinds, value, conditional=True)


@trial
def mean_inside_the_loadings() -> Trial:
    """The same law as `mean_of_factors`, the mean moved into the plane that the loadings span."""
    model = Model({f[i]: FACTORS, x[i]: MultivariateNormal(W * (f[i] + c), s2 * Identity(d))}, latent=[f])
    data = {"x": rows(91, 10, 3) + np.array([1.0, 2.0, -1.0])}
    kinds = real("W", "c") | pos("s2")
    return Trial(model, data, INSIDE, kinds, inside, conditional=True)
