"""Trials with labels and counts."""

from __future__ import annotations

from itertools import product

import numpy as np
import scipy
from scipy.special import betaln, gammaln, logsumexp
from sympy import Add, Eq, Idx, IndexedBase, Rational, Sum, log, loggamma, sqrt, symbols

from symem import (
    Bernoulli,
    Beta,
    Binomial,
    Cases,
    Categorical,
    Exponential,
    Geometric,
    Model,
    NegativeBinomial,
    Normal,
    OneHot,
    Poisson,
    Positive,
    Simplex,
    Uniform,
)
from tests.trials import (
    MEANS,
    WEIGHTS,
    K,
    Trial,
    Values,
    a,
    b,
    c,
    i,
    j,
    k,
    lam,
    mixed,
    mu,
    n,
    normal,
    p,
    poisson,
    pos,
    real,
    simplex,
    th,
    trial,
    u,
    unit,
    v,
    w,
    x,
    y,
    z,
)

LABEL = Categorical(w[k])


@trial
def one_based_labels() -> Trial:
    """Every range counts from 1, the labels in the data too."""
    s, i1, k1 = symbols("s"), Idx("i", (1, n)), Idx("k", (1, K))
    model = Model({z[i1]: Categorical(w[k1]), x[i1]: Normal(mu[z[i1]], s)}, missing=[z])

    def value(theta: Values, data: Values) -> float:
        joint = np.log(theta["w"]) + normal(data["x"][:, None], theta["mu"], theta["s"] ** 2)
        return float(sum(logsumexp(r) if q < 0 else r[q - 1] for r, q in zip(joint, data["z"], strict=True)))

    rng = np.random.default_rng(1)
    data = {"x": rng.normal(0, 2, 9), "z": np.array([-1, 1, -1, 2, -1, -1, 2, 1, -1])}
    theta = {"w": WEIGHTS, "mu": MEANS, "s": 1.2}
    return Trial(model, data, theta, simplex("w") | real("mu") | pos("s"), value)


@trial
def two_labels_share_weights() -> Trial:
    model = Model({z[i]: LABEL, u[i]: LABEL, x[i]: Bernoulli(p[z[i], u[i]])}, latent=[z, u])

    def value(theta: Values, data: Values) -> float:
        chance = np.where(data["x"][:, None, None] == 1, theta["p"], 1 - theta["p"])
        return float(np.log((chance * np.outer(theta["w"], theta["w"])).sum((1, 2))).sum())

    data = {"x": np.array([1, 0, 1, 1, 0, 1])}
    theta = {"w": WEIGHTS, "p": np.array([[0.2, 0.5], [0.7, 0.9]])}
    return Trial(model, data, theta, simplex("w") | unit("p"), value)


@trial
def rates_of_rows_and_columns() -> Trial:
    """λ_z μ_j: each has a closed form given the other."""
    model = Model({z[i]: LABEL, x[i, j]: Poisson(lam[z[i]] * mu[j])}, latent=[z])

    def value(theta: Values, data: Values) -> float:
        rate = theta["lam"][None, :, None] * theta["mu"]
        return mixed(theta["w"], poisson(data["x"][:, None, :], rate).sum(2))

    data = {"x": np.random.default_rng(2).poisson(3, (6, 3))}
    theta = {"w": WEIGHTS, "lam": np.array([1.0, 2.0]), "mu": np.array([1.0, 2.0, 1.5])}
    return Trial(model, data, theta, simplex("w") | pos("lam", "mu"), value, conditional=True)


@trial
def hidden_chance() -> Trial:
    """A Beta chance given the label, known shapes: a continuous latent given a discrete one."""
    q, N = IndexedBase("q"), symbols("N")
    model = Model(
        {z[i]: LABEL, q[i]: Beta(a[z[i]], b[z[i]]), x[i]: Binomial(N, q[i])}, latent=[z, q], known=[a, b, N]
    )

    def value(theta: Values, data: Values) -> float:
        X, N = data["x"][:, None], data["N"]
        choose = gammaln(N + 1) - gammaln(X + 1) - gammaln(N - X + 1)
        shapes = betaln(data["a"] + X, data["b"] + N - X) - betaln(data["a"], data["b"])
        return mixed(theta["w"], choose + shapes)

    rng = np.random.default_rng(3)
    data = {"x": rng.integers(0, 9, 8), "N": 8, "a": np.array([2.0, 5.0]), "b": np.array([6.0, 1.5])}
    return Trial(model, data, {"w": WEIGHTS}, simplex("w"), value)


