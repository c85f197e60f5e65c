"""Shapes of lifetimes of which some are known to lie between ends only: Gamma, inverse Gamma and Weibull, against SciPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import And, Eq, Idx, IndexedBase, Or, exp, symbols

from symem import EM, Bernoulli, Categorical, Gamma, GammaInverse, Model, Weibull

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
c, d, h, r, s, u, w, x, z = map(IndexedBase, ["c", "d", "h", "r", "s", "u", "w", "x", "z"])
a, b, f, g, q = symbols("a b f g q")
#: d = 1: the value was seen, 0: it is above x, 2: it is below.
WAYS = [
    And(Eq(d[i], 1), Eq(x[i], u[i])), And(Eq(d[i], 0), u[i] > x[i]), And(Eq(d[i], 2), u[i] < x[i]),
]  # fmt: skip
CURED = Or(And(Eq(d[i], 1), Eq(z[i], 1), Eq(x[i], u[i])), And(Eq(d[i], 0), Or(Eq(z[i], 0), u[i] > x[i])))
#: Family and law at (a, b).
LAWS: dict[str, tuple[Any, Callable[..., Any]]] = {
    "gamma": (Gamma, lambda a, b: scipy.stats.gamma(a, scale=b)),
    "inverse_gamma": (GammaInverse, lambda a, b: scipy.stats.invgamma(a, scale=b)),
    "weibull": (lambda a, b: Weibull(b, a), lambda a, b: scipy.stats.weibull_min(a, scale=b)),
}
MODELS: dict[str, Callable[[], Model]] = {
    name: lambda family=family: Model({u[i]: family(a, b)}, latent=[u], given=[Or(*WAYS)])
    for name, (family, _) in LAWS.items()
} | {
    "interval": lambda: Model({u[i]: Weibull(b, a)}, latent=[u], given=[u[i] > h[i], u[i] < r[i]]),
    "line": lambda: Model(
        {u[i]: Weibull(exp(f + g * c[i]), a)}, latent=[u], known=[c], given=[Or(*WAYS[:2])]
    ),
    "cure": lambda: Model({z[i]: Bernoulli(q), u[i]: Weibull(b, a)}, latent=[z, u], given=[CURED]),
    "mixture": lambda: Model(
        {z[i]: Categorical(w[k]), u[i]: Weibull(s[z[i]], r[z[i]])}, latent=[z, u], given=[Or(*WAYS[:2])]
    ),
}


@cache
def derived(name: str) -> EM:
    return MODELS[name]().derive(budget=float("inf"))


def seen(values: Any, *, below: bool = False) -> dict[str, Any]:
    """Lifetimes, some of which are cut above, or on one side or the other."""
    rng = np.random.default_rng(5)
    ends, kinds = rng.permutation(values), rng.choice([1, 1, 0, 2 if below else 0], len(values))
    cut = ((kinds == 0) & (ends < values)) | ((kinds == 2) & (ends > values))
    return {"d": np.where(cut, kinds, 1), "x": np.where(cut, ends, values)}


def likelihood(law: Any, given: dict[str, Any]) -> float:
    """Of those rows, by SciPy's density and tails."""
    if "h" in given:
        return float(np.log(law.cdf(given["r"]) - law.cdf(given["h"])).sum())
    x, d = given["x"], given["d"]
    return float(np.select([d == 1, d == 0], [law.logpdf(x), law.logsf(x)], law.logcdf(x)).sum())


def ends_at_a_maximum(em: EM, given: dict[str, Any], at: Callable[[Any], float], **sizes: Any) -> None:
    """A fit ends where a direct maximiser finds no more, `at` being ℓ at all parameters in their order."""
    fit = em.fit(**given, **sizes, seed=0, tol=1e-12, accelerate="auto")
    start = np.concatenate([np.ravel(each) for each in fit.parameters])
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(at(start), abs=1e-9)
    found = scipy.optimize.minimize(lambda point: -at(point), start, tol=1e-9, method="Nelder-Mead")
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-8)


@pytest.mark.parametrize("name", LAWS)
def test_seen_above_and_below(name: str) -> None:
    law = LAWS[name][1]
    given = seen(law(2.5, 1.3).rvs(60, random_state=3), below=True)
    order = derived(name).solver().Parameters._fields

    def at(point: Any) -> float:
        named = dict(zip(order, point, strict=True))
        return likelihood(law(named["a"], named["b"]), given)

    ends_at_a_maximum(derived(name), given, at)


