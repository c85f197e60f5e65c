"""Models that the zoo does not hold, of the same kinds: what the engine is tried on."""

from __future__ import annotations

from typing import Any

from sympy import Abs, Eq, Idx, IndexedBase, Sum, atan2, besseli, cos, exp, log, sin, sqrt, symbols

from symem import (
    Bernoulli,
    Binomial,
    Cases,
    Categorical,
    Dirac,
    Exponential,
    Gamma,
    GammaInverse,
    GaussianInverse,
    Geometric,
    Laplace,
    Model,
    Multinomial,
    Normal,
    Pareto,
    Poisson,
    Rayleigh,
    Simplex,
    VonMises,
)
from tests.answers import Values
from tests.models.counts import log_multinomial
from tests.models.table import Row, responsibility

n, K, J, G, p = symbols("n K J G p", integer=True, positive=True)
i, k, j, g, q = Idx("i", n), Idx("k", K), Idx("j", J), Idx("g", G), Idx("q", p)
x, y, z, w, t, c, N, X, b = map(IndexedBase, ["x", "y", "z", "w", "t", "c", "N", "X", "b"])
mu, s2, lam, nu, rate = symbols("mu s2 lam nu rate")
prob, weight = symbols("p w")
one_two = Categorical(w[k])


def r(density: Any) -> Any:
    return responsibility(density, k, K)


def mixed(density: Any, **updates: Any) -> Any:
    """The textbook of a mixture: w is the mean responsibility, the rest as given in terms of it."""
    share = r(w[k] * density)
    return {w[k]: Sum(share, i) / n} | {IndexedBase(name)[k]: value(share) for name, value in updates.items()}


def zero_inflated_binomial() -> Model:
    branches = {1: Dirac(0), 0: Binomial(N[i], prob)}
    return Model({z[i]: Bernoulli(weight), x[i]: Cases(z[i], branches)}, latent=[z], known=[N])


def geometric_mixture() -> Model:
    chance = IndexedBase("p")
    return Model({z[i]: one_two, x[i]: Geometric(chance[z[i]])}, latent=[z])


def geometric_textbook() -> Any:
    chance = IndexedBase("p")
    density = chance[k] * (1 - chance[k]) ** (x[i] - 1)
    return mixed(density, p=lambda share: Sum(share, i) / Sum(share * x[i], i))


def rayleigh_mixture() -> Model:
    sigma = IndexedBase("sigma")
    return Model({z[i]: one_two, x[i]: Rayleigh(sigma[z[i]])}, latent=[z])


def rayleigh_textbook() -> Any:
    sigma = IndexedBase("sigma")
    density = exp(-(x[i] ** 2) / (2 * sigma[k] ** 2)) / sigma[k] ** 2
    return mixed(density, sigma=lambda share: sqrt(Sum(share * x[i] ** 2, i) / (2 * Sum(share, i))))


def interval_lifetimes() -> Model:
    low, high = IndexedBase("a"), IndexedBase("b")
    return Model(
        {t[i]: Exponential(lam)}, latent=[t], known=[low, high], given=[t[i] > low[i], t[i] <= high[i]]
    )


def thinning() -> Model:
    return Model({N[i]: Poisson(lam), x[i]: Binomial(N[i], prob)}, latent=[N])


def thinning_textbook() -> Any:
    hidden = Sum(x[i] + lam * (1 - prob), i)
    return {lam: hidden / n, prob: Sum(x[i], i) / hidden}


def both_missing() -> Model:
    m, v = IndexedBase("mu"), IndexedBase("s2")
    return Model({z[i]: one_two, x[i]: Normal(m[z[i]], sqrt(v[z[i]]))}, missing=[x, z])


GENES = symbols("pC ph pH pa")
PAIRS = [(one, two) for one in range(4) for two in range(one, 4)]
COATS = symbols("nC nh nH")


def rabbits() -> Model:
    counts = {pair: symbols("n{}{}".format(*pair)) for pair in PAIRS}
    cells = [(1 if one == two else 2) * GENES[one] * GENES[two] for one, two in PAIRS]
    seen = [Eq(sum(counts[pair] for pair in PAIRS if pair[0] == coat), COATS[coat]) for coat in range(3)]
    return Model(
        {tuple(counts.values()): Multinomial(symbols("n"), *cells)},
        latent=list(counts.values())[:-1],
        known=[symbols("n")],
        given=seen,
        parameters={GENES: Simplex()},
    )