@trial
def known_weights() -> Trial:
    model = Model({z[i]: LABEL, x[i]: Poisson(lam[z[i]])}, latent=[z], known=[w])

    def value(theta: Values, data: Values) -> float:
        return mixed(data["w"], poisson(data["x"][:, None], theta["lam"]))

    data = {"x": np.random.default_rng(4).poisson(3, 8), "w": np.array([0.3, 0.7])}
    return Trial(model, data, {"lam": np.array([1.0, 4.0])}, pos("lam"), value)


@trial
def uniform_noise() -> Trial:
    """Components of different families; beyond (lo, hi) only one of them is possible."""
    lo, hi, q, m, s = symbols("lo hi q m s")
    branches = {0: Uniform(lo, hi), 1: Normal(m, s)}
    model = Model({z[i]: Bernoulli(q), x[i]: Cases(z[i], branches)}, latent=[z], known=[lo, hi])

    def value(theta: Values, data: Values) -> float:
        inside = (data["x"] >= data["lo"]) & (data["x"] <= data["hi"])
        noise = inside / (data["hi"] - data["lo"])
        signal = np.exp(normal(data["x"], theta["m"], theta["s"] ** 2))
        return float(np.log((1 - theta["q"]) * noise + theta["q"] * signal).sum())

    data = {"x": np.r_[np.random.default_rng(5).normal(0, 1, 6), 3.5, -4.0], "lo": -3.0, "hi": 3.0}
    return Trial(model, data, {"q": 0.4, "m": 0.2, "s": 1.3}, unit("q") | real("m") | pos("s"), value)


def _bits(count: int, theta: Values, **known: float) -> Trial:
    """A mean that moves with each of several hidden bits."""
    bits, chances, moves = (
        [IndexedBase(f"z{q}") for q in range(count)],
        symbols(f"p:{count}"),
        symbols(f"d:{count}"),
    )
    m, s2 = symbols("m s2")
    mean = m + Add(*(bit[i] * move for bit, move in zip(bits, moves, strict=True)))
    tosses = {bit[i]: Bernoulli(chance) for bit, chance in zip(bits, chances, strict=True)}
    model = Model({**tosses, y[i]: Normal(mean, sqrt(s2))}, latent=bits, known=symbols([*known]))

    def value(theta: Values, data: Values) -> float:
        at, cells = {**theta, **known}, np.array(list(product([0, 1], repeat=count)))
        chance, move = (np.array([at[str(each)] for each in names]) for names in (chances, moves))
        weight = np.where(cells, chance, 1 - chance).prod(1)
        return mixed(weight, normal(data["y"][:, None], at["m"] + cells @ move, at["s2"]))

    kinds = unit(*map(str, chances)) | real("m", *map(str, moves)) | pos("s2")
    return Trial(model, {"y": np.random.default_rng(6).normal(0, 3, 12), **known}, theta, kinds, value)


@trial
def two_bits() -> Trial:
    return _bits(2, {"p0": 0.3, "p1": 0.5, "m": 0.0, "d0": 1.0, "d1": -2.0, "s2": 1.0})


@trial
def three_bits() -> Trial:
    """Eight cells; level and spread are known, since with them it takes a minute to prove."""
    theta = {"p0": 0.3, "p1": 0.5, "p2": 0.6, "d0": 1.0, "d1": -2.0, "d2": 0.5}
    return _bits(3, theta, m=0.0, s2=1.0)


@trial
def one_hot_rows() -> Trial:
    Z = IndexedBase("Z")
    row = log(w[k]) + x[i] * log(lam[k]) - lam[k] - loggamma(x[i] + 1)
    model = Model.from_likelihood(
        log_likelihood=Sum(Z[i, k] * row, k, i),
        latent={Z: OneHot()},
        parameters={w: Simplex(), lam: Positive()},
    )

    def value(theta: Values, data: Values) -> float:
        return mixed(theta["w"], poisson(data["x"][:, None], theta["lam"]))

    data = {"x": np.random.default_rng(7).poisson(3, 8)}
    return Trial(model, data, {"w": WEIGHTS, "lam": np.array([1.0, 4.0])}, simplex("w") | pos("lam"), value)


