"""Trials with vectors of which entries, or labels, are missing."""

from __future__ import annotations

import numpy as np
import scipy
from scipy.special import logsumexp
from sympy import IndexedBase, MatrixSymbol, sqrt, symbols

from symem import Gamma, IndexedVector, Model, MultivariateNormal, Normal, diag
from tests.trials import WEIGHTS, Trial, Values, h, i, mixed, pos, real, simplex, trial, u, z
from tests.trials.vectors import (
    CENTRES,
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
    mu,
    mus,
    nu,
    p,
    psi,
    rows,
    s2,
    seen,
    spd,
    x,
    y,
)


@trial
def two_samples_one_covariance() -> Trial:
    """One sample with gaps, one whole; a mean each, the covariance in common."""
    other = MatrixSymbol("eta", d, 1)
    model = Model({x[i]: MultivariateNormal(mu, Sigma), y[h]: MultivariateNormal(other, Sigma)}, missing=[x])

    def value(theta: Values, data: Values) -> float:
        part = seen(data["x"], theta["mu"], theta["Sigma"])
        return part + float(gauss(data["y"], theta["eta"], theta["Sigma"]).sum())

    theta = {"mu": CENTRES[0], "eta": CENTRES[1], "Sigma": SPREADS[0]}
    data = {"x": gaps(58, 9, 3), "y": rows(59, 6, 3)}
    return Trial(model, data, theta, real("mu", "eta") | spd("Sigma"), value)


@trial
def tied_mixture_with_gaps() -> Trial:
    model = Model({z[i]: LABEL, x[i]: MultivariateNormal(mus[z[i]], Sigma)}, latent=[z], missing=[x])

    def value(theta: Values, data: Values) -> float:
        parts = [[seen(row[None], c, theta["Sigma"]) for c in theta["mu"]] for row in data["x"]]
        return mixed(theta["w"], np.array(parts))

    theta = {"w": WEIGHTS, "mu": CENTRES, "Sigma": SPREADS[0]}
    kinds = simplex("w") | real("mu") | spd("Sigma")
    return Trial(model, {"x": gaps(60, 10, 3)}, theta, kinds, value)


@trial
def independent_coordinates_with_gaps() -> Trial:
    """Regression of each coordinate on its own: the missing ones are independent of the seen."""
    t, B = IndexedVector("t", p), MatrixSymbol("B", d, p)
    model = Model({x[i]: MultivariateNormal(B * t[i], diag(psi))}, missing=[x], known=[t])

    def value(theta: Values, data: Values) -> float:
        return seen(data["x"], data["t"] @ theta["B"].T, np.diag(theta["psi"]))

    theta = {"B": LOADINGS, "psi": np.array([0.5, 1.0, 0.8])}
    data = {"x": gaps(61, 10, 3), "t": rows(62, 10, 2)}
    return Trial(model, data, theta, real("B") | pos("psi"), value)


@trial
def labels_of_some() -> Trial:
    """Normal vectors of which some come with their label."""
    model = Model({z[i]: LABEL, x[i]: MultivariateNormal(mus[z[i]], Sigma)}, missing=[z])

    def value(theta: Values, data: Values) -> float:
        parts = np.stack([gauss(data["x"], centre, theta["Sigma"]) for centre in theta["mu"]], 1)
        allowed = (data["z"][:, None] < 0) | (data["z"][:, None] == np.arange(2))
        return float(logsumexp(np.where(allowed, parts + np.log(theta["w"]), -np.inf), axis=1).sum())

    data = {"x": rows(82, 10, 3), "z": np.array([0, 1, -1, -1, 0, -1, -1, 1, -1, -1])}
    theta = {"w": WEIGHTS, "mu": CENTRES, "Sigma": SPREADS[0]}
    return Trial(model, data, theta, simplex("w") | real("mu") | spd("Sigma"), value)


@trial
def factors_with_gaps() -> Trial:
    """Two latents of a row: its factors, and its missing entries."""
    model = Model(
        {f[i]: FACTORS, x[i]: MultivariateNormal(mu + W * f[i], diag(psi))}, latent=[f], missing=[x]
    )

    def value(theta: Values, data: Values) -> float:
        return seen(data["x"], theta["mu"], theta["W"] @ theta["W"].T + np.diag(theta["psi"]))

    theta = {"mu": CENTRES[0], "W": LOADINGS, "psi": np.array([0.5, 1.0, 0.8])}
    return Trial(model, {"x": gaps(70, 10, 3)}, theta, real("mu", "W") | pos("psi"), value)


@trial
def heavy_tails_with_gaps() -> Trial:
    """Multivariate t with missing entries (Liu & Rubin 1995)."""
    model = Model(
        {u[i]: Gamma(nu / 2, 2 / nu), x[i]: MultivariateNormal(mu, Sigma / u[i])},
        latent=[u],
        missing=[x],
        known=[nu],
    )

    def value(theta: Values, data: Values) -> float:
        total = 0.0
        for row in data["x"]:
            there = ~np.isnan(row)
            scatter = theta["Sigma"][np.ix_(there, there)]
            total += float(
                scipy.stats.multivariate_t.logpdf(row[there], theta["mu"][there], scatter, df=data["nu"])
            )
        return total

    theta = {"mu": CENTRES[0], "Sigma": SPREADS[0]}
    return Trial(model, {"x": gaps(72, 10, 3), "nu": 4.0}, theta, real("mu") | spd("Sigma"), value)


@trial
def covariates_with_gaps() -> Trial:
    """A number regressed on a vector of which entries are missing."""
    response, slopes, level = IndexedBase("y"), MatrixSymbol("b", d, 1), symbols("a")
    law = Normal(level + x[i].T * slopes, sqrt(s2))
    model = Model({x[i]: MultivariateNormal(mu, Sigma), response[i]: law}, missing=[x])

    def value(theta: Values, data: Values) -> float:
        S, b = theta["Sigma"], theta["b"]
        both = np.block([[S, (S @ b)[:, None]], [(S @ b)[None], np.array([[b @ S @ b + theta["s2"]]])]])
        centre = np.append(theta["mu"], theta["a"] + theta["mu"] @ b)
        return seen(np.column_stack([data["x"], data["y"]]), centre, both)

    theta = {"mu": CENTRES[0], "Sigma": SPREADS[0], "a": 0.3, "b": np.array([1.0, -0.5, 0.2]), "s2": 0.8}
    data = {"x": gaps(73, 12, 3), "y": rows(74, 12)}
    return Trial(model, data, theta, real("mu", "a", "b") | spd("Sigma") | pos("s2"), value)