def coats(data: Values) -> Values:
    return dict(zip(["nC", "nh", "nH", "n33", "n"], [*data["n"], data["n"].sum()], strict=True))


def gamma_known_shape() -> Model:
    a = IndexedBase("a")
    return Model({z[i]: one_two, y[i]: Gamma(a[z[i]], 1 / b[z[i]])}, latent=[z], known=[a])


def disease_rates() -> Model:
    L, E = IndexedBase("L"), IndexedBase("E")
    shape, scale = symbols("r b")
    return Model(
        {L[g]: Gamma(shape, 1 / scale), x[g, j]: Poisson(L[g] * E[g, j])}, latent=[L], known=[shape, E]
    )


def disease_textbook() -> Any:
    E = IndexedBase("E")
    shape, scale = symbols("r b")
    return {scale: G * shape / Sum((shape + Sum(x[g, j], j)) / (scale + Sum(E[g, j], j)), g)}


def laplace_mixture() -> Model:
    m = IndexedBase("m")
    return Model({z[i]: one_two, y[i]: Laplace(m[z[i]], b[z[i]])}, latent=[z], known=[m])


def laplace_textbook() -> Any:
    distance = Abs(y[i] - IndexedBase("m")[k])
    return mixed(exp(-distance / b[k]) / b[k], b=lambda share: Sum(share * distance, i) / Sum(share, i))


def directions() -> Model:
    m, concentration = map(IndexedBase, ["mu", "kappa"])
    law = VonMises(m[z[i]], concentration[z[i]])
    return Model({z[i]: one_two, x[i]: law}, latent=[z], known=[concentration])


def directions_textbook() -> Any:
    m, concentration = map(IndexedBase, ["mu", "kappa"])
    density = exp(concentration[k] * cos(x[i] - m[k])) / besseli(0, concentration[k])
    return mixed(density, mu=lambda share: atan2(Sum(share * sin(x[i]), i), Sum(share * cos(x[i]), i)))


def directions_map() -> Model:
    m, (kappa, middle, spread) = IndexedBase("mu"), symbols("kappa m c")
    return Model(
        {z[i]: one_two, x[i]: VonMises(m[z[i]], kappa)},
        latent=[z],
        known=[kappa],
        prior={m: VonMises(middle, spread)},
    )


def answers_missing() -> Model:
    th = IndexedBase("th")
    return Model({z[i]: one_two, x[i, j]: Bernoulli(th[z[i], j])}, latent=[z], missing=[x])


def intercepts() -> Model:
    a, group, s2a = IndexedBase("a"), IndexedBase("g"), symbols("s2a")
    h = Idx("h", G)
    return Model(
        {a[h]: Normal(0, sqrt(s2a)), y[i]: Normal(mu + a[group[i]], sqrt(s2))}, latent=[a], known=[group]
    )


def subclasses() -> Model:
    H, L = symbols("H L", integer=True, positive=True)
    h, v = Idx("h", H), Idx("v", L)
    u, A, B, m = map(IndexedBase, ["u", "A", "B", "m"])
    return Model(
        {
            z[i]: one_two,
            u[i]: Categorical(A[z[i], h]),
            c[i]: Categorical(B[z[i], v]),
            x[i]: Normal(m[u[i]], sqrt(s2)),
        },
        latent=[z, u],
    )


def inverse_gaussian_mixture() -> Model:
    m, shape = IndexedBase("mu"), IndexedBase("lam")
    return Model({z[i]: one_two, x[i]: GaussianInverse(m[z[i]], shape[z[i]])}, latent=[z])


def pareto_mixture() -> Model:
    alpha = IndexedBase("alpha")
    return Model({z[i]: one_two, x[i]: Pareto(symbols("xm"), alpha[z[i]])}, latent=[z], known=[symbols("xm")])


def pareto_textbook() -> Any:
    alpha, excess = IndexedBase("alpha"), log(x[i] / symbols("xm"))
    density = alpha[k] * exp(-alpha[k] * excess)
    return mixed(density, alpha=lambda share: Sum(share, i) / Sum(share * excess, i))


