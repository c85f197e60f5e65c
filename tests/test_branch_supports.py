"""Branches of `Cases` that live on different sets: each density is 0 off its own, in posterior, ℓ, fit and ladder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, symbols

from symem import (
    EM,
    Bernoulli,
    Beta,
    Binomial,
    Cases,
    Categorical,
    Dirac,
    Exponential,
    Gamma,
    Geometric,
    LogNormal,
    Model,
    Normal,
    Pareto,
    Poisson,
)

q, p, rate, mean = symbols("q p rate mean")
n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x, z, w = IndexedBase("x"), IndexedBase("z"), IndexedBase("w")
THETA = {"q": 0.4, "p": 0.3, "rate": 2.0, "mean": 0.5}


@dataclass(frozen=True)
class Pair:
    """Two branches, data on either side of their supports, and SciPy's densities of both."""

    branches: tuple[Any, Any]
    data: tuple[float, ...]
    densities: tuple[Callable[[Any], Any], Callable[[Any], Any]]


def normal(values: Any) -> Any:
    return scipy.stats.norm.pdf(values, 0.5)


def poisson(values: Any) -> Any:
    return np.where(values == np.floor(values), scipy.stats.poisson.pmf(values, 2.0), 0.0)


def law(name: str, *shape: float, **scale: float) -> Callable[[Any], Any]:
    """The density of a law of SciPy's, which are loaded when one is asked."""

    def density(values: Any) -> Any:
        found = getattr(scipy.stats, name)(*shape, **scale)
        return getattr(found, "pmf" if hasattr(found, "pmf") else "pdf")(values)

    return density


PAIRS = {
    "normal, exponential": Pair(
        (Normal(mean, 1), Exponential(rate)), (-1, 0.5, 2), (normal, law("expon", scale=0.5))
    ),
    "normal, gamma": Pair(
        (Normal(mean, 1), Gamma(2, rate)), (-1, 0.5, 2), (normal, law("gamma", 2, scale=2))
    ),
    "normal, log-normal": Pair((Normal(mean, 1), LogNormal(0, 1)), (-1, 0.5, 2), (normal, law("lognorm", 1))),
    "beta, exponential": Pair(
        (Beta(2, 3), Exponential(rate)),
        (0.2, 0.9, 2),
        (law("beta", 2, 3), law("expon", scale=0.5)),
    ),
    "poisson, geometric": Pair((Poisson(rate), Geometric(p)), (0, 1, 3), (poisson, law("geom", 0.3))),
    "poisson, bernoulli": Pair((Poisson(rate), Bernoulli(p)), (0, 1, 3), (poisson, law("bernoulli", 0.3))),
    "binomial, poisson": Pair((Binomial(5, p), Poisson(rate)), (0, 5, 9), (law("binom", 5, 0.3), poisson)),
    "poisson, normal": Pair(
        (Poisson(rate), Normal(mean, 1)),
        (-1, 0, 0.5, 2),
        (poisson, lambda v: np.where((v >= 0) & (v == np.floor(v)), 0.0, normal(v))),
    ),
}


@cache
def derived(name: str) -> EM:
    first, second = PAIRS[name].branches
    return Model({z[i]: Bernoulli(q), x[i]: Cases(z[i], {0: first, 1: second})}, latent=[z]).derive()


def weighed(name: str, data: Any) -> Any:
    first, second = PAIRS[name].densities
    return np.stack([0.6 * first(data), 0.4 * second(data)], axis=-1)


@pytest.mark.parametrize("name", PAIRS)
def test_a_branch_has_no_mass_off_its_support(name: str) -> None:
    em, data = derived(name), np.array(PAIRS[name].data, dtype=float)
    solver, joint = em.solver(), weighed(name, data)
    theta = {key: THETA[key] for key in solver.Parameters._fields}
    np.testing.assert_allclose(
        solver.posterior(theta, x=data).z, joint / joint.sum(axis=1, keepdims=True), atol=1e-14
    )
    np.testing.assert_allclose(solver.log_likelihood(theta, x=data), np.log(joint.sum(axis=1)).sum())


@pytest.mark.parametrize("name", ["normal, log-normal", "poisson, normal"])
def test_fits_and_the_ladder_know_the_supports(name: str) -> None:
    em, rng = derived(name), np.random.default_rng(0)
    other = rng.poisson(3, 40) if name.startswith("poisson") else np.exp(rng.normal(size=40))
    fit = em.fit(x=np.concatenate([rng.normal(-3, 1, 60), other]), seed=0)
    assert fit.converged
    assert np.isfinite(fit.log_likelihood)
    assert em.verify().passed


def test_three_branches_beside_a_point() -> None:
    cells = Idx("k", 3)
    branches = {0: Dirac(0), 1: Normal(mean, 1), 2: Gamma(2, rate)}
    solver = Model({z[i]: Categorical(w[cells]), x[i]: Cases(z[i], branches)}, latent=[z]).derive().solver()
    data = np.array([0.0, -1.0, 1.5])
    joint = np.stack(
        [0.2 * (data == 0), 0.3 * normal(data) * (data != 0), 0.5 * scipy.stats.gamma(2, scale=2).pdf(data)],
        axis=-1,
    )
    posterior = solver.posterior({"w": [0.2, 0.3, 0.5], "mean": 0.5, "rate": 2.0}, x=data).z
    np.testing.assert_allclose(posterior, joint / joint.sum(axis=1, keepdims=True), atol=1e-14)


def test_data_off_every_support_are_refused_and_rows_without_a_branch_are_named() -> None:
    both = derived("beta, exponential").solver()
    with pytest.raises(both.DataError, match=r"x\[1\] = -2.0.* must be positive"):
        both.log_likelihood({"q": 0.4, "rate": 2.0}, x=[0.5, -2.0])
    branches = {0: Beta(2, 2), 1: Pareto(2, rate)}
    apart = Model({z[i]: Bernoulli(q), x[i]: Cases(z[i], branches)}, latent=[z]).derive().solver()
    with pytest.raises(apart.DataError, match=r"Row 1 \(counted from 0\) is impossible"):
        apart.log_likelihood({"q": 0.4, "rate": 2.0}, x=[0.5, 1.5])
