"""Continuous latents: missing and censored values, random effects, scale mixtures, factors."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Idx, IndexedBase, Sum, log, sqrt, symbols

from symem import Exponential, Labels, Model, Normal, Positive
from tests.answers import Values
from tests.models.table import Row, declared_by

n, p, J = symbols("n p J", integer=True, positive=True)
i, j = Idx("i", n), Idx("j", p)
x, y, z, X, b = map(IndexedBase, ["x", "y", "z", "X", "b"])
mu, s2, t2, lam = symbols("mu s2 t2 lam")


def lifetimes() -> Model:
    m = symbols("m", integer=True, positive=True)
    h = Idx("h", m)
    t, c = IndexedBase("t"), IndexedBase("c")
    return Model({t[i]: Exponential(lam), z[h]: Exponential(lam)}, latent=[z], known=[c], given=[z[h] > c[h]])


def lifetimes_textbook() -> dict[Any, Any]:
    m = symbols("m", integer=True, positive=True)
    h = Idx("h", m)
    t, c = IndexedBase("t"), IndexedBase("c")
    return {lam: (n + m) / (Sum(t[i], i) + Sum(c[h] + 1 / lam, h))}


def deconvolution() -> Model:
    effect, v = IndexedBase("effect"), IndexedBase("v")
    return Model(
        {effect[i]: Normal(mu, sqrt(t2)), y[i]: Normal(effect[i], sqrt(v[i]))}, latent=[effect], known=[v]
    )


def deconvolution_textbook() -> dict[Any, Any]:
    v = IndexedBase("v")
    variance = 1 / (1 / v[i] + 1 / t2)
    mean = variance * (y[i] / v[i] + mu / t2)
    new = Sum(mean, i) / n
    return {mu: new, t2: Sum((mean - new) ** 2 + variance, i) / n}


def masked_causes() -> Model:
    m, q, K = symbols("m q K", integer=True, positive=True)
    g, h, k = Idx("g", m), Idx("h", q), Idx("k", K)
    t, c, s, d, r, rate = map(IndexedBase, ["t", "c", "s", "d", "r", "rate"])
    hazard = Sum(rate[k], k)
    return Model.from_likelihood(
        log_likelihood=Sum(log(rate[c[i]]) - hazard * t[i], i)
        + Sum(log(rate[d[g]]) - hazard * s[g], g)
        - hazard * Sum(r[h], h),
        latent={d: Labels(K)},
        parameters={rate: Positive()},
    )


def causes(data: Values) -> Values:
    """Failures of known cause (t, c), failures of masked cause (s), survivors (r)."""
    t, c = data["t"], data["c"]
    return {"t": t[c > 0], "c": c[c > 0] - 1, "s": t[c == 0], "r": t[c < 0]}


def binned() -> Model:
    low, high = IndexedBase("low"), IndexedBase("high")
    return Model(
        {x[i]: Normal(mu, sqrt(s2))}, latent=[x], known=[low, high], given=[x[i] > low[i], x[i] <= high[i]]
    )


def bins(data: Values) -> Values:
    low, high = data["edges"][:-1], data["edges"][1:]
    return {"low": np.repeat(low, data["n"]), "high": np.repeat(high, data["n"])}


def tobit() -> Model:
    return Model({y[i]: Normal(Sum(X[i, j] * b[j], j), sqrt(s2))}, missing=[y], known=[X], given=[y[i] <= 0])


def zeros_unseen(data: Values) -> Values:
    return {"X": data["X"], "y": np.where(data["y"] > 0, data["y"], np.nan)}


def one_factor() -> Model:
    v = Idx("v", J)
    L, psi = IndexedBase("L"), IndexedBase("psi")
    return Model({z[i]: Normal(0, 1), y[i, v]: Normal(L[v] * z[i], sqrt(psi[v]))}, latent=[z])


ROWS = [
    Row("exp_missing", declared_by("exponential_missing"), example="exponential_missing"),
    Row("exp_right_censored", lifetimes, textbook=lifetimes_textbook),
    Row("exp_censored_nan", declared_by("exponential_censored"), example="exponential_censored"),
    Row("student_t_known_nu", declared_by("student_t"), example="student_t"),
    Row("random_effects_dyestuff", declared_by("random_effects"), example="random_effects"),
    Row("normal_known_noise", deconvolution, textbook=deconvolution_textbook),
    Row("competing_risks_masked", masked_causes, arrays=causes, theta=lambda theta: {"rate": theta["l"]}),
    Row("grouped_normal", binned, arrays=bins),
    Row("tobit", tobit, arrays=zeros_unseen),
    Row("factor_analysis", one_factor),
]