@trial
def mean_of_either_sign() -> Trial:
    m, s, q = symbols("m s q")
    model = Model({z[i]: Bernoulli(q), x[i]: Normal(m * (2 * z[i] - 1), s)}, latent=[z])

    def value(theta: Values, data: Values) -> float:
        centre, weight = np.array([-theta["m"], theta["m"]]), np.array([1 - theta["q"], theta["q"]])
        return mixed(weight, normal(data["x"][:, None], centre, theta["s"] ** 2))

    data = {"x": np.random.default_rng(8).normal(0, 2, 8)}
    return Trial(model, data, {"m": 1.0, "s": 1.3, "q": 0.4}, real("m") | pos("s") | unit("q"), value)


@trial
def negative_binomials() -> Trial:
    r = symbols("r")
    model = Model({z[i]: LABEL, x[i]: NegativeBinomial(r, p[z[i]])}, latent=[z], known=[r])

    def value(theta: Values, data: Values) -> float:
        return mixed(theta["w"], scipy.stats.nbinom.logpmf(data["x"][:, None], data["r"], theta["p"]))

    data = {"x": np.random.default_rng(9).poisson(3, 8), "r": 2.5}
    return Trial(model, data, {"w": WEIGHTS, "p": np.array([0.3, 0.6])}, simplex("w") | unit("p"), value)


@trial
def source_and_background() -> Trial:
    """Only the sum of two counts is seen; the background is also measured alone, three times as long."""
    s, d, e, T = map(IndexedBase, ["s", "d", "e", "T"])
    r1, r2 = symbols("r1 r2")
    model = Model(
        {s[i]: Poisson(r1 * e[i]), d[i]: Poisson(r2 * T[i]), y[i]: Poisson(3 * r2 * T[i])},
        latent=[s, d],
        known=[e, T],
        given=[Eq(s[i] + d[i], x[i])],
    )

    def value(theta: Values, data: Values) -> float:
        on = poisson(data["x"], theta["r1"] * data["e"] + theta["r2"] * data["T"])
        return float(on.sum() + poisson(data["y"], 3 * theta["r2"] * data["T"]).sum())

    rng = np.random.default_rng(10)
    data = {
        "x": rng.poisson(4, 6),
        "y": rng.poisson(5, 6),
        "e": rng.uniform(1, 2, 6),
        "T": rng.uniform(1, 2, 6),
    }
    return Trial(model, data, {"r1": 1.0, "r2": 0.8}, pos("r1", "r2"), value)


@trial
def geometric_beyond_a_limit() -> Trial:
    q = symbols("q")
    model = Model({x[i]: Geometric(q)}, missing=[x], known=[c], given=[x[i] > c[i]])

    def value(theta: Values, data: Values) -> float:
        fails = np.where(np.isnan(data["x"]), data["c"], data["x"] - 1)
        return float(((~np.isnan(data["x"])) * np.log(theta["q"]) + fails * np.log(1 - theta["q"])).sum())

    counts = np.random.default_rng(11).geometric(0.3, 10).astype(float)
    data = {"x": np.where(counts > 4, np.nan, counts), "c": np.full(10, 4)}
    return Trial(model, data, {"q": 0.4}, unit("q"), value)


@trial
def one_mean_seen_alone() -> Trial:
    """mu[0] stands beside mu[z[i]]: an entry with data of its own."""
    s = symbols("s")
    model = Model({z[i]: LABEL, x[i]: Normal(mu[z[i]], s), y[i]: Normal(mu[0], s)}, latent=[z])

    def value(theta: Values, data: Values) -> float:
        alone = normal(data["y"], theta["mu"][0], theta["s"] ** 2).sum()
        return mixed(theta["w"], normal(data["x"][:, None], theta["mu"], theta["s"] ** 2)) + float(alone)

    rng = np.random.default_rng(12)
    data = {"x": rng.normal(0, 2, 8), "y": rng.normal(0, 1, 8)}
    theta = {"w": WEIGHTS, "mu": MEANS, "s": 1.0}
    return Trial(model, data, theta, simplex("w") | real("mu") | pos("s"), value)


