"""Kinds of models whose latents are summed over nodes: items, two latents together, counts, latents between ends."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, Product, exp, pi, sqrt, symbols

from symem import (
    EM,
    Bernoulli,
    Binary,
    Binomial,
    Cases,
    Categorical,
    Dirac,
    Labels,
    Laplace,
    LogNormal,
    Model,
    Normal,
    NotDerivedError,
    Poisson,
    Reals,
)
from symem.runtime.gauss_hermite import _rule_of_nodes

n, J, G, K = symbols("n J G K", integer=True, positive=True)
i, j, h, k = Idx("i", n), Idx("j", J), Idx("h", G), Idx("k", K)
g, z, w, mu, sigma = map(IndexedBase, ["g", "z", "w", "mu", "sigma"])
x, y, t, u, v, c, e, d, a, N, rate = map(
    IndexedBase, ["x", "y", "t", "u", "v", "c", "e", "d", "a", "N", "rate"]
)
b0, b1, r, s, m, size = symbols("b0 b1 r s m size")

LSAT = np.loadtxt(Path(__file__).parents[1] / "examples" / "data" / "lsat.csv", delimiter=",", skiprows=1)


def answered(power: Any) -> Any:
    return Bernoulli(1 / (1 + exp(-power)))


@cache
def derived(name: str) -> EM:
    return MODELS[name].derive(approximate="quadrature", budget=math.inf)


MODELS = {
    "rasch": Model({t[i]: Normal(0, 1), y[i, j]: answered(t[i] - d[j])}, latent=[t], weights={i: c[i]}),
    "items": Model(
        {t[i]: Normal(0, 1), y[i, j]: answered(a[j] * t[i] - d[j])},
        latent=[t],
        weights={i: c[i]},
        parameters={a: Reals()},
    ),
    "slopes": Model(
        {
            u[i]: Normal(0, s),
            v[i]: Normal(0, r),
            y[i, j]: Poisson(exp(b0 + u[i] + (b1 + v[i]) * x[i, j])),
        },
        latent=[u, v],
        known=[x],
    ),
    "lognormal": Model({rate[i]: LogNormal(m, s), y[i]: Poisson(rate[i])}, latent=[rate]),
    "found": Model(
        {N[i]: Poisson(size), y[i, j]: Binomial(N[i], 1 / (1 + exp(-b0 - b1 * x[i, j])))},
        latent=[N],
        known=[x],
    ),
    "long": Model({u[h]: Normal(0, s), y[i]: Poisson(exp(b0 + u[g[i]]))}, latent=[u], known={g: Labels(G)}),
    "mixed": Model(
        {z[i]: Categorical(w[k]), u[i]: Normal(mu[z[i]], sigma[z[i]]), y[i]: Poisson(exp(u[i]))},
        latent=[z, u],
    ),
    "unanswered": Model(
        {t[i]: Normal(0, 1), y[i, j]: Cases(e[i, j], {0: Dirac(0), 1: answered(t[i] - d[j])})},
        latent=[t],
        known={e: Binary()},
    ),
    "errors": Model(
        {t[i]: Normal(m, r), x[i]: Normal(t[i], 1), y[i]: Poisson(exp(b0 + b1 * t[i]))}, latent=[t]
    ),
    "missing": Model({t[i]: Normal(0, 1), y[i, j]: answered(t[i] - d[j])}, latent=[t], missing=[y]),
}


def test_the_items_of_a_test() -> None:
    """Rasch 1960 on the items of Bock & Lieberman 1970: the numbers that Rizopoulos 2006, Journal of Statistical Software 17(5), prints."""
    fit = derived("rasch").fit(y=LSAT[:, :5], c=LSAT[:, 5], seed=0)
    assert fit.log_likelihood == pytest.approx(-2473.054, abs=5e-4)
    assert fit.parameters.d == pytest.approx([-2.8720, -1.0630, -0.2576, -1.3881, -2.2188], abs=2e-4)


@pytest.mark.slow
def test_items_that_tell_more_or_less() -> None:
    """The two-parameter model on them, from the same source."""
    fit = derived("items").fit(y=LSAT[:, :5], c=LSAT[:, 5], seed=0, accelerate="auto")
    assert fit.log_likelihood == pytest.approx(-2466.653, abs=5e-4)


def test_two_latents_together() -> None:
    """A random intercept and slope, against a sum over a fine grid."""
    rng = np.random.default_rng(5)
    given = rng.normal(size=(12, 3))
    seen = rng.poisson(np.exp(0.2 + 0.5 * given))
    theta = {"b0": 0.2, "b1": 0.5, "s": 0.7, "r": 0.4}
    first, second = (np.linspace(-7 * spread, 7 * spread, 261) for spread in (0.7, 0.4))
    power = 0.2 + first[:, None] + (0.5 + second) * given[:, :, None, None]
    terms = (seen[:, :, None, None] * power - np.exp(power)).sum(axis=1)
    law = scipy.stats.norm.logpdf(first, scale=0.7)[:, None] + scipy.stats.norm.logpdf(second, scale=0.4)
    step = math.log((first[1] - first[0]) * (second[1] - second[0]))
    constant = scipy.special.gammaln(seen + 1).sum()
    right = scipy.special.logsumexp(terms + law + step, axis=(1, 2)).sum() - constant
    solver = derived("slopes").solver()
    found = solver.log_likelihood(theta, x=given, y=seen, Q=30**2)
    assert found == pytest.approx(right, abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["slopes", "found", "lognormal", "unanswered"])
def test_verified(name: str) -> None:
    found = derived(name).verify(seconds=60.0)
    assert not found.failed, str(found)


def test_a_latent_above_zero() -> None:
    """Poisson counts with log-normal rates: a logarithm is normal, so both statements are one."""
    counts = np.random.default_rng(2).poisson(4.0, size=30)
    theta = {"m": 1.2, "s": 0.6}
    places = np.linspace(-8.0, 8.0, 4001) * 0.6 + 1.2
    terms = scipy.stats.poisson.logpmf(counts[:, None], np.exp(places)) + scipy.stats.norm.logpdf(
        places, 1.2, 0.6
    )
    right = scipy.special.logsumexp(terms + math.log(places[1] - places[0]), axis=1).sum()
    found = derived("lognormal").solver().log_likelihood(theta, y=counts, Q=48)
    assert found == pytest.approx(right, abs=1e-8)


def test_counts_without_a_family() -> None:
    """Animals that are seen each time with a chance that covariates decide (Royle 2004), against a sum over 400 of them."""
    rng = np.random.default_rng(3)
    given = rng.normal(size=(20, 3))
    chance = 1 / (1 + np.exp(0.4 - 0.5 * given))
    seen = rng.binomial(rng.poisson(7, size=(20, 1)), chance)
    theta = {"size": 7.0, "b0": -0.4, "b1": 0.5}
    whole = np.arange(400)
    terms = scipy.stats.binom.logpmf(seen[:, :, None], whole, chance[:, :, None]).sum(axis=1)
    right = scipy.special.logsumexp(terms + scipy.stats.poisson.logpmf(whole, 7.0), axis=1).sum()
    assert derived("found").solver().log_likelihood(theta, x=given, y=seen) == pytest.approx(right, rel=1e-12)


def test_bounded_counts_are_summed_exactly() -> None:
    """Out of 9 animals each: a sum over ten values, and no approximation."""
    law = {N[i]: Binomial(9, r), y[i, j]: Binomial(N[i], 1 / (1 + exp(-b0 - b1 * x[i, j])))}
    em = Model(law, latent=[N], known=[x]).derive(budget=math.inf)
    rng = np.random.default_rng(3)
    given = rng.normal(size=(20, 3))
    chance = 1 / (1 + np.exp(0.4 - 0.5 * given))
    seen = rng.binomial(rng.binomial(9, 0.6, size=(20, 1)), chance)
    whole = np.arange(10)
    terms = scipy.stats.binom.logpmf(seen[:, :, None], whole, chance[:, :, None]).sum(axis=1)
    right = scipy.special.logsumexp(terms + scipy.stats.binom.logpmf(whole, 9, 0.6), axis=1).sum()
    theta = {"r": 0.6, "b0": -0.4, "b1": 0.5}
    assert em.solver().log_likelihood(theta, x=given, y=seen) == pytest.approx(right, rel=1e-12)
    assert not em.approximation
    assert em.fit(x=given, y=seen, seed=0).log_likelihood > right


def test_groups_by_label() -> None:
    """Rows that say of which group they are give what a table of the groups gives."""
    counts = np.random.default_rng(6).poisson(3.0, size=(8, 4))
    theta = {"b0": 0.9, "s": 0.5}
    places = np.linspace(-9.0, 9.0, 2001) * 0.5
    terms = scipy.stats.poisson.logpmf(counts[:, :, None], np.exp(0.9 + places)).sum(axis=1)
    law = scipy.stats.norm.logpdf(places, scale=0.5) + math.log(places[1] - places[0])
    right = scipy.special.logsumexp(terms + law, axis=1).sum()
    order = np.random.default_rng(7).permutation(32)
    rows = {"y": counts.ravel()[order], "g": np.repeat(np.arange(8), 4)[order]}
    assert derived("long").solver().log_likelihood(theta, **rows, G=8, Q=48) == pytest.approx(right, abs=1e-9)


def test_groups_of_any_size() -> None:
    """One with no row, one with a single, others with more: what a sum over each group's rows gives."""
    labels = np.repeat([0, 1, 3, 4], [1, 5, 2, 9])
    counts = np.random.default_rng(6).poisson(3.0, size=len(labels))
    places = np.linspace(-9.0, 9.0, 2001) * 0.5
    terms = scipy.stats.poisson.logpmf(counts[:, None], np.exp(0.9 + places))
    law = scipy.stats.norm.logpdf(places, scale=0.5) + math.log(places[1] - places[0])
    right = sum(scipy.special.logsumexp(terms[labels == each].sum(axis=0) + law) for each in range(5))
    found = derived("long").solver().log_likelihood({"b0": 0.9, "s": 0.5}, y=counts, g=labels, G=5, Q=48)
    assert found == pytest.approx(right, abs=1e-9)


