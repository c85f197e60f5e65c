"""Trials with continuous latents and with priors."""

from __future__ import annotations

import numpy as np
import scipy
from scipy.special import gammaln
from sympy import IndexedBase, sqrt, symbols

from symem import (
    Categorical,
    Dirichlet,
    Exponential,
    Gamma,
    GammaInverse,
    Model,
    Multinomial,
    Normal,
)
from tests.trials import (
    MEANS,
    WEIGHTS,
    Trial,
    Values,
    a,
    b,
    c,
    g,
    h,
    i,
    j,
    joint_normal,
    k,
    mixed,
    mu,
    normal,
    pos,
    real,
    simplex,
    t,
    th,
    trial,
    u,
    v,
    w,
    x,
    y,
    z,
)

LABEL = Categorical(w[k])


@trial
def nested_effects() -> Trial:
    """Classes in schools: an effect on an effect."""
    m, va, vb, ve = symbols("m va vb ve")
    model = Model(
        {a[g]: Normal(m, sqrt(va)), b[g, h]: Normal(a[g], sqrt(vb)), y[g, h, j]: Normal(b[g, h], sqrt(ve))},
        latent=[a, b],
    )

    def value(theta: Values, data: Values) -> float:
        _, classes, pupils = data["y"].shape
        size = classes * pupils
        blocks = np.kron(np.eye(classes), np.ones((pupils, pupils)))
        covariance = blocks * theta["vb"] + theta["va"] + theta["ve"] * np.eye(size)
        return sum(joint_normal(school.ravel(), theta["m"], covariance) for school in data["y"])

    theta = {"m": 0.3, "va": 1.0, "vb": 0.7, "ve": 0.5}
    data = {"y": np.random.default_rng(21).normal(0, 2, (4, 3, 2))}
    return Trial(model, data, theta, real("m") | pos("va", "vb", "ve"), value)


@trial
def noisy_mixture() -> Trial:
    """A Normal given a label, seen through noise of known variance."""
    q, t2, noise = map(IndexedBase, ["q", "t2", "noise"])
    model = Model(
        {z[i]: LABEL, q[i]: Normal(mu[z[i]], sqrt(t2[z[i]])), y[i]: Normal(q[i], sqrt(noise[i]))},
        latent=[z, q],
        known=[noise],
    )

    def value(theta: Values, data: Values) -> float:
        spread = theta["t2"] + data["noise"][:, None]
        return mixed(theta["w"], normal(data["y"][:, None], theta["mu"], spread))

    rng = np.random.default_rng(22)
    data = {"y": rng.normal(0, 2, 8), "noise": rng.uniform(0.2, 1, 8)}
    theta = {"w": WEIGHTS, "mu": MEANS, "t2": np.array([0.5, 2.0])}
    return Trial(model, data, theta, simplex("w") | real("mu") | pos("t2"), value)


def regression(seed: int, no_x: list[int], no_y: list[int]) -> Values:
    rng = np.random.default_rng(seed)
    X = rng.normal(0, 1, 10)
    Y = 1 + 2 * X + rng.normal(0, 0.5, 10)
    X[no_x], Y[no_y] = np.nan, np.nan
    return {"x": X, "y": Y}


def pairs_with_gaps(theta: Values, data: Values) -> float:
    X, Y, no_x, no_y = data["x"], data["y"], np.isnan(data["x"]), np.isnan(data["y"])
    line, variance = theta["b0"] + theta["b1"] * X, theta["s2"]
    total = normal(X[~no_x], theta["m"], theta["v"]).sum()
    total += normal(Y, line, variance)[~no_x & ~no_y].sum()
    middle, wide = theta["b0"] + theta["b1"] * theta["m"], variance + theta["b1"] ** 2 * theta["v"]
    return float(total + normal(Y[no_x & ~no_y], middle, wide).sum())


REGRESSION = {"m": 0.1, "v": 1.0, "b0": 0.5, "b1": 1.0, "s2": 0.7}
REGRESSION_KINDS = real("m", "b0", "b1") | pos("v", "s2")


def line_model(*absent: IndexedBase) -> Model:
    m, spread, b0, b1, s2 = symbols("m v b0 b1 s2")
    return Model({x[i]: Normal(m, sqrt(spread)), y[i]: Normal(b0 + b1 * x[i], sqrt(s2))}, missing=absent)


@trial
def missing_covariate() -> Trial:
    """Regression with a covariate that is partly missing (Little & Rubin 2002, section 8.4)."""
    return Trial(line_model(x), regression(23, [1, 4, 5], []), REGRESSION, REGRESSION_KINDS, pairs_with_gaps)


@trial
def missing_on_both_sides() -> Trial:
    """A bivariate Normal with gaps in both columns, one pair missing altogether."""
    data = regression(24, [1, 4, 5], [2, 5, 7])
    return Trial(line_model(x, y), data, REGRESSION, REGRESSION_KINDS, pairs_with_gaps)


