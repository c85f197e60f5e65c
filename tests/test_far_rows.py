"""Rows so far away that their squares are all alike or have no number: posteriors by exact fractions, never NaN unsaid."""

from __future__ import annotations

import warnings
from fractions import Fraction
from math import exp, log
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, sqrt, symbols

from symem import Categorical, Gamma, IndexedMatrix, IndexedVector, Model, MultivariateNormal, Normal

n, K, d = symbols("n K d", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
ROWS = [1e200, -1e200, 1e160, -1e155, 1e100, 1e17, -1e16, 1e15, -3e9, 40.0, 0.25, -1.5]
THETAS = [
    {"w": [0.5, 0.5], "mu": [-1.0, 1.0], "sigma": [1.0, 1.0]},
    {"w": [0.25, 0.75], "mu": [-1.0, 1.0], "sigma": [1.0, 2.0]},
    {"w": [0.25, 0.75], "mu": [0.5, -2.0], "sigma": [0.5, 0.5]},
    {"w": [0.25, 0.75], "mu": [1.0, 1.0], "sigma": [1.0, 1.0]},
]


def first_share(theta: dict[str, list[float]], row: float) -> float:
    """The probability of the first label: the difference of the squares in fractions, which lose nothing."""
    squares = [
        ((Fraction(row) - Fraction(m)) / Fraction(s)) ** 2 / 2
        for m, s in zip(theta["mu"], theta["sigma"], strict=True)
    ]
    odds = squares[0] - squares[1]
    constant = log(theta["w"][1] / theta["sigma"][1]) - log(theta["w"][0] / theta["sigma"][0])
    return 1 / (1 + exp(float(max(min(odds, Fraction(700)), Fraction(-700))) + constant))


@pytest.fixture(scope="module")
def mixture() -> Any:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z]).derive().solver()


@pytest.mark.parametrize("theta", THETAS)
def test_a_far_row_belongs_to_the_component_that_is_nearest(
    theta: dict[str, list[float]], mixture: Any
) -> None:
    shares = mixture.posterior(theta, x=ROWS).z[:, 0]
    np.testing.assert_allclose(shares, [first_share(theta, row) for row in ROWS], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("size", [1e16, 1e17, 1e50, 1e160, 1e200])
def test_where_all_rows_are_far_their_point_is_too(
    theta: dict[str, list[float]], size: float, mixture: Any
) -> None:
    rows = [size, -size, 2 * size]
    shares = mixture.posterior(theta, x=rows).z[:, 0]
    np.testing.assert_allclose(shares, [first_share(theta, row) for row in rows], rtol=1e-6, atol=1e-12)


def test_rows_far_from_zero_are_measured_from_nearby(mixture: Any) -> None:
    """At 10^12, two million spreads from the components, which lie one apart."""
    theta = {"w": [0.5, 0.5], "mu": [1e12, 1e12 + 1], "sigma": [1.0, 1.0]}
    rows = [1e12 + 2e6, 1e12 - 2e6, 1e12 + 0.5]
    np.testing.assert_allclose(mixture.posterior(theta, x=rows).z[:, 0], [0, 1, 0.5], atol=1e-12)


def test_far_vectors_are_told_apart() -> None:
    rows, mean, cov = IndexedVector("x", d), IndexedVector("mu", d), IndexedMatrix("Sigma", d, d)
    solver = (
        Model({z[i]: Categorical(w[k]), rows[i]: MultivariateNormal(mean[z[i]], cov[z[i]])}, latent=[z])
        .derive()
        .solver()
    )
    theta = {"w": [0.5, 0.5], "mu": [[-1.0, 0.0], [1.0, 0.0]], "Sigma": [np.eye(2), np.eye(2)]}
    shares = solver.posterior(
        theta, x=[[1e200, 0.0], [-1e160, 3.0], [1e17, 1e17], [0.0, 1e200], [0.0, 0.0]]
    ).z[:, 0]
    np.testing.assert_allclose(shares, [0, 1, 0, 0.5, 0.5], atol=1e-9)


def test_a_row_without_a_likelihood_is_named(mixture: Any) -> None:
    """log p of a row at 10^200 is below -10^399, which no floating-point number is."""
    for place in (0, 7, 19):
        rows = np.linspace(-2, 2, 20)
        rows[place] = 1e200
        with pytest.raises(mixture.DataError, match=rf"Row {place} \(counted from 0\) has no log-likelihood"):
            mixture.log_likelihood(THETAS[0], x=rows)


def test_a_large_likelihood_is_a_number(mixture: Any) -> None:
    assert mixture.log_likelihood(THETAS[0], x=[1e150]) == pytest.approx(-5e299)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mixture.posterior(THETAS[0], x=ROWS)


def two_labels() -> Any:
    a, b, u, v, L = IndexedBase("a"), IndexedBase("b"), IndexedBase("u"), IndexedBase("v"), symbols("L")
    laws = {
        z[i]: Categorical(w[k]),
        u[i]: Categorical(v[Idx("l", L)]),
        x[i]: Normal(a[z[i]] + b[u[i]], 1),
    }
    return Model(laws, latent=[z, u]).derive().solver()


def test_two_labels_of_a_far_row_are_told_apart() -> None:
    """Far to the right the largest mean of the four is the nearest, far to the left the smallest."""
    theta = {"w": [0.5, 0.5], "v": [0.5, 0.5], "a": [0.0, 1.0], "b": [0.0, 3.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = two_labels().posterior(theta, x=[1e12, -1e17, 1e160, -1e200, 0.0, 1.0, 2.0])
    right = np.array([[0, 1], [1, 0], [0, 1], [1, 0]])
    np.testing.assert_allclose(found.z[:4], right, atol=1e-9)
    np.testing.assert_allclose(found.u[np.arange(4), right[:, 1]], right, atol=1e-9)


def test_labels_that_are_lost_in_a_far_row_are_named() -> None:
    """Beside a latent that is shared by two columns, log weights are no products of features: rounding is said."""
    b, u, y = IndexedBase("b"), IndexedBase("u"), IndexedBase("y")
    laws = {
        z[i]: Categorical(w[k]),
        u[i]: Normal(0, 1),
        x[i]: Normal(mu[z[i]] + u[i], 1),
        y[i]: Normal(b[z[i]] + u[i], 1),
    }
    solver = Model(laws, latent=[z, u]).derive().solver()
    theta = {"w": [0.5, 0.5], "mu": [0.0, 1.0], "b": [0.0, 2.0]}
    with pytest.warns(
        solver.LostDigitsWarning, match=r"posterior of row 1 \(counted from 0\) may have lost its digits"
    ):
        solver.posterior(theta, x=[0.5, -1e17], y=[0.5, -1e17])


def test_a_log_likelihood_that_is_lost_in_its_constants_is_named() -> None:
    """A t of 10^12 degrees of freedom by its Gamma precision: log-gammas of 10^13 leave a Normal's -1/2 log 2π."""
    u, nu = IndexedBase("u"), symbols("nu")
    laws = {u[i]: Gamma(nu / 2, 2 / nu), x[i]: Normal(symbols("m"), sqrt(1 / u[i]))}
    solver = Model(laws, latent=[u], known=[nu]).derive().solver()
    with pytest.warns(solver.LostDigitsWarning, match="log-likelihood .* has lost its digits from"):
        solver.log_likelihood({"m": 0.0}, x=[0.5, -1.0], nu=1e12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = solver.log_likelihood({"m": 0.0}, x=[0.5, -1.0], nu=1e6)
    assert found == pytest.approx(float(scipy.stats.t(1e6).logpdf([0.5, -1.0]).sum()), rel=1e-7)