def test_chances_of_a_softmax_are_a_law() -> None:
    """Three answers, one of them more likely the higher a latent is; their chances add up to 1 over one denominator."""
    whole = 1 + exp(b0 + t[i]) + exp(b1)
    cells = (1 / whole, exp(b0 + t[i]) / whole, exp(b1) / whole)
    em = Model({t[i]: Normal(0, 1), y[i, j]: Categorical(cells)}, latent=[t]).derive(
        approximate="quadrature", budget=math.inf
    )
    answers = np.random.default_rng(8).integers(0, 3, size=(7, 4))
    places = np.linspace(-9.0, 9.0, 2001)
    logs = np.stack([0 * places, 0.3 + places, 0 * places - 0.2])
    terms = (logs - scipy.special.logsumexp(logs, axis=0))[answers].sum(axis=1)
    law = scipy.stats.norm.logpdf(places) + math.log(places[1] - places[0])
    right = scipy.special.logsumexp(terms + law, axis=1).sum()
    found = em.solver().log_likelihood({"b0": 0.3, "b1": -0.2}, y=answers, Q=48)
    assert found == pytest.approx(right, abs=1e-9)


def test_each_label_has_nodes_of_its_own() -> None:
    """A mixture of Poisson-lognormal laws."""
    counts = np.random.default_rng(8).poisson(5.0, size=20)
    theta = {"w": [0.3, 0.7], "mu": [0.0, 2.0], "sigma": [0.5, 0.3]}
    places = np.linspace(-5.0, 6.0, 6001)
    terms = scipy.stats.poisson.logpmf(counts[:, None], np.exp(places)) + math.log(places[1] - places[0])
    parts = [
        math.log(share)
        + scipy.special.logsumexp(terms + scipy.stats.norm.logpdf(places, centre, spread), axis=1)
        for share, centre, spread in zip(*theta.values(), strict=True)
    ]
    right = np.logaddexp(*parts).sum()
    assert derived("mixed").solver().log_likelihood(theta, y=counts, Q=48) == pytest.approx(right, abs=1e-8)