@trial
def censored_components() -> Trial:
    """A label, and a Normal value below a limit of detection."""
    s = symbols("s")
    model = Model(
        {z[i]: LABEL, x[i]: Normal(mu[z[i]], s)}, latent=[z], missing=[x], known=[c], given=[x[i] < c[i]]
    )

    def value(theta: Values, data: Values) -> float:
        seen = normal(np.nan_to_num(data["x"])[:, None], theta["mu"], theta["s"] ** 2)
        below = scipy.stats.norm.logcdf(data["c"][:, None], theta["mu"], theta["s"])
        return mixed(theta["w"], np.where(np.isnan(data["x"])[:, None], below, seen))

    draws = np.random.default_rng(25).normal(0, 2, 10)
    data = {"x": np.where(draws < -0.8, np.nan, draws), "c": np.full(10, -0.8)}
    theta = {"w": WEIGHTS, "mu": MEANS, "s": 1.2}
    return Trial(model, data, theta, simplex("w") | real("mu") | pos("s"), value)


@trial
def known_ratios_of_scale() -> Trial:
    s, f = symbols("s"), IndexedBase("f")
    model = Model({z[i]: LABEL, x[i]: Normal(mu[z[i]], s * f[z[i]])}, latent=[z], known=[f])

    def value(theta: Values, data: Values) -> float:
        return mixed(theta["w"], normal(data["x"][:, None], theta["mu"], (theta["s"] * data["f"]) ** 2))

    data = {"x": np.random.default_rng(26).normal(0, 2, 9), "f": np.array([1.0, 3.0])}
    theta = {"w": WEIGHTS, "mu": MEANS, "s": 0.8}
    return Trial(model, data, theta, simplex("w") | real("mu") | pos("s"), value)


@trial
def mixture_of_t() -> Trial:
    """A Gamma precision given a label (Peel & McLachlan 2000)."""
    nu, s2 = symbols("nu"), IndexedBase("s2")
    model = Model(
        {z[i]: LABEL, u[i]: Gamma(nu / 2, 2 / nu), y[i]: Normal(mu[z[i]], sqrt(s2[z[i]] / u[i]))},
        latent=[z, u],
        known=[nu],
    )

    def value(theta: Values, data: Values) -> float:
        scale = np.sqrt(theta["s2"])
        return mixed(theta["w"], scipy.stats.t.logpdf(data["y"][:, None], data["nu"], theta["mu"], scale))

    data = {"y": np.random.default_rng(27).normal(0, 2, 9), "nu": 3.0}
    theta = {"w": WEIGHTS, "mu": MEANS, "s2": np.array([0.6, 1.5])}
    return Trial(model, data, theta, simplex("w") | real("mu") | pos("s2"), value)


@trial
def effects_of_two_kinds() -> Trial:
    """A label for each group, and a random effect given it (Verbeke & Lesaffre 1996)."""
    s2a, s2 = symbols("s2a s2")
    model = Model(
        {z[g]: LABEL, a[g]: Normal(mu[z[g]], sqrt(s2a)), y[g, j]: Normal(a[g], sqrt(s2))}, latent=[z, a]
    )

    def value(theta: Values, data: Values) -> float:
        size = data["y"].shape[1]
        covariance = theta["s2"] * np.eye(size) + theta["s2a"]
        table = [[joint_normal(row, mean, covariance) for mean in theta["mu"]] for row in data["y"]]
        return mixed(theta["w"], np.array(table))

    data = {"y": np.random.default_rng(28).normal(0, 2, (5, 3))}
    theta = {"w": WEIGHTS, "mu": MEANS, "s2a": 0.5, "s2": 1.0}
    return Trial(model, data, theta, simplex("w") | real("mu") | pos("s2a", "s2"), value)


@trial
def random_slopes() -> Trial:
    m, s2a, s2 = symbols("m s2a s2")
    model = Model(
        {a[g]: Normal(m, sqrt(s2a)), y[g, j]: Normal(a[g] * x[g, j], sqrt(s2))}, latent=[a], known=[x]
    )

    def value(theta: Values, data: Values) -> float:
        total = 0.0
        for row, covariate in zip(data["y"], data["x"], strict=True):
            covariance = theta["s2"] * np.eye(len(row)) + theta["s2a"] * np.outer(covariate, covariate)
            total += joint_normal(row, theta["m"] * covariate, covariance)
        return total

    rng = np.random.default_rng(29)
    data = {"y": rng.normal(0, 2, (5, 3)), "x": rng.normal(0, 1, (5, 3))}
    return Trial(model, data, {"m": 0.3, "s2a": 0.5, "s2": 1.0}, real("m") | pos("s2a", "s2"), value)


