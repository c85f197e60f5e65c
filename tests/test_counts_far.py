"""Counts of any size: probabilities with all their digits, against fifty digits of mpmath."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

from symem import Binomial, Categorical, Model, NegativeBinomial, Poisson
from symem.runtime import with_scipy

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, lam, p, N, t = map(IndexedBase, ["x", "z", "w", "lam", "p", "N", "t"])
r = symbols("r", positive=True)
LARGEST = 1e15


def exactly(density: Callable[..., Any], *arguments: Any) -> Any:
    with mpmath.workdps(50):
        return density(*(mpmath.mpf(float(each)) for each in arguments))


def poisson(count: Any, mean: Any) -> Any:
    return count * mpmath.log(mean) - mean - mpmath.loggamma(count + 1)


def ways(count: Any, trials: Any) -> Any:
    return mpmath.loggamma(trials + 1) - mpmath.loggamma(count + 1) - mpmath.loggamma(trials - count + 1)


def power(base: Any, exponent: Any) -> Any:
    return exponent * mpmath.log(base) if exponent else 0


def binomial(count: Any, trials: Any, share: Any) -> Any:
    return ways(count, trials) + power(share, count) + power(1 - share, trials - count)


def negative_binomial(count: Any, size: Any, share: Any) -> Any:
    front = mpmath.loggamma(count + size) - mpmath.loggamma(count + 1) - mpmath.loggamma(size)
    return front + power(share, size) + power(1 - share, count)


# the kernels ------------------------------------------------------------------------------------------------


COUNTS = [0.0, 1.0, 2.0, 15.0, 16.0, 17.0, 1e3, 1e6, 1e12, 9e15]


def agree(found: Any, right: Any) -> None:
    np.testing.assert_allclose(found, np.array(right, dtype=float), rtol=2e-14, atol=2e-14)


def test_poisson_probabilities() -> None:
    pairs = [(c, max(c, 0.5) * f) for c in COUNTS for f in (1e-5, 0.8, 0.83, 1.0, 1.0001, 1.21, 1.23, 30.0)]
    agree(with_scipy._log_poisson(*np.array(pairs).T), [exactly(poisson, *each) for each in pairs])


def test_binomial_probabilities() -> None:
    shares = (1e-10, 0.01, 0.3, 0.5, 0.999)
    cases = [(np.floor(m * f), m, s) for m in COUNTS[1:] for f in (0.0, 0.01, 0.5, 0.99, 1.0) for s in shares]
    count, trials, share = np.array(cases).T
    agree(
        with_scipy._log_binomial(count, trials, share, 1 - share),
        [exactly(binomial, *each) for each in cases],
    )


def test_negative_binomial_probabilities() -> None:
    cases = [(c, s, q) for c in COUNTS for s in (0.01, 1.0, 3.7, 1e4, 1e15) for q in (1e-6, 0.3, 0.9)]
    count, size, share = np.array(cases).T
    agree(
        with_scipy._log_negative_binomial(count, size, share, 1 - share),
        [exactly(negative_binomial, *each) for each in cases],
    )


# mixtures ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mixture:
    """A mixture of counts near `size`; `density` is that of a row under a component."""

    law: Any
    known: tuple[Any, ...]
    at: Callable[[float], tuple[dict[str, Any], dict[str, Any]]]
    density: Callable[[dict[str, Any], dict[str, Any], int, int], Any]


def spread(size: float) -> Any:
    return np.floor(size + np.array([-2.0, -0.5, 0.0, 1.0, 3.0]) * np.sqrt(size) * 0.7)


TIMES = np.array([1.0, 2.0, 4.0, 1.0, 8.0])
MIXTURES = {
    "Poisson": Mixture(
        Poisson(lam[z[i]]), (),
        lambda size: ({"lam": [size, size + 2 * np.sqrt(size)]}, {"x": spread(size)}),
        lambda theta, data, row, label: exactly(poisson, data["x"][row], theta["lam"][label]),
    ),
    "Poisson with exposures": Mixture(
        Poisson(t[i] * lam[z[i]]), (t,),
        lambda size: ({"lam": [size, size + 2 * np.sqrt(size)]}, {"x": spread(size) * TIMES, "t": TIMES}),
        lambda theta, data, row, label: exactly(poisson, data["x"][row], TIMES[row] * theta["lam"][label]),
    ),
    "Binomial": Mixture(
        Binomial(N[i], p[z[i]]), (N,),
        lambda size: ({"p": [0.25, 0.25 + 0.2 / np.sqrt(size)]}, {"x": spread(size), "N": np.full(5, 4 * size)}),
        lambda theta, data, row, label: exactly(binomial, data["x"][row], data["N"][row], theta["p"][label]),
    ),
    "negative Binomial": Mixture(
        NegativeBinomial(r, p[z[i]]), (r,),
        lambda size: ({"p": [2.5 / (2.5 + size), 5 / (5 + size)]}, {"x": spread(size), "r": 2.5}),
        lambda theta, data, row, label: exactly(negative_binomial, data["x"][row], 2.5, theta["p"][label]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MIXTURES)
def test_mixtures_of_counts_of_any_size(name: str) -> None:
    case = MIXTURES[name]
    solver = Model({z[i]: Categorical(w[k]), x[i]: case.law}, latent=[z], known=case.known).derive().solver()
    for size in (1e2, 1e6, 1e10, LARGEST):
        theta, data = case.at(size)
        theta = {"w": [0.4, 0.6], **theta}
        with mpmath.workdps(50):
            joint = [
                [mpmath.log(theta["w"][label]) + case.density(theta, data, row, label) for label in (0, 1)]
                for row in range(5)
            ]
            right = sum(mpmath.log(mpmath.exp(a) + mpmath.exp(b)) for a, b in joint)
            shares = [1 / (1 + mpmath.exp(b - a)) for a, b in joint]
        assert solver.log_likelihood(theta, **data) == pytest.approx(float(right), rel=1e-10)
        np.testing.assert_allclose(
            solver.posterior(theta, **data).z[:, 0], np.array(shares, dtype=float), atol=2e-9
        )