def test_a_covariate_with_errors() -> None:
    """What stands before the latent in an exponential is climbed, and proved to be a maximum."""
    rng = np.random.default_rng(9)
    true = rng.normal(0.3, 0.9, size=30)
    data = {"x": true + rng.normal(size=30), "y": rng.poisson(np.exp(0.2 + 0.6 * true))}
    theta = {"m": 0.1, "r": 0.8, "b0": 0.1, "b1": 0.5}
    places = np.linspace(-8.0, 8.0, 4001)
    law = scipy.stats.norm.logpdf(places, 0.1, 0.8) + scipy.stats.norm.logpdf(data["x"][:, None], places)
    terms = scipy.stats.poisson.logpmf(data["y"][:, None], np.exp(0.1 + 0.5 * places)) + law
    right = scipy.special.logsumexp(terms + math.log(places[1] - places[0]), axis=1).sum()
    solver = derived("errors").solver()
    assert solver.log_likelihood(theta, **data, Q=48) == pytest.approx(right, abs=1e-9)
    assert solver.log_likelihood(solver.em_step(theta, **data, Q=48), **data, Q=48) > right
    proved = derived("errors").certificates[-1]
    assert "Q is concave" in str(proved)


@pytest.mark.parametrize("count", [1, 12, 100, 700])
def test_rules_of_few_and_of_many_nodes(count: int) -> None:
    """Exact for polynomials of degree 2 Q - 1 under the normal law; weights that are no numbers any more are logarithms."""
    nodes, weights = _rule_of_nodes(count, 1)
    shares = np.exp(weights - nodes[0] ** 2 / 2) / math.sqrt(2 * math.pi)
    powers = [0, 1] if count == 1 else [0, 1, 2, 4, 8]
    moments = {0: 1.0, 1: 0.0, 2: 1.0, 4: 3.0, 8: 105.0}
    assert [float(shares @ nodes[0] ** power) for power in powers] == pytest.approx(
        [moments[power] for power in powers], rel=1e-12, abs=1e-12
    )
    assert np.all(np.isfinite(weights))


