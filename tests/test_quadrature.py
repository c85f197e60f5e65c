"""Latents whose conditional is of no family, by adaptive quadrature, against integrals and optimisers of SciPy."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, Product, exp, factorial, pi, sqrt, symbols

from symem import EM, Counts, Model, Normal, NotDerivedError, Poisson, Positive, Reals, load

n, J = symbols("n J", integer=True, positive=True)
i, j = Idx("i", n), Idx("j", J)
x, y, u = map(IndexedBase, "xyu")
b0, b1, s = symbols("b0 b1 s")

INTERCEPTS = Model(
    {u[i]: Normal(0, s), y[i, j]: Poisson(exp(b0 + b1 * x[i, j] + u[i]))}, latent=[u], known=[x]
)


@cache
def intercepts() -> EM:
    return INTERCEPTS.derive(approximate="quadrature", budget=math.inf)


@cache
def counted() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    given = rng.normal(size=(40, 3))
    means = np.exp(0.3 + 0.5 * given + 0.8 * rng.normal(size=(40, 1)))
    return {"x": given, "y": rng.poisson(means)}


def integrated(height: Callable[[float], float]) -> float:
    """log ∫ exp(height) by SciPy, about its top."""
    top = scipy.optimize.minimize_scalar(lambda at: -height(at), bounds=(-20, 20), method="bounded").x
    peak = height(top)
    value, _ = scipy.integrate.quad(
        lambda at: math.exp(height(at) - peak), top - 12, top + 12, points=[top], epsabs=1e-13, epsrel=1e-13
    )
    return float(peak + math.log(value))


def log_likelihood(theta: Any) -> float:
    """Of the counts under a random intercept, by SciPy's integrals."""
    first, slope, spread = theta
    data = counted()
    constant = scipy.special.gammaln(data["y"] + 1).sum(axis=1) + math.log(spread * math.sqrt(2 * math.pi))
    total = 0.0
    for given, seen, less in zip(data["x"], data["y"], constant, strict=True):
        fixed = first + slope * given

        def height(at: float, f: Any = fixed, c: Any = seen, k: float = less) -> float:
            return float(c @ (f + at) - np.exp(f + at).sum() - at**2 / (2 * spread**2) - k)

        total += integrated(height)
    return total


def on_a_grid(theta: Any) -> float:
    """The same by a sum over a fine grid, which the tails make exact, for an optimiser."""
    first, slope, spread = theta
    data, places = counted(), np.linspace(-9.0, 9.0, 1201)
    fixed = (first + slope * data["x"])[:, :, None] + places
    terms = (
        data["y"][:, :, None] * fixed - np.exp(fixed) - scipy.special.gammaln(data["y"] + 1)[:, :, None]
    ).sum(axis=1)
    law = -(places**2) / (2 * spread**2) - math.log(spread * math.sqrt(2 * math.pi))
    return float(scipy.special.logsumexp(terms + law + math.log(places[1] - places[0]), axis=1).sum())


def test_the_refusal_names_what_would_do() -> None:
    with pytest.raises(NotDerivedError, match='approximate="quadrature"'):
        INTERCEPTS.derive()


def test_another_word_is_refused() -> None:
    with pytest.raises(Exception, match="it is None, or 'quadrature' or 'mean field'"):
        INTERCEPTS.derive(approximate="laplace")


def test_the_fit_is_that_of_direct_integration() -> None:
    fit = intercepts().fit(**counted(), seed=0)
    found = fit.parameters
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(log_likelihood((found.b0, found.b1, found.s)), abs=1e-7)
    direct = scipy.optimize.minimize(
        lambda at: -on_a_grid((at[0], at[1], math.exp(at[2]))), [0.2, 0.4, -0.3], method="BFGS", tol=1e-6
    )
    assert fit.log_likelihood >= -direct.fun - 1e-6
    assert [found.b0, found.b1, found.s] == pytest.approx([*direct.x[:2], math.exp(direct.x[2])], abs=2e-4)


def test_the_error_is_told() -> None:
    fit = intercepts().fit(**counted(), seed=0)
    told = fit.approximation
    assert told["nodes"]["Q"] >= 12
    assert max(told["change"].values()) < 1e-9
    assert "twice as many change it by" in fit.summary()
    assert "approximation" in (intercepts().solver().__doc__ or "")
    assert "u is summed over nodes" in intercepts().approximation
    assert all(each.approximation for each in intercepts().certificates)
    assert intercepts().derivation.approximation in intercepts().markdown()


def test_the_error_is_saved(tmp_path: Any) -> None:
    fit = intercepts().fit(**counted(), seed=0)
    again = load(fit.save(tmp_path / "fit.json"), intercepts())
    assert again.approximation == fit.approximation


def test_too_few_nodes_are_warned_of() -> None:
    """Rows in which the posterior is as far from normal as it gets: no counts, and a wide intercept."""
    data: dict[str, Any] = {"x": np.zeros((6, 1)), "y": np.array([[0], [0], [0], [90], [200], [1]])}
    start = {"b0": 0.0, "b1": 0.0, "s": 6.0}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit = intercepts().fit(**data, start=start, Q=12, max_iter=1)
    assert any("Q = 12 nodes" in str(each.message) for each in told)
    assert [each.category.__name__ for each in told].count("QuadratureWarning") == 1
    assert max(fit.approximation["change"].values()) > 1e-9


def test_more_nodes_change_nothing() -> None:
    """The E-step of few rows, with Q and with far more nodes."""
    theta = {"b0": 0.3, "b1": 0.5, "s": 0.7}
    solver = intercepts().solver()
    values = [solver.log_likelihood(theta, **counted(), Q=nodes) for nodes in (30, 120)]
    assert values[0] == pytest.approx(values[1], abs=1e-9)
    assert values[1] == pytest.approx(log_likelihood((0.3, 0.5, 0.7)), abs=1e-8)


def test_both_doors_give_the_same() -> None:
    law = exp(-(u[i] ** 2) / (2 * s**2)) / sqrt(2 * pi * s**2)
    rate = b0 + b1 * x[i, j] + u[i]
    counts = exp(y[i, j] * rate) * exp(-exp(rate)) / factorial(y[i, j])
    stated = Model.from_likelihood(
        Product(law * Product(counts, j), i),
        latent={u: Reals()},
        parameters={s: Positive(), b0: Reals(), b1: Reals()},
        known={x: Reals()},
        data={y: Counts()},
    )
    theta = {"b0": 0.1, "b1": 0.2, "s": 0.5}
    other = stated.derive(approximate="quadrature", budget=math.inf).solver()
    assert other.log_likelihood(theta, **counted()) == pytest.approx(
        intercepts().solver().log_likelihood(theta, **counted()), rel=1e-12
    )


def test_verified() -> None:
    found = intercepts().verify()
    assert found.passed, str(found)
