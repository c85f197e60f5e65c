"""Bessel functions in emitted modules: the multivariate Laplace law, whose scale is generalised inverse Gaussian."""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.special import kv
from sympy import Idx, IndexedBase, Integer, MatrixSymbol, symbols

from symem import EM, Exponential, IndexedVector, Model, MultivariateNormal
from symem.runtime.bessel_orders import _log_besselk
from symem.runtime.with_scipy import _log_scaled_besseli


@cache
def laplace(size: int | None) -> EM:
    """x[i] ~ N(mu, u[i] Sigma) with u[i] exponential, in that many dimensions or in d."""
    n, d = symbols("n d", integer=True, positive=True)
    d = d if size is None else Integer(size)
    i, u = Idx("i", n), IndexedBase("u", positive=True)
    mu, Sigma = MatrixSymbol("mu", d, 1), MatrixSymbol("Sigma", d, d)
    x = IndexedVector("x", d)
    return Model({u[i]: Exponential(1), x[i]: MultivariateNormal(mu, u[i] * Sigma)}, latent=[u]).derive()


def sample(size: int) -> tuple[Any, dict[str, Any]]:
    rng = np.random.default_rng(1)
    root = np.tril(rng.normal(size=(size, size))) + 2 * np.eye(size)
    x = 3.0 + np.sqrt(rng.exponential(size=(300, 1))) * (rng.normal(size=(300, size)) @ root.T)
    return x, {"mu": np.full(size, 2.5), "Sigma": root @ root.T}


@pytest.mark.parametrize("order", [0, 0.3, 1, -1, 2.5, -24, 50, 499])
@pytest.mark.parametrize("x", [1e-300, 1e-100, 1e-20, 1e-3, 1.0, 50.0, 800.0, 1e8, 1.001e8])
def test_logarithms_of_bessel_functions_are_those_of_many_digits(order: float, x: float) -> None:
    with mpmath.workdps(40), np.errstate(all="ignore"):
        wanted = float(mpmath.log(mpmath.besselk(order, mpmath.mpf(x))))
        assert float(_log_besselk(order, x)) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("order", [0, 0.5, 1, 80, 300, 999, 1001, 10**4])
@pytest.mark.parametrize("x", [1e-300, 1e-20, 0.7, 60.0, 900.0, 2e8, 1e12])
def test_those_of_the_first_kind_too(order: float, x: float) -> None:
    with mpmath.workdps(50):
        wanted = mpmath.log(mpmath.besseli(order, mpmath.mpf(x), maxterms=10**6)) - mpmath.mpf(x)
        off = abs(float(_log_scaled_besseli(order, x) - wanted))
        assert off < 1e-13 * max(1.0, abs(float(wanted)))


def test_orders_and_arguments_broadcast() -> None:
    orders, x = np.array([1.0, 2.0, 3.5]), np.array([[0.5], [2.0]])
    np.testing.assert_allclose(_log_besselk(orders, x), np.log(kv(orders, x)), rtol=1e-13)


@pytest.mark.parametrize("size", [None, 4, 3])
def test_a_step_is_that_of_the_density(size: int | None) -> None:
    """Kotz, Kozubowski & Podgórski 2001: f(x) = 2 (2π)^(-d/2) |Σ|^(-1/2) (b/2)^(p/2) K_p(√(2b)) with p = 1 - d/2."""
    x, theta = sample(size or 4)
    module, d = laplace(size).solver(), x.shape[1]
    p, residual = 1 - d / 2, x - theta["mu"]
    b = np.einsum("ia,ab,ib->i", residual, np.linalg.inv(theta["Sigma"]), residual)
    root = np.sqrt(2 * b)
    density = np.log(2) - (d * np.log(2 * np.pi) + np.linalg.slogdet(theta["Sigma"])[1]) / 2
    value = (density + p / 2 * np.log(b / 2) + np.log(kv(p, root))).sum()
    assert module.log_likelihood(theta, x=x) == pytest.approx(value, rel=1e-12)
    weight = kv(p - 1, root) / kv(p, root) / np.sqrt(b / 2)
    mu = weight @ x / weight.sum()
    Sigma = (weight[:, None] * (x - mu)).T @ (x - mu) / len(x)
    got = module.em_step(theta, x=x)
    np.testing.assert_allclose(got.mu, mu, rtol=1e-11)
    np.testing.assert_allclose(got.Sigma, Sigma, rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-100, 1e-8, 1e8, 1e100])
def test_a_fit_is_the_same_in_other_units(scale: float) -> None:
    x, theta = sample(4)
    module = laplace(None).solver()
    moved = {"mu": theta["mu"] * scale, "Sigma": theta["Sigma"] * scale**2}
    got, wanted = module.em_step(moved, x=x * scale), module.em_step(theta, x=x)
    np.testing.assert_allclose(got.mu / scale, wanted.mu, rtol=1e-10)
    np.testing.assert_allclose(got.Sigma / scale**2, wanted.Sigma, rtol=1e-10)


def test_a_mean_that_meets_a_datum_is_named() -> None:
    """In two dimensions or more the density has no upper bound there."""
    x, theta = sample(4)
    with pytest.raises(ValueError, match="log-likelihood is inf"):
        laplace(4).solver().fit(x=x, start={**theta, "mu": x[5]})


@pytest.mark.slow
@pytest.mark.parametrize("size", [3, 4])
def test_brute_force_finds_nothing_wrong(size: int) -> None:
    assert laplace(size).verify(seed=0).passed