def test_a_kink_is_refused() -> None:
    stated = Model({u[i]: Normal(m, s), y[i]: Laplace(u[i], 1)}, latent=[u])
    with pytest.raises(NotDerivedError, match="Abs"):
        stated.derive(approximate="quadrature")


def test_the_plain_style_is_refused() -> None:
    with pytest.raises(NotDerivedError, match="nodes"):
        derived("lognormal").source(style="plain")


def test_answers_that_are_missing_are_left_out() -> None:
    rng = np.random.default_rng(4)
    answers, asked = rng.integers(0, 2, size=(9, 4)), rng.integers(0, 2, size=(9, 4))
    theta = {"d": [-1.0, 0.0, 0.5, 1.0]}
    places = np.linspace(-9.0, 9.0, 2001)
    power = places - np.reshape(theta["d"], (1, 4, 1))
    terms = asked[:, :, None] * (answers[:, :, None] * power - np.logaddexp(0, power))
    law = scipy.stats.norm.logpdf(places) + math.log(places[1] - places[0])
    right = scipy.special.logsumexp(terms.sum(axis=1) + law, axis=1).sum()
    found = derived("unanswered").solver().log_likelihood(theta, y=answers * asked, e=asked, Q=48)
    assert found == pytest.approx(right, abs=1e-9)


def test_missing_answers_are_those_that_are_known_to_be() -> None:
    """`missing=` and a known 0/1 array say the same; nothing stands for what is missing, as nothing hangs on it."""
    rng = np.random.default_rng(4)
    answers, asked = rng.integers(0, 2, size=(9, 4)), rng.integers(0, 2, size=(9, 4))
    theta = {"d": [-1.0, 0.0, 0.5, 1.0]}
    stepped = derived("unanswered").solver().em_step(theta, y=answers * asked, e=asked)
    found = derived("missing").solver().em_step(theta, y=np.where(asked, answers, np.nan))
    assert found.d == pytest.approx(stepped.d, abs=1e-12)
    assert [each.name for each in derived("missing").model.latents] == ["t"]
    assert "left out where missing" in derived("missing").markdown()


def test_missing_counts_are_left_out() -> None:
    """Their mean given the latent would hold parameters: what is missing is left out, not imputed."""
    stated = Model({u[i]: Normal(0, s), y[i, j]: Poisson(exp(b0 + u[i]))}, latent=[u], missing=[y])
    em = stated.derive(approximate="quadrature", budget=math.inf)
    counts = np.random.default_rng(5).poisson(3.0, size=(20, 3)).astype(float)
    counts[::2, 1] = np.nan
    theta = {"b0": 0.9, "s": 0.5}
    places = np.linspace(-9.0, 9.0, 2001) * 0.5
    terms = np.nansum(scipy.stats.poisson.logpmf(counts[:, :, None], np.exp(0.9 + places)), axis=1)
    law = scipy.stats.norm.logpdf(places, scale=0.5) + math.log(places[1] - places[0])
    right = scipy.special.logsumexp(terms + law, axis=1).sum()
    assert em.solver().log_likelihood(theta, y=counts, Q=48) == pytest.approx(right, abs=1e-8)
    after = em.solver().em_step(theta, y=counts, Q=48)
    assert em.solver().log_likelihood(after, y=counts, Q=48) > right


def test_missing_answers_of_a_likelihood_are_told_what_to_state() -> None:
    law = exp(-(t[i] ** 2) / 2) / sqrt(2 * pi)
    chance = 1 / (1 + exp(d[j] - t[i]))
    stated = Model.from_likelihood(
        Product(law * Product(chance ** y[i, j] * (1 - chance) ** (1 - y[i, j]), j), i),
        latent={t: Reals()},
        parameters={d: Reals()},
        data={y: Binary()},
        missing=[y],
    )
    with pytest.raises(NotDerivedError, match=r"state \{y: law\}"):
        stated.derive(approximate="quadrature")


def test_three_latents_are_refused() -> None:
    three = {each[i]: Normal(0, 1) for each in (t, u, v)}
    stated = Model({**three, y[i]: Poisson(exp(b0 + t[i] * u[i] + u[i] * v[i] + v[i]))}, latent=[t, u, v])
    with pytest.raises(NotDerivedError, match="one or two latents"):
        stated.derive(approximate="quadrature")


def test_latents_of_two_levels_are_refused_by_name() -> None:
    stated = Model(
        {u[h]: Normal(0, s), v[i]: Normal(0, r), y[i, j]: Poisson(exp(b0 + u[g[i]] + v[i]))},
        latent=[u, v],
        known={g: Labels(G)},
    )
    with pytest.raises(NotDerivedError, match="two latents at the same position"):
        stated.derive(approximate="quadrature")