@trial
def square_table() -> Trial:
    """Rows and columns of one size, with a label for each row only."""
    other = Idx("other", n)
    model = Model({z[i]: Bernoulli(Rational(1, 2)), x[i, other]: Bernoulli(th[z[i], other])}, latent=[z])

    def value(theta: Values, data: Values) -> float:
        X, th = data["x"][:, None, :], theta["th"]
        return mixed(np.array([0.5, 0.5]), (X * np.log(th) + (1 - X) * np.log(1 - th)).sum(2))

    rng = np.random.default_rng(13)
    data = {"x": rng.integers(0, 2, (5, 5))}
    return Trial(model, data, {"th": rng.uniform(0.2, 0.8, (2, 5))}, unit("th"), value)


@trial
def rates_by_label_and_category() -> Trial:
    kind, e = IndexedBase("kind"), IndexedBase("e")
    model = Model({z[i]: LABEL, x[i, j]: Poisson(e[i, j] * lam[z[i], kind[j]])}, latent=[z], known=[kind, e])

    def value(theta: Values, data: Values) -> float:
        rate = data["e"][:, None, :] * theta["lam"][:, data["kind"]]
        return mixed(theta["w"], poisson(data["x"][:, None, :], rate).sum(2))

    rng = np.random.default_rng(14)
    data = {"x": rng.poisson(3, (6, 4)), "e": rng.uniform(0.5, 2, (6, 4)), "kind": np.array([0, 2, 1, 0])}
    theta = {"w": WEIGHTS, "lam": np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 0.5]])}
    return Trial(model, data, theta, simplex("w") | pos("lam"), value)


@trial
def weights_by_group() -> Trial:
    group = IndexedBase("group")
    model = Model({z[i]: Categorical(w[group[i], k]), x[i]: Normal(mu[z[i]], 1)}, latent=[z], known=[group])

    def value(theta: Values, data: Values) -> float:
        return mixed(theta["w"][data["group"]], normal(data["x"][:, None], theta["mu"], 1.0))

    data = {"x": np.random.default_rng(15).normal(0, 2, 8), "group": np.array([0, 1, 0, 1, 1, 0, 0, 1])}
    theta = {"w": np.array([[0.3, 0.7], [0.5, 0.5]]), "mu": MEANS}
    return Trial(model, data, theta, simplex("w") | real("mu"), value)


@trial
def words_after_words() -> Trial:
    """Rows of a table indexed by a label and by an observed category."""
    B, before = IndexedBase("B"), IndexedBase("before")
    model = Model({z[i]: LABEL, x[i]: Categorical(B[z[i], before[i], v])}, latent=[z], known=[before])

    def value(theta: Values, data: Values) -> float:
        return mixed(theta["w"], np.log(theta["B"][:, data["before"], data["x"]]).T)

    rows = np.random.default_rng(16).dirichlet([2, 2, 2], (2, 3))
    data = {"x": np.array([0, 2, 1, 1, 2, 0]), "before": np.array([0, 1, 2, 2, 1, 0])}
    return Trial(model, data, {"w": WEIGHTS, "B": rows}, simplex("w", "B"), value)


@trial
def lifetimes_of_two_kinds_seen_through_gaps() -> Trial:
    """A label, and a lifetime of which only an interval is known."""
    t, low, high, rate = map(IndexedBase, ["t", "low", "high", "rate"])
    model = Model(
        {z[i]: LABEL, t[i]: Exponential(rate[z[i]])},
        latent=[z, t],
        known=[low, high],
        given=[t[i] > low[i], t[i] <= high[i]],
    )

    def value(theta: Values, data: Values) -> float:
        ends = [np.exp(-theta["rate"] * data[end][:, None]) for end in ("low", "high")]
        return mixed(theta["w"], np.log(ends[0] - ends[1]))

    low_ends = np.floor(np.random.default_rng(17).exponential(2, 9))
    data = {"low": low_ends, "high": low_ends + 1.0}
    return Trial(model, data, {"w": WEIGHTS, "rate": np.array([2.0, 0.3])}, simplex("w") | pos("rate"), value)
