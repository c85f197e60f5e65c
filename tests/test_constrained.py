"""Updates stay in their supports: an end of an interval, a zero share, or a refusal; what fails is refuted and blocks.

The values are computed from responsibilities by hand, and by a bounded quasi-Newton search on the likelihood.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, Rational, exp, log, symbols

from symem import (
    Bernoulli,
    Beta,
    Categorical,
    Dirichlet,
    Exponential,
    Interval,
    Model,
    NonNegative,
    Normal,
    NotDerivedError,
    Poisson,
    Positive,
    UnitInterval,
)
from symem.derivation import Status
from symem.runtime.checks import _outside
from symem.runtime.description import Array

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
c, p = symbols("c p")
X = np.r_[np.random.default_rng(4).normal(-1, 1, 40), np.random.default_rng(5).normal(3, 1, 40)]


def mixture(law: Any, parameters: Any = None, **said: Any) -> Any:
    declared = {z[i]: Categorical(w[k]), x[i]: law}
    return Model(declared, latent=[z], parameters=parameters or {}, **said).derive()


@cache
def in_the_unit_interval() -> Any:
    return mixture(Normal(mu[z[i]], sigma[z[i]]), {mu: UnitInterval()})


def statuses(algorithm: Any, parameter: str) -> dict[str, Status]:
    found = next(each for each in algorithm.certificates if str(each.parameter) == parameter)
    return {claim.name: claim.status for claim in found.claims}


def needed(algorithm: Any, parameter: str) -> set[str]:
    found = next(each for each in algorithm.certificates if str(each.parameter) == parameter)
    return {f"{each.lhs} {each.rel_op} {each.rhs}" for each in found.conditions}


def shares_of(log_densities: Any, weights: Any) -> Any:
    joint = np.log(weights) + log_densities
    joint = np.exp(joint - joint.max(axis=1, keepdims=True))
    return joint / joint.sum(axis=1, keepdims=True)


# intervals ----------------------------------------------------------------------------------------------


def test_a_mean_is_the_nearest_point_of_its_interval_and_the_spread_is_about_it() -> None:
    weights, means, spreads = np.array([0.4, 0.6]), np.array([0.2, 0.7]), np.array([1.0, 2.0])
    gamma = shares_of(scipy.stats.norm.logpdf(X[:, None], means, spreads), weights)
    count = gamma.sum(axis=0)
    mean = np.clip((gamma * X[:, None]).sum(axis=0) / count, 0, 1)
    spread = np.sqrt((gamma * (X[:, None] - mean) ** 2).sum(axis=0) / count)
    start = {"w": weights, "mu": means, "sigma": spreads}
    after = in_the_unit_interval().solver().em_step(start, x=X)
    np.testing.assert_allclose(after.mu, mean, rtol=1e-12)
    np.testing.assert_allclose(after.sigma, spread, rtol=1e-12)
    assert set(mean) & {0.0, 1.0}


def test_the_constrained_maximum_is_proved_and_verified() -> None:
    algorithm = in_the_unit_interval()
    for parameter in ("mu[k]", "sigma[k]"):
        assert set(statuses(algorithm, parameter).values()) == {Status.PROVED}
    verification = algorithm.verify()
    assert not verification.blocks_emission
    assert "failed" not in str(verification)
    assert "min(1, max(0, " in str(algorithm)
    assert r"\min" in algorithm.latex()


def test_a_fit_is_the_maximum_over_the_box() -> None:
    algorithm = mixture(Normal(mu[z[i]], 1), {mu: Interval(-Rational(1, 2), 2)})
    start = {"w": [0.5, 0.5], "mu": [0.0, 1.0]}
    fit = algorithm.fit(x=X, start=start, tol=1e-13)

    def loss(theta: Any) -> float:
        logs = np.log([theta[0], 1 - theta[0]]) + scipy.stats.norm.logpdf(X[:, None], theta[1:], 1)
        return -float(np.logaddexp.reduce(logs, axis=1).sum())

    box = [(1e-6, 1 - 1e-6), (-0.5, 2), (-0.5, 2)]
    best = scipy.optimize.minimize(loss, [0.5, 0.0, 1.0], bounds=box, tol=1e-12)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-5)
    np.testing.assert_allclose(fit.parameters.mu, best.x[1:], atol=1e-4)
    assert fit.parameters.mu[0] == -0.5
    with pytest.raises(Exception, match=r"mu\[1\] = 3.0, but every entry of mu must be between -0.5 and 2.0"):
        algorithm.fit(x=X, start={"w": [0.5, 0.5], "mu": [0.0, 3.0]})


NEIGHBOURS: dict[str, tuple[Any, Any, Callable[..., Any]]] = {
    "a rate that is bounded": (Poisson(mu[z[i]]), Interval(1, 2), lambda t, s, _q: s / t),
    "a hazard that is bounded": (Exponential(mu[z[i]]), Interval(0, Rational(1, 2)), lambda t, s, _q: t / s),
    "a mean that is not negative": (Normal(mu[z[i]], 1), NonNegative(), lambda t, s, _q: s / t),
    "a spread that is bounded": (Normal(0, mu[z[i]]), Interval(1, 2), lambda t, _s, q: np.sqrt(q / t)),
    "a variance that is bounded": (Normal(0, mu[z[i]] ** Rational(1, 2)), Interval(1, 2), lambda t, _s, q: q / t),
}  # fmt: skip
DENSITIES: dict[str, Callable[..., Any]] = {
    "a rate that is bounded": lambda counts, mean: scipy.stats.poisson.logpmf(counts, mu=mean),
    "a hazard that is bounded": lambda y, m: scipy.stats.expon.logpdf(y, scale=1 / m),
    "a mean that is not negative": lambda y, m: scipy.stats.norm.logpdf(y, m, 1),
    "a spread that is bounded": lambda y, m: scipy.stats.norm.logpdf(y, 0, m),
    "a variance that is bounded": lambda y, m: scipy.stats.norm.logpdf(y, 0, np.sqrt(m)),
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_other_laws_end_where_their_intervals_do(name: str) -> None:
    law, support, root = NEIGHBOURS[name]
    algorithm = mixture(law, {mu: support})
    low, high = (float(end) for end in support.bounds)
    begin = np.array([0.3, 0.4]) if name == "a hazard that is bounded" else np.array([1.2, 1.8])
    for scale in (0.02, 1.0, 30.0):
        y = np.arange(6.0) * scale if "mean" not in name else np.arange(-4.0, 2.0) * scale
        y = np.round(y) if "rate" in name else y + 0.1 if "hazard" in name else y
        gamma = shares_of(DENSITIES[name](y[:, None], begin), np.array([0.5, 0.5]))
        sums = ((gamma * y[:, None] ** power).sum(axis=0) for power in range(3))
        after = algorithm.solver().em_step({"w": [0.5, 0.5], "mu": begin}, x=y)
        np.testing.assert_allclose(after.mu, np.clip(root(*sums), low, high), rtol=1e-10)
    assert set(statuses(algorithm, "mu[k]").values()) == {Status.PROVED}


@pytest.mark.filterwarnings("ignore:mu", "ignore:No observations are left")
def test_an_open_end_is_no_maximum() -> None:
    algorithm = mixture(Normal(mu[z[i]], 1), {mu: Positive()})
    assert statuses(algorithm, "mu[k]")["second order"] is Status.UNDER
    assert "S_0[k] > 0" in needed(algorithm, "mu[k]")
    fit = algorithm.fit(x=X - 3, start={"w": [0.5, 0.5], "mu": [0.5, 1.0]})
    assert not fit.converged
    assert (fit.parameters.mu > 0).all()


# shares -------------------------------------------------------------------------------------------------


@cache
def sparse() -> Any:
    return mixture(Normal(mu[z[i]], 1), prior={w: Dirichlet(Rational(1, 2))})


def test_a_share_with_less_than_its_prior_takes_is_zero() -> None:
    data, means, weights = np.array([0.0, 0.1, -0.1, 0.05]), np.array([-5.0, 0, 5]), np.array([0.3, 0.4, 0.3])
    gamma = shares_of(scipy.stats.norm.logpdf(data[:, None], means, 1), weights)
    left = np.maximum(gamma.sum(axis=0) - 0.5, 0)
    after = sparse().solver().em_step({"w": weights, "mu": means}, x=data)
    np.testing.assert_allclose(after.w, left / left.sum(), rtol=1e-12)
    assert after.w[0] == 0.0
    assert any("N[k] - 1/2" in each for each in needed(sparse(), "w[k]"))
    assert statuses(sparse(), "w[k]") == {
        "stationarity": Status.UNDER,
        "second order": Status.UNDER,
        "support": Status.PROVED,
    }


def test_a_share_among_numbers_that_sum_to_one_is_zero_too() -> None:
    """Written out as p, q and r, each with a half taken by the prior."""
    a, b, e = symbols("a b e")
    declared = {z[i]: Categorical(a, b, e), x[i]: Normal(4 * z[i], 1)}
    algorithm = Model(declared, latent=[z], log_prior=-log(a * b * e) / 2).derive()
    data = np.array([0.0, 0.1, -0.2, 8.0])
    gamma = shares_of(scipy.stats.norm.logpdf(data[:, None], [0, 4, 8], 1), np.array([0.3, 0.3, 0.4]))
    left = np.maximum(gamma.sum(axis=0) - 0.5, 0)
    after = algorithm.solver().em_step({"a": 0.3, "b": 0.3, "e": 0.4}, x=data)
    np.testing.assert_allclose([after.a, after.b, after.e], left / left.sum(), rtol=1e-12)
    assert after.b == 0.0
    assert statuses(algorithm, "b") == statuses(sparse(), "w[k]")


@pytest.mark.filterwarnings("ignore:No observations are left")
def test_a_prior_without_bound_is_named_and_nothing_converges() -> None:
    data = np.array([0.0, 0.1, -0.1, 0.05])
    with pytest.warns(UserWarning, match=r"w\[0\] = 0.0 .* rises without bound"):
        fit = sparse().fit(x=data, start={"w": [0.3, 0.4, 0.3], "mu": [-5.0, 0, 5]})
    assert not fit.converged
    assert fit.parameters.w.sum() == pytest.approx(1)


def test_shares_that_keep_what_the_prior_takes_converge() -> None:
    fit = sparse().fit(x=X, start={"w": [0.5, 0.5], "mu": [-1.0, 3.0]}, tol=1e-13)
    gamma = shares_of(scipy.stats.norm.logpdf(X[:, None], fit.parameters.mu, 1), fit.parameters.w)
    assert fit.converged
    np.testing.assert_allclose(fit.parameters.w, (gamma.sum(axis=0) - 0.5) / (len(X) - 1), rtol=1e-5)


def test_a_probability_with_less_than_its_prior_takes_is_an_end() -> None:
    half = Rational(1, 2)
    model = Model({z[i]: Bernoulli(p), x[i]: Normal(4 * z[i], 1)}, latent=[z], prior={p: Beta(half, half)})
    algorithm = model.derive()
    gamma = shares_of(scipy.stats.norm.logpdf(X[:, None], [0, 4], 1), np.array([0.7, 0.3]))[:, 1].sum()
    after = algorithm.solver().em_step({"p": 0.3}, x=X)
    assert after.p == pytest.approx((gamma - 0.5) / (len(X) - 1))
    assert algorithm.solver().em_step({"p": 0.3}, x=np.array([-1.0, -2.0, 0.0])).p == 0.0
    assert algorithm.solver().em_step({"p": 0.3}, x=np.array([4.0, 5.0, 6.0])).p == 1.0
    assert statuses(algorithm, "p")["second order"] is Status.UNDER


# what is no maximum -------------------------------------------------------------------------------------


@cache
def to_a_minimum() -> Any:
    law = Normal(c * z[i], 2)
    return Model({z[i]: Bernoulli(p), x[i]: law}, latent=[z], log_prior=2 * c**2).derive()


def test_a_minimum_is_refuted_and_leaves_by_no_door(tmp_path: Path) -> None:
    algorithm = to_a_minimum()
    assert statuses(algorithm, "c")["second order"] is Status.REFUTED
    doors = (
        algorithm.source,
        lambda: algorithm.write(tmp_path / "em.py"),
        lambda: algorithm.fit(x=X),
        lambda: algorithm.updates[c],
    )
    for door in doors:
        with pytest.raises(NotDerivedError, match="is no maximum of Q"):
            door()
    assert not list(tmp_path.iterdir())
    assert "c: the root S_0 / (N - 16) is no maximum of Q for some data" in str(algorithm)
    assert "refuted" in algorithm.latex()


@pytest.mark.filterwarnings("ignore:mu")
def test_a_logarithm_needs_a_positive_sum() -> None:
    algorithm = mixture(Normal(exp(mu[z[i]]), 1))
    assert set(statuses(algorithm, "mu[k]").values()) == {Status.UNDER}
    assert "S_0[k] > 0" in needed(algorithm, "mu[k]")
    fit = algorithm.fit(x=X - 1, start={"w": [0.5, 0.5], "mu": [-1.0, 1.0]})
    assert not fit.converged
    assert fit.parameters.mu[0] == -1.0
    good = algorithm.fit(x=np.abs(X), start={"w": [0.5, 0.5], "mu": [-1.0, 1.0]}, tol=1e-13)
    gamma = shares_of(
        scipy.stats.norm.logpdf(np.abs(X)[:, None], np.exp(good.parameters.mu), 1), good.parameters.w
    )
    means = (gamma * np.abs(X)[:, None]).sum(axis=0) / gamma.sum(axis=0)
    np.testing.assert_allclose(np.exp(good.parameters.mu), means, rtol=1e-5)


def test_an_odd_power_has_its_root_for_every_sign() -> None:
    algorithm = mixture(Normal(mu[z[i]] ** 3, 1))
    weights, cubes = np.array([0.5, 0.5]), np.array([-1.0, 8.0])
    gamma = shares_of(scipy.stats.norm.logpdf(X[:, None], cubes, 1), weights)
    means = (gamma * X[:, None]).sum(axis=0) / gamma.sum(axis=0)
    after = algorithm.solver().em_step({"w": weights, "mu": np.cbrt(cubes)}, x=X)
    np.testing.assert_allclose(after.mu, np.cbrt(means), rtol=1e-10)
    assert not set(statuses(algorithm, "mu[k]").values()) & {Status.OPEN, Status.REFUTED}


# the module ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "value", "wanted"),
    [
        (Array("K", "unit"), [0.0, 1.0, 1.2, -0.1], [False, False, True, True]),
        (Array("K", "nonnegative"), [0.0, 3.0, -1.0], [False, False, True]),
        (Array("K", "positive"), [0.0, 3.0, -1.0], [True, False, True]),
        (Array("K", "extended", ends=(-2.0, 5.0)), [-2.0, 5.5, -3.0], [False, True, True]),
        (Array("K, J", "simplex"), [[0.5, 0.5], [1.5, -0.5]], [[False, False], [True, True]]),
        (Array("K", "real"), [-1e9, 1e9], [False, False]),
    ],
)
def test_the_module_knows_where_a_parameter_leaves_its_support(spec: Array, value: Any, wanted: Any) -> None:
    assert np.array_equal(_outside(spec, np.array(value), None), wanted)
