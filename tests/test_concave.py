"""Blocks in which Q is concave: what is read as concave, the ascent, and what data may do to it."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Expr, Idx, IndexedBase, Sum, Symbol, exp, expand_power_base, log, loggamma, symbols

from symem import (
    EM,
    Bernoulli,
    Binary,
    Cases,
    Categorical,
    Gamma,
    IndexedVector,
    Labels,
    Model,
    Normal,
    Poisson,
    Positive,
    Reals,
    Simplex,
    Weibull,
)
from symem.calculus.curvature import Curvature
from symem.calculus.differentiate import Unknown
from symem.derivation import Ascent, Chart, Status
from symem.language.special import by_logs
from symem.runtime.newton import Place, _climbed
from tests.derived import em

n, K, d = symbols("n K d", integer=True, positive=True)
i, k, h = Idx("i", n), Idx("k", K), Idx("h", K)
y, z, t, w, a, b, mu, s = map(IndexedBase, ["y", "z", "t", "w", "a", "b", "mu", "s"])
x, B = IndexedVector("x", d), IndexedVector("B", d)
u, v = symbols("u v", real=True)
c = Symbol("c", positive=True)


# what is concave ---------------------------------------------------------------------------------------------


def sign(expr: Expr) -> int | None:
    """Of numbers and of positive letters."""
    return 1 if expr.is_nonnegative else -1 if expr.is_nonpositive else None


SHAPES: dict[Expr, tuple[bool, bool]] = {
    2 * u - 3 * v + c: (True, True),
    -c * exp(u + 2 * v): (False, True),
    c * exp(u + 2 * v): (True, False),
    log(c + exp(u) + exp(u - v)): (True, False),
    -log(1 + exp(-u)) - u**2: (False, True),
    log(exp(u) - exp(v)): (False, False),
    exp(u) * exp(u - v): (True, False),
    exp(-exp(u)): (False, False),
    exp(exp(u)): (True, False),
    u * v: (False, False),
    u**3: (False, False),
    u**2 + v**4: (True, False),
    loggamma(u + c): (True, False),
    log(c + u): (False, True),
    c**u: (True, False),
    1 / (1 + exp(u)): (False, False),
    -log(3 - exp(u)): (True, False),
    log(c + exp(u)) - log(c - exp(u)): (True, False),
    log(exp(u) - c): (False, False),
}


@pytest.mark.parametrize("number", range(len(SHAPES)))
def test_shapes_of_functions(number: int) -> None:
    expr = list(SHAPES)[number]
    shape = Curvature((Unknown(u, ()), Unknown(v, ())), sign)(expr)
    assert (shape.convex, shape.concave) == SHAPES[expr]


@pytest.mark.parametrize("number", range(len(SHAPES)))
def test_what_is_called_convex_lies_below_its_chords(number: int) -> None:
    expr = list(SHAPES)[number].subs(c, 3.3)
    shape = Curvature((Unknown(u, ()), Unknown(v, ())), sign)(expr)
    rng = np.random.default_rng(number)
    for one, other in rng.uniform(-1, 1, (20, 2, 2)):
        ends = [float(expr.subs({u: p[0], v: p[1]}).as_real_imag()[0]) for p in (one, other)]
        middle = (one + other) / 2
        height = float(expr.subs({u: middle[0], v: middle[1]}).as_real_imag()[0])
        assert not shape.convex or height <= sum(ends) / 2 + 1e-12
        assert not shape.concave or height >= sum(ends) / 2 - 1e-12


q, r = symbols("q r", positive=True)
CHARTED: dict[Expr, tuple[Chart, Chart, bool]] = {
    log(q) - c * q - r * c**q: (Chart(), Chart("log"), True),
    log(q) - q * log(r) - (c / r) ** q: (Chart(), Chart("power", 0), True),
    log(q) - q * log(r) - c**q * r ** (-q): (Chart(), Chart("power", 0), True),
    log(q) - q * log(r) - c**q * r ** (-2): (Chart(), Chart("power", 0), False),
    log(q) - r * c**q: (Chart(), Chart(), False),
    -q * r: (Chart("log"), Chart("log"), True),
}


@pytest.mark.parametrize("number", range(len(CHARTED)))
def test_shapes_in_the_coordinates_of_charts(number: int) -> None:
    expr = expand_power_base(list(CHARTED)[number], force=True)
    *charts, concave = list(CHARTED.values())[number]
    unknowns = (Unknown(q, ()), Unknown(r, ()))
    assert Curvature(unknowns, sign, charts)(expr).concave == concave


def test_ratios_of_exponentials_neither_overflow_nor_are_undefined() -> None:
    share = by_logs(exp(u) * c / (1 + exp(u)) ** 2)
    assert float(share.subs({u: 2000, c: 1})) == 0.0
    assert float(share.subs({u: 0.3, c: 2})) == pytest.approx(2 * np.exp(0.3) / (1 + np.exp(0.3)) ** 2)


# the ascent --------------------------------------------------------------------------------------------------


def test_the_ascent_ends_at_the_maximum_from_far_away() -> None:
    weights, rows = np.array([1.0, 2.0, 0.5]), np.array([[1.0, 0.2], [1.0, -1.0], [1.0, 3.0]])

    def at(point: Any) -> Place:
        rates = np.exp(rows @ point)
        return Place(
            float(weights @ (rows @ point) - rates.sum()),
            rows.T @ (weights - rates),
            -(rows.T * rates) @ rows,
        )

    for start in ([0.0, 0.0], [30.0, -20.0], [-40.0, 5.0]):
        with np.errstate(all="ignore"):
            found = _climbed(at, np.array(start))
        assert np.abs(at(found.point).slopes).max() < 1e-12
        assert not np.any(found.endless)


def test_a_direction_that_the_function_does_not_see_is_left_alone() -> None:
    def at(point: Any) -> Place:
        gap = point[0] - point[1]
        return Place(-((gap - 3) ** 2), np.array([-2, 2]) * (gap - 3), -2 * np.array([[1, -1], [-1, 1]]))

    found = _climbed(at, np.array([1.0, 1.0]))
    np.testing.assert_allclose(found.point, [2.5, -0.5])
    assert not np.any(found.endless)


# models ------------------------------------------------------------------------------------------------------


@functools.cache
def poisson() -> EM:
    rate = exp(a[z[i]] + b[z[i]] * t[i])
    return Model({z[i]: Categorical(w[k]), y[i]: Poisson(rate)}, latent=[z], known=[t]).derive()


@functools.cache
def logistic() -> EM:
    chance = 1 / (1 + exp(-a[z[i]] - b[z[i]] * t[i]))
    return Model({z[i]: Categorical(w[k]), y[i]: Bernoulli(chance)}, latent=[z], known=[t]).derive()


@functools.cache
def gate() -> EM:
    """Two levels, and which of them a row is at depends on t."""
    chance = 1 / (1 + exp(-u - v * t[i]))
    levels = {0: Normal(mu[0], s[0]), 1: Normal(mu[1], s[1])}
    return Model({z[i]: Bernoulli(chance), y[i]: Cases(z[i], levels)}, latent=[z], known=[t]).derive()


@functools.cache
def weibull() -> EM:
    return Model({z[i]: Categorical(w[k]), y[i]: Weibull(a[z[i]], b[z[i]])}, latent=[z]).derive()


def one_power() -> EM:
    return Model({z[i]: Categorical(w[k]), y[i]: Weibull(a[z[i]], c)}, latent=[z]).derive()


def censored() -> EM:
    """Proportional hazards exp(a + b t) y^q, of which `seen` says whether the end was."""
    seen = IndexedBase("seen")
    hazard, power = a[z[i]] + b[z[i]] * t[i], s[z[i]]
    rows = seen[i] * (log(power) + (power - 1) * log(y[i]) + hazard) - exp(hazard) * y[i] ** power
    return Model.from_likelihood(
        log_likelihood=Sum(log(w[z[i]]) + rows, i),
        latent={z: Labels(K)},
        parameters={w: Simplex(), s: Positive(), a: Reals(), b: Reals()},
        data={y: Positive(), seen: Binary()},
        known=[t],
    ).derive()


def with_priors() -> EM:
    rate = exp(a[z[i]] + b[z[i]] * t[i])
    laws = {z[i]: Categorical(w[k]), y[i]: Poisson(rate)}
    prior = {a[k]: Normal(0, 2), b[k]: Normal(1, 3)}
    return Model(laws, latent=[z], known=[t], prior=prior).derive()


def softmax_of_vectors() -> EM:
    share = exp(B[k].T * x[i]) / Sum(exp(B[h].T * x[i]), h)
    return Model({z[i]: Categorical(share), y[i]: Normal(mu[z[i]], s[z[i]])}, latent=[z], known=[x]).derive()


def counts_by_vectors() -> EM:
    return Model(
        {z[i]: Categorical(w[k]), y[i]: Poisson(exp(B[z[i]].T * x[i]))}, latent=[z], known=[x]
    ).derive()


MODELS: dict[str, Callable[[], EM]] = {
    "poisson": poisson,
    "logistic": logistic,
    "gate": gate,
    "priors": with_priors,
    "softmax of vectors": softmax_of_vectors,
    "counts by vectors": counts_by_vectors,
    "weibull": weibull,
    "one power": one_power,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=[] if each == "priors" else [pytest.mark.slow]) for each in MODELS],
)
def test_models_climb_the_ladder(name: str) -> None:
    algorithm = MODELS[name]()
    assert not algorithm.derivation.not_derived
    assert any(isinstance(update, Ascent) for update in algorithm.derivation.updates)
    assert {claim.status for each in algorithm.certificates for claim in each.claims} <= {
        Status.PROVED,
        Status.UNDER,
    }
    found = algorithm.verify(seed=0)
    assert {rung.name: rung.passed for rung in found.rungs if rung.name < "V5"} == dict.fromkeys(
        ["V0", "V1", "V2", "V3", "V4"], True
    )
    assert not any(rung.name == "V6" and rung.passed is False for rung in found.rungs)


def test_it_is_told_what_is_climbed_and_why() -> None:
    text = str(poisson())
    assert "a_k = the a_k with Σ_i γ_ik exp(a_k + b_k t_i) = S_0k" in text
    assert "a_k: proved: stationarity, second order, support" in text
    assert "Newton's method climbs to its maximum; every step is a pass over the rows" in poisson().markdown()


COVARIATE = np.linspace(-2, 2, 60)


def smooth(value: Callable[[Any], float], start: Any) -> float:
    return float(
        scipy.optimize.minimize(lambda p: -value(p), start, method="BFGS", options={"gtol": 1e-9}).fun
    )


def test_one_component_is_the_maximum_likelihood_estimate() -> None:
    rng = np.random.default_rng(1)
    counts = rng.poisson(np.exp(0.4 + 0.8 * COVARIATE))
    fit = poisson().fit(y=counts, t=COVARIATE, K=1, seed=0)
    at = {"w": [1.0], "a": [0.0], "b": [0.0]}
    module = poisson().solver()

    def height(p: Any) -> float:
        return float(module.log_likelihood({**at, "a": p[:1], "b": p[1:]}, y=counts, t=COVARIATE))

    assert -smooth(height, [0.0, 0.0]) == pytest.approx(fit.log_likelihood, rel=1e-10)
    assert fit.n_iter <= 2


def test_a_fit_never_falls_and_finds_what_was_drawn() -> None:
    rng = np.random.default_rng(2)
    covariate, label = rng.normal(size=4000), rng.integers(2, size=4000)
    counts = rng.poisson(np.exp(np.array([0.0, 2.0])[label] + np.array([1.0, -0.5])[label] * covariate))
    fit = poisson().fit(y=counts, t=covariate, K=2, seed=0)
    assert fit.converged
    assert np.all(np.diff(fit.history) > -1e-9)
    order = np.argsort(fit.parameters.a)
    np.testing.assert_allclose(np.asarray(fit.parameters.a)[order], [0, 2], atol=0.1)
    np.testing.assert_allclose(np.asarray(fit.parameters.b)[order], [1, -0.5], atol=0.1)


def test_far_covariates_and_large_counts_keep_their_digits() -> None:
    rng = np.random.default_rng(3)
    counts = rng.poisson(np.exp(3 + 0.5 * COVARIATE))
    plain = poisson().fit(y=counts, t=COVARIATE, K=1, seed=0)
    scaled = poisson().fit(y=counts, t=1e6 * COVARIATE, K=1, seed=0)
    moved = poisson().fit(y=counts, t=1e4 + COVARIATE, K=1, seed=0)
    assert scaled.parameters.b[0] * 1e6 == pytest.approx(plain.parameters.b[0], rel=1e-9)
    assert moved.parameters.b[0] == pytest.approx(plain.parameters.b[0], rel=1e-6)


@pytest.mark.parametrize(
    ("model", "rows", "name"),
    [
        (poisson, np.zeros(60, dtype=int), "a[0]"),
        (logistic, np.zeros(60, dtype=int), "a[0]"),
        (logistic, np.ones(60, dtype=int), "a[0]"),
        (logistic, (COVARIATE > 0.3).astype(int), "b[0]"),
    ],
    ids=["no counts", "none", "all", "separated"],
)
def test_what_rises_for_ever_is_named(model: Callable[[], EM], rows: Any, name: str) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit = model().fit(y=rows, t=COVARIATE, K=1, seed=0)
    assert not fit.converged
    assert np.isfinite(fit.log_likelihood)
    assert any(each.category.__name__ == "BoundaryWarning" and name in str(each.message) for each in told)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("rows", [np.array([3]), np.full(60, 4)], ids=["one", "equal"])
def test_a_flat_direction_is_no_obstacle(rows: Any) -> None:
    covariate = np.ones(len(rows))
    fit = poisson().fit(y=rows, t=covariate, K=1, seed=0)
    assert fit.converged
    assert fit.parameters.a[0] + fit.parameters.b[0] == pytest.approx(np.log(rows[0]))


@pytest.mark.parametrize("scale", [1.0, 1e6, 1e-6])
def test_a_weibull_law_is_fitted_as_scipy_does(scale: float) -> None:
    rows = scale * np.random.default_rng(5).weibull(1.7, 300)
    fit = weibull().fit(y=rows, K=1, seed=0)
    power, _, size = scipy.stats.weibull_min.fit(rows, floc=0)
    height = scipy.stats.weibull_min.logpdf(rows, power, 0, size).sum()
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(height, rel=1e-7)
    assert fit.log_likelihood > height - 1e-9 * abs(height)
    assert fit.parameters.b[0] == pytest.approx(power, rel=1e-4)


@pytest.mark.parametrize(
    "rows", [np.full(30, 3.0), np.ones(20), np.array([2.5])], ids=["equal", "ones", "one"]
)
def test_rows_without_spread_are_named(rows: Any) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit = weibull().fit(y=rows, K=1, seed=0)
    assert not fit.converged
    assert np.isfinite(fit.log_likelihood)
    assert any(each.category.__name__ == "BoundaryWarning" and "b[0]" in str(each.message) for each in told)


def test_a_censored_regression_finds_what_was_drawn() -> None:
    rng = np.random.default_rng(6)
    covariate, end = rng.normal(size=3000), rng.exponential(3, size=3000)
    times = (rng.exponential(size=3000) / np.exp(-1 + 0.7 * covariate)) ** 0.5
    fit = censored().fit(y=np.minimum(times, end), seen=(times <= end).astype(int), t=covariate, K=1, seed=0)
    assert fit.converged
    assert fit.parameters.s[0] == pytest.approx(2, abs=0.1)
    assert fit.parameters.a[0] == pytest.approx(-1, abs=0.1)
    assert fit.parameters.b[0] == pytest.approx(0.7, abs=0.1)


def test_a_gate_that_separates_is_named() -> None:
    rows = np.where(COVARIATE > 0, 10.0, -10.0) + 0.1 * np.cos(17 * COVARIATE)
    start = {"u": 0.0, "v": 1.0, "mu": [-9.0, 9.0], "s": [1.0, 1.0]}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert not gate().fit(y=rows, t=COVARIATE, start=start).converged
    assert any("v has no maximum in reach" in str(each.message) for each in told)


def test_a_gate_that_separates_slowly_is_named() -> None:
    """The likelihood rises with the slope for ever, but by less than is looked at: the slope is off by many times its size."""
    rng = np.random.default_rng(0)
    covariate = rng.normal(size=90)
    rows = rng.normal(np.where(rng.random(90) < 1 / (1 + np.exp(-0.5 - 1.5 * covariate)), 3, 0), 1)
    start = {"u": 0.0, "v": 50.0, "mu": [0.0, 3.0], "s": [1.0, 1.0]}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert not gate().fit(y=rows, t=covariate, start=start).converged
    assert any("v has no maximum in reach" in str(each.message) for each in told)
    assert gate().fit(y=rows, t=covariate, start={**start, "v": 1.0}).converged


def test_rows_that_are_not_in_memory_are_refused() -> None:
    def blocks() -> Any:
        yield {"y": np.array([1, 2, 3]), "t": np.array([0.1, 0.2, 0.3])}

    with pytest.raises(ValueError, match=r"a, b are found by passes over all rows"):
        poisson().fit(blocks, K=1, seed=0)


def test_mixture_of_experts_takes_the_published_step() -> None:
    assert not em("mix_experts").derivation.not_derived
    gates = [each for each in em("mix_experts").derivation.updates if isinstance(each, Ascent)]
    assert {str(each.parameter) for each in gates} == {"v[j]"}


def test_of_separate_parts_only_the_one_without_second_derivatives_is_endless() -> None:
    def at(point: Any) -> Place:
        return Place(-(point[0] ** 2), np.array([-2 * point[0], 1.0]), np.array([[-2.0, 0.0], [0.0, np.nan]]))

    assert _climbed(at, np.zeros(2)).endless.tolist() == [False, True]


def test_the_score_is_at_theta_where_a_part_has_others_at_their_updates() -> None:
    """A scale under a Gamma prior is climbed with the mean at its update; its slope at another mean has (m - mu)² too."""
    n, K = symbols("n K", integer=True, positive=True)
    i, k = Idx("i", n), Idx("k", K)
    x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
    laws = {z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}
    module = Model(laws, latent=[z], prior={sigma[k]: Gamma(3, 2)}).derive().solver()
    rows = np.array([-1.3, 0.2, 0.4, 1.9, 2.2, -0.7])
    theta = {"w": np.array([0.4, 0.6]), "mu": np.array([-0.5, 0.8]), "sigma": np.array([0.7, 1.3])}

    def raised(place: int, by: float) -> float:
        moved = theta["sigma"] + by * np.eye(2)[place]
        return float(module.log_posterior({**theta, "sigma": moved}, x=rows))

    slopes = [(raised(place, 1e-5) - raised(place, -1e-5)) / 2e-5 for place in range(2)]
    assert module.information(theta, x=rows).score[-2:] == pytest.approx(slopes, rel=1e-7)