@trial
def loading_on_a_standard_effect() -> Trial:
    L, s2, b0 = symbols("L s2 b0")
    model = Model({a[g]: Normal(0, 1), y[g, j]: Normal(b0 + L * a[g], sqrt(s2))}, latent=[a])

    def value(theta: Values, data: Values) -> float:
        covariance = theta["s2"] * np.eye(data["y"].shape[1]) + theta["L"] ** 2
        return sum(joint_normal(row, theta["b0"], covariance) for row in data["y"])

    data = {"y": np.random.default_rng(30).normal(0, 2, (5, 3))}
    return Trial(model, data, {"b0": 0.3, "L": 0.5, "s2": 1.0}, real("b0", "L") | pos("s2"), value)


@trial
def gamma_frailty() -> Trial:
    """Lifetimes of a family share a Gamma frailty (Clayton 1978)."""
    rate, shape = symbols("rate shape")
    model = Model(
        {u[g]: Gamma(shape, 1 / shape), t[g, j]: Exponential(rate * u[g])}, latent=[u], known=[shape]
    )

    def value(theta: Values, data: Values) -> float:
        s, total, size = data["shape"], data["t"].sum(1), data["t"].shape[1]
        grown = gammaln(s + size) - gammaln(s) + s * np.log(s) + size * np.log(theta["rate"])
        return float((grown - (s + size) * np.log(s + theta["rate"] * total)).sum())

    data = {"t": np.random.default_rng(31).exponential(1, (5, 3)), "shape": 1.7}
    return Trial(model, data, {"rate": 0.8}, pos("rate"), value)


@trial
def dirichlet_rows() -> Trial:
    """A Dirichlet prior of unequal weights on each row, a symmetric one on the weights."""
    al, N, e = IndexedBase("al"), IndexedBase("N"), symbols("e")
    model = Model(
        {z[i]: LABEL, x[i, v]: Multinomial(N[i], th[z[i], v])},
        latent=[z],
        known=[N, al, e],
        prior={th: Dirichlet(al[v]), w: Dirichlet(e)},
    )

    def value(theta: Values, data: Values) -> float:
        X = data["x"]
        choose = (gammaln(X.sum(1) + 1) - gammaln(X + 1).sum(1)).sum()
        prior = sum(scipy.stats.dirichlet.logpdf(row, data["al"]) for row in theta["th"])
        weights = scipy.stats.dirichlet.logpdf(theta["w"], [data["e"]] * 2)
        return mixed(theta["w"], X @ np.log(theta["th"]).T) + float(choose + prior + weights)

    counts = np.random.default_rng(32).integers(0, 5, (6, 3))
    data = {"x": counts, "N": counts.sum(1), "al": np.array([2.0, 1.5, 3.0]), "e": 2.5}
    theta = {"w": WEIGHTS, "th": np.array([[0.2, 0.5, 0.3], [0.3, 0.3, 0.4]])}
    return Trial(model, data, theta, simplex("w", "th"), value)


@trial
def conjugate_prior_of_mean_and_variance() -> Trial:
    """Normal-inverse-Gamma: the prior of a mean holds the variance (Fraley & Raftery 2007)."""
    s2 = IndexedBase("s2")
    m0, kappa, shape, scale = symbols("m0 kappa shape scale")
    model = Model(
        {z[i]: LABEL, x[i]: Normal(mu[z[i]], sqrt(s2[z[i]]))},
        latent=[z],
        known=[m0, kappa, shape, scale],
        prior={mu[k]: Normal(m0, sqrt(s2[k] / kappa)), s2[k]: GammaInverse(shape, scale)},
    )

    def value(theta: Values, data: Values) -> float:
        means = normal(theta["mu"], data["m0"], theta["s2"] / data["kappa"]).sum()
        variances = scipy.stats.invgamma.logpdf(theta["s2"], data["shape"], scale=data["scale"]).sum()
        return mixed(theta["w"], normal(data["x"][:, None], theta["mu"], theta["s2"])) + float(
            means + variances
        )

    draws = np.random.default_rng(33).normal(0, 2, 9)
    data = {"x": draws, "m0": 0.5, "kappa": 0.3, "shape": 2.0, "scale": 1.5}
    theta = {"w": WEIGHTS, "mu": MEANS, "s2": np.array([0.5, 2.0])}
    return Trial(model, data, theta, simplex("w") | real("mu") | pos("s2"), value)


@trial
def prior_on_means() -> Trial:
    s2 = IndexedBase("s2")
    m0, t2 = symbols("m0 t2")
    model = Model(
        {z[i]: LABEL, x[i]: Normal(mu[z[i]], sqrt(s2[z[i]]))},
        latent=[z],
        known=[m0, t2, s2],
        prior={mu: Normal(m0, sqrt(t2))},
    )

    def value(theta: Values, data: Values) -> float:
        means = normal(theta["mu"], data["m0"], data["t2"]).sum()
        return mixed(theta["w"], normal(data["x"][:, None], theta["mu"], data["s2"])) + float(means)

    draws = np.random.default_rng(34).normal(0, 2, 9)
    data = {"x": draws, "m0": 0.5, "t2": 0.3, "s2": np.array([0.5, 2.0])}
    return Trial(model, data, {"w": WEIGHTS, "mu": MEANS}, simplex("w") | real("mu"), value)
