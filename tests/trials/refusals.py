"""Models whose E-step is beyond this engine: each must be refused, and the latent named."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Idx, IndexedBase, exp, sqrt, symbols

from symem import Bernoulli, Categorical, Gamma, Model, Normal, Poisson, Weibull
from tests.trials import a, c, i, k, n, p, t, w, x, y, z

g, home, away = IndexedBase("g"), IndexedBase("home"), IndexedBase("away")


def switching_states() -> Model:
    q, r = symbols("q r")
    labels = {z[0]: Categorical(w[k]), z[i]: Categorical(p[z[i - 1], k])}
    states = {a[0]: Normal(0, 1), a[i]: Normal(a[i - 1], q * (1 + z[i])), x[i]: Normal(a[i], r)}
    return Model({**labels, **states}, latent=[z, a])


def block_model() -> Model:
    other = Idx("other", n)
    return Model({z[i]: Categorical(w[k]), x[i, other]: Bernoulli(p[z[i], z[other]])}, latent=[z])


def one_effect_at_two_labels() -> Model:
    va, ve, m = symbols("va ve m")
    pair = Normal(m + a[home[i]] + a[away[i]], sqrt(ve))
    return Model({a[k]: Normal(0, sqrt(va)), y[i]: pair}, latent=[a], known=[home, away])


def powers_of_any_number_beyond_a_limit_under_a_frailty() -> Model:
    shape, power, q = symbols("shape power q")
    laws = {a[k]: Gamma(shape, 1 / shape), t[i]: Weibull(q * a[g[i]] ** (-1 / power), power)}
    return Model(laws, latent=[a], missing=[t], known=[c, g], given=[t[i] > c[i]])


def poisson_with_normal_effect() -> Model:
    m, s = symbols("m s")
    return Model({a[i]: Normal(m, s), x[i]: Poisson(exp(a[i]))}, latent=[a])


REFUSALS: dict[str, tuple[Callable[[], Model], str]] = {
    "switching_states": (switching_states, "a"),
    "block_model": (block_model, "z"),
    "one_effect_at_two_labels": (one_effect_at_two_labels, "a"),
    "powers_of_any_number_beyond_a_limit_under_a_frailty": (
        powers_of_any_number_beyond_a_limit_under_a_frailty,
        "a",
    ),
    "poisson_with_normal_effect": (poisson_with_normal_effect, "a"),
}
