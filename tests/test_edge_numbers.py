"""Numbers at the edges: parameters of 0, parts put together, and rows that another function of them would lose."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from sympy import Eq, Idx, IndexedBase, symbols

from symem import Categorical, Model, Multinomial, Normal, Simplex
from symem.runtime import kernels

n, K, m = symbols("n K m", integer=True, positive=True)
i, k, j = Idx("i", n), Idx("k", K), Idx("j", m)
x, y, z, w, mu, v, c = map(IndexedBase, ["x", "y", "z", "w", "mu", "v", "c"])


@pytest.fixture(scope="module")
def counts() -> Any:
    """Two cells seen together: a of them are of a share p of what they are."""
    a, b, r, p, q, N = symbols("a b r p q N")
    model = Model(
        {(a, b, r): Multinomial(N, p**2, 2 * p * q, q**2)},
        latent=[a, b],
        known=[N],
        parameters={(p, q): Simplex()},
        given=[Eq(a + b, symbols("ab"))],
    )
    return model.derive().solver()


THETA = {"w": [0.4, 0.6], "mu": [0.0, 3.0]}
DATA = {"N": 10, "ab": 4, "r": 6}


def test_a_step_from_a_share_of_zero_is_undetermined_and_says_so(counts: Any) -> None:
    """At p = 0 the four that were seen are impossible, so that nothing tells how to split them: 0/0."""
    nowhere = {"p": 0.0, "q": 1.0}
    with pytest.warns(counts.EmptyComponentWarning, match="is undetermined"):
        assert math.isnan(counts.em_step(nowhere, **DATA).p)
    with pytest.warns(counts.EMWarning, match="posterior has no floating-point number"):
        assert math.isnan(counts.posterior(nowhere, **DATA).a)
    with pytest.warns(counts.EmptyComponentWarning, match="is undetermined"):
        assert not counts.fit(start=nowhere, **DATA).converged


def test_a_share_of_one_is_no_edge_of_a_step(counts: Any) -> None:
    """Only what divides by 0 is lost: at p = 1 all four are of the first kind, so that p = 8/20."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step = counts.em_step({"p": 1.0, "q": 0.0}, **DATA)
    assert (step.p, step.q) == pytest.approx((0.4, 0.6))


@pytest.fixture(scope="module")
def beside() -> Any:
    """A mixture, and draws on a plate of their own that no row has."""
    laws = {z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], 1), v[j]: Normal(mu[0], 2)}
    return Model(laws, latent=[z]).derive().solver()


def test_what_belongs_to_no_row_counts_once_in_parts(beside: Any) -> None:
    rows, draws = np.random.default_rng(0).normal(size=30), np.array([1.0, -2.0, 0.0])
    theta = {"w": [0.4, 0.6], "mu": [0.0, 1.0]}
    density = 0.4 * np.exp(-(rows**2) / 2) + 0.6 * np.exp(-((rows - 1) ** 2) / 2)
    whole = np.log(density / np.sqrt(2 * np.pi)).sum() - 3 * np.log(8 * np.pi) / 2 - 5 / 8
    first, *parts = (beside.statistics(theta, x=part, v=draws) for part in np.split(rows, [7, 19]))
    for part in parts:
        first = beside.merge(first, part)
    assert first.log_likelihood == pytest.approx(whole, rel=1e-13)
    assert beside.log_likelihood(theta, x=rows, v=draws) == pytest.approx(whole, rel=1e-13)
    after, right = beside.m_step(first), beside.em_step(theta, x=rows, v=draws)
    np.testing.assert_allclose(after.mu, right.mu, rtol=1e-12)


# rows that count 0 times -----------------------------------------------------------------------------------