def test_the_power_of_a_weibull_law_is_climbed_over_rows_and_proved() -> None:
    """E[u^a] at a new a: Γ(1 + a/p, bᵢxᵖ) e^(bᵢxᵖ) bᵢ^(-a/p), the step against quadrature."""
    given = seen(LAWS["weibull"][1](1.7, 2.0).rvs(30, random_state=3))
    em = derived("weibull")
    old, new = LAWS["weibull"][1](1.3, 0.7), em.solver().em_step({"a": 1.3, "b": 0.7}, **given)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    low = np.where(given["d"] == 0, old.cdf(given["x"]), 0)
    values = old.ppf(low[:, None] + (1 - low[:, None]) * (1 + nodes * (1 - 1e-12)) / 2)
    values = np.where(given["d"][:, None] == 1, given["x"][:, None], values)

    def surrogate(point: Any) -> float:
        law = LAWS["weibull"][1](*point)
        return float(-(weights / 2 * law.logpdf(values)).sum())

    found = scipy.optimize.minimize(surrogate, [1.3, 0.7], method="Nelder-Mead", options={"xatol": 1e-9})
    np.testing.assert_allclose([new.a, new.b], found.x, rtol=2e-5)
    for name in ("weibull", "line", "mixture"):
        claims = [each for own in derived(name).certificates for each in own.claims]
        assert {claim.status.value for claim in claims} == {"proved"}


def test_between_ends() -> None:
    law = LAWS["weibull"][1]
    low = np.floor(law(2.5, 1.3).rvs(60, random_state=1) * 2) / 2
    given = {"h": low, "r": low + 0.5}
    order = derived("interval").solver().Parameters._fields

    def at(point: Any) -> float:
        named = dict(zip(order, point, strict=True))
        return likelihood(law(named["a"], named["b"]), given)

    ends_at_a_maximum(derived("interval"), given, at)


@pytest.mark.slow
def test_a_line_for_the_logarithm() -> None:
    t = np.random.default_rng(2).normal(size=80)
    law = LAWS["weibull"][1]
    given = {**seen(np.exp(0.5 + 0.4 * t) * law(1.7, 1).rvs(80, random_state=3)), "c": t}
    fields = derived("line").solver().Parameters._fields

    def at(point: Any) -> float:
        named = dict(zip(fields, point, strict=True))
        return likelihood(law(named["a"], np.exp(named["f"] + named["g"] * t)), given)

    ends_at_a_maximum(derived("line"), given, at)


@pytest.mark.slow
def test_a_share_that_is_cured() -> None:
    law, rng = LAWS["weibull"][1], np.random.default_rng(4)
    values, ends = law(1.7, 2).rvs(200, random_state=3), rng.exponential(6, 200)
    values = np.where(rng.random(200) < 0.3, np.inf, values)
    given = {"d": (values < ends).astype(int), "x": np.minimum(values, ends)}
    fields = derived("cure").solver().Parameters._fields

    def at(point: Any) -> float:
        named = dict(zip(fields, point, strict=True))
        own, share = law(named["a"], named["b"]), named["q"]
        alive = np.log(1 - share + share * own.sf(given["x"]))
        return float(np.where(given["d"] == 1, np.log(share) + own.logpdf(given["x"]), alive).sum())

    ends_at_a_maximum(derived("cure"), given, at)


@pytest.mark.slow
def test_a_mixture() -> None:
    law, rng = LAWS["weibull"][1], np.random.default_rng(4)
    first, second = law(1.2, 0.5).rvs(300, random_state=3), law(3.5, 3).rvs(300, random_state=5)
    given = seen(np.where(rng.random(300) < 0.4, first, second))
    fields = derived("mixture").solver().Parameters._fields

    def at(point: Any) -> float:
        named = dict(zip(fields, np.reshape(point, (3, 2)), strict=True))
        own = law(named["r"][:, None], named["s"][:, None])
        rows = np.where(given["d"] == 1, own.logpdf(given["x"]), own.logsf(given["x"]))
        share = np.abs(named["w"])[:, None] / np.abs(named["w"]).sum()
        return float(scipy.special.logsumexp(rows + np.log(share), axis=0).sum())

    ends_at_a_maximum(derived("mixture"), given, at, K=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_the_ladder(name: str) -> None:
    ladder = derived(name).verify(seed=0)
    assert ladder.passed, ladder
