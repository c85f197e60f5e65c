"""Small models, one for each law that no example takes a step by."""

from __future__ import annotations

from sympy import Eq, Idx, IndexedBase, Product, Rational, Sum, exp, symbols

from symem import (
    Bernoulli,
    Categorical,
    Dirichlet,
    Exponential,
    Interval,
    Model,
    Normal,
    Poisson,
    Rayleigh,
    VonMises,
)

n, m, K = symbols("n m K", integer=True, positive=True)
i, j, k = Idx("i", n), Idx("j", m), Idx("k", K)
x, y, z, c, e = map(IndexedBase, ["x", "y", "z", "c", "e"])
w, mu, al, s, q = map(IndexedBase, ["w", "mu", "alpha", "s", "q"])
a, b, p, r, sigma, kappa = symbols("a b p r sigma kappa")

LABEL = {z[i]: Categorical(w[k])}
MODELS = {
    "a mixture of directions": Model({**LABEL, x[i]: VonMises(mu[z[i]], kappa)}, latent=[z], known=[kappa]),
    "a Poisson law with a log-rate": Model({**LABEL, x[i]: Poisson(exp(mu[z[i]]))}, latent=[z]),
    "a probability between bounds": Model(
        {z[i]: Bernoulli(p), x[i]: Normal(mu[z[i]], 1)}, latent=[z], parameters={p: Interval(0.1, 0.9)}
    ),
    "a sparse mixture": Model(
        {**LABEL, x[i]: Normal(mu[z[i]], 1)}, latent=[z], prior={w: Dirichlet(Rational(1, 2))}
    ),
    "a rate with a prior": Model(
        {**LABEL, x[i]: Exponential(mu[z[i]])}, latent=[z], prior={mu[k]: Rayleigh(1)}
    ),
    "a mixture of regressions": Model(
        {**LABEL, y[i]: Normal(Sum(q[z[i], j] * c[i, j], j), sigma)}, latent=[z], known=[c]
    ),
    "a straight line with errors of two kinds": Model(
        {z[i]: Bernoulli(p), y[i]: Normal(a + b * x[i], s[z[i]])}, latent=[z], known=[x, s]
    ),
    "intercepts of groups": Model({**LABEL, y[i]: Normal(al[z[i]] + b * x[i], sigma)}, latent=[z], known=[x]),
    "two deviations and one mean": Model({z[i]: Bernoulli(p), x[i]: Normal(mu[0], s[z[i]])}, latent=[z]),
    "rows that count": Model({**LABEL, x[i]: Exponential(mu[z[i]])}, latent=[z], weights={i: c[i]}),
    "a noisy or": Model(
        {z[i, j]: Bernoulli(q[j])}, latent=[z], given=[Eq(y[i], 1 - Product(1 - z[i, j], j))]
    ),
}