def variances() -> Model:
    v = IndexedBase("v")
    return Model(
        {v[i]: GammaInverse(nu / 2, nu * s2 / 2), y[i]: Normal(mu, sqrt(v[i]))}, latent=[v], known=[nu]
    )


def variances_textbook() -> Any:
    precision = (nu + 1) / (nu * s2 + (y[i] - mu) ** 2)
    return {mu: Sum(precision * y[i], i) / Sum(precision, i), s2: n / Sum(precision, i)}


def censored_mixture() -> Model:
    rates = IndexedBase("lam")
    return Model(
        {z[i]: one_two, t[i]: Exponential(rates[z[i]])},
        latent=[z],
        missing=[t],
        known=[c],
        given=[t[i] > c[i]],
    )


def hurdle() -> Model:
    branches = {1: Dirac(0), 0: Exponential(rate)}
    return Model({z[i]: Bernoulli(weight), y[i]: Cases(z[i], branches)}, latent=[z])


def ordered_probit() -> Model:
    low, high = IndexedBase("low"), IndexedBase("high")
    line = Sum(X[i, q] * b[q], q)
    return Model(
        {y[i]: Normal(line, 1)}, latent=[y], known=[X, low, high], given=[y[i] > low[i], y[i] <= high[i]]
    )


def misclassified() -> Model:
    se, sp = symbols("se sp")
    positive = se * z[i] + (1 - sp) * (1 - z[i])
    return Model({z[i]: Bernoulli(prob), x[i]: Bernoulli(positive)}, latent=[z], known=[se, sp])


def misclassified_textbook() -> Any:
    se, sp = symbols("se sp")
    ill = prob * se ** x[i] * (1 - se) ** (1 - x[i])
    well = (1 - prob) * (1 - sp) ** x[i] * sp ** (1 - x[i])
    return {prob: Sum(ill / (ill + well), i) / n}


def two_tests() -> Model:
    pop, pr, th = map(IndexedBase, ["pop", "pr", "th"])
    return Model({z[i]: Bernoulli(pr[pop[i]]), x[i, j]: Bernoulli(th[z[i], j])}, latent=[z], known=[pop])


def missing_responses() -> Model:
    line = Sum(X[i, q] * b[q], q)
    return Model({y[i]: Normal(line, sqrt(s2))}, missing=[y], known=[X])


ROWS = [
    Row("zero_inflated_binomial", zero_inflated_binomial),
    Row("geometric_mixture", geometric_mixture, textbook=geometric_textbook),
    Row("rayleigh_mixture", rayleigh_mixture, textbook=rayleigh_textbook),
    Row("exp_interval_censored", interval_lifetimes),
    Row("poisson_thinning", thinning, textbook=thinning_textbook),
    Row("normal_missing_both", both_missing),
    Row(
        "rabbit_coat",
        rabbits,
        arrays=coats,
        theta=lambda theta: dict(zip(["pC", "ph", "pH", "pa"], theta["p"], strict=True)),
        constant=lambda data: log_multinomial(data["n"]),
    ),
    Row("gamma_known_shape", gamma_known_shape),
    Row("gamma_poisson_known_shape", disease_rates, textbook=disease_textbook),
    Row("laplace_known_location", laplace_mixture, textbook=laplace_textbook),
    Row("vonmises_mean", directions, textbook=directions_textbook),
    Row("vonmises_map", directions_map, prior=True),
    Row("lca_missing_items", answers_missing),
    # G is asked for: no array that is given has a slot over the groups
    Row("random_intercept_ids", intercepts, arrays=lambda data: {**data, "G": 6}),
    Row("coupled_labels", subclasses),
    Row("inverse_gaussian_mixture", inverse_gaussian_mixture),
    Row("pareto_mixture", pareto_mixture, textbook=pareto_textbook),
    Row("scale_inverse_gamma", variances, textbook=variances_textbook),
    Row("censored_mixture", censored_mixture),
    Row("hurdle_exponential", hurdle),
    Row("ordered_probit", ordered_probit),
    Row("misclassified", misclassified, textbook=misclassified_textbook),
    Row("hui_walter", two_tests),
    Row("healy_westmacott", missing_responses),
]