@pytest.mark.parametrize("far", [1e9, 1e200, -1e308])
def test_a_row_that_counts_0_times_is_as_if_absent(far: float, weighted: Any) -> None:
    rows, counts = np.array([-1.0, far, 0.5, 3.0, 4.0]), np.array([2.0, 0.0, 1.0, 1.0, 3.0])
    theta, there = THETA, counts > 0
    left = {"x": rows[there], "c": counts[there]}
    whole = {"x": rows, "c": counts}
    assert weighted.log_likelihood(theta, **whole) == pytest.approx(
        weighted.log_likelihood(theta, **left), rel=1e-12
    )
    step, right = weighted.em_step(theta, **whole), weighted.em_step(theta, **left)
    np.testing.assert_allclose(np.concatenate(step), np.concatenate(right), rtol=1e-12)
    fit, right = weighted.fit(start=theta, **whole), weighted.fit(start=theta, **left)
    np.testing.assert_allclose(fit.parameters.mu, right.parameters.mu, rtol=1e-12)
    shares = weighted.posterior(theta, **whole).z[1]
    np.testing.assert_allclose(shares, [0.0, 1.0] if far > 0 else [1.0, 0.0], atol=1e-12)


@pytest.fixture(scope="module")
def weighted() -> Any:
    laws = {z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], 1)}
    return Model(laws, latent=[z], weights={i: c[i]}).derive().solver()


def test_transitions_that_count_several_times() -> None:
    """Of a series, each step from one value to the next counts c times; no value is counted beside it."""
    t, a = Idx("t", (1, m)), IndexedBase("a")
    laws = {z[t]: Categorical(w[k]), y[t]: Normal(a[z[t]] * y[t - 1], 1)}
    solver = Model(laws, latent=[z], weights={t: c[t]}).derive().solver()
    series, counts = np.array([0.3, 1.1, -0.4, 2.0, 0.7]), np.array([2.0, 0.0, 1.5, 1.0])
    slopes, shares = np.array([[0.5], [-0.5]]), np.array([[0.4], [0.6]])
    now, before = series[1:], series[:-1]
    joint = shares * np.exp(-((now - slopes * before) ** 2) / 2) / np.sqrt(2 * np.pi)
    theta, data = {"w": shares[:, 0], "a": slopes[:, 0]}, {"y": series, "c": counts, "m": 4}
    assert solver.log_likelihood(theta, **data) == pytest.approx(counts @ np.log(joint.sum(axis=0)))
    held = counts * joint / joint.sum(axis=0)
    step = solver.em_step(theta, **data)
    np.testing.assert_allclose(step.w, held.sum(axis=1) / counts.sum(), rtol=1e-12)
    np.testing.assert_allclose(step.a, held @ (now * before) / (held @ before**2), rtol=1e-12)


# many rows -------------------------------------------------------------------------------------------------


def test_of_many_probabilities_those_without_digits_are_0() -> None:
    log_weights = np.stack([np.zeros(5000), np.linspace(-745.0, -600.0, 5000)])
    table = log_weights.copy()
    normaliser = kernels._softmax(table, 0)
    told = log_weights[1] >= -700
    assert not table[1][~told].any()
    np.testing.assert_allclose(table[1][told], np.exp(log_weights[1][told]), rtol=1e-13)
    assert not normaliser.any()


def test_starts_are_drawn_on_some_of_many_rows(weighted: Any) -> None:
    rng, count = np.random.default_rng(3), 50_000
    rows = np.where(rng.random(count) < 0.4, 0.0, 3.0) + rng.normal(size=count)
    data = {"x": rows, "c": np.ones(count)}
    whole = weighted._prepare(weighted.MODEL, {**data, "K": 2}, None)
    some = weighted._sampled(weighted.MODEL, whole, whole)
    assert sum(chunk.length for chunk in some.chunks) == some["n"] == 20_000
    found, right = (weighted.fit(**data, **more) for more in ({"K": 2, "seed": 0}, {"start": THETA}))
    assert found.log_likelihood == pytest.approx(right.log_likelihood, rel=1e-9)
