"""Latent numbers that sums couple are read as vectors: likelihoods and steps by the joint Normal law of the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, Product, Sum, exp, pi, sqrt, symbols

from symem import EM, Model, Normal, NotDerivedError, Positive, Reals

Array = Any
n, p, J, K = symbols("n p J K", integer=True, positive=True)
i, q, j, k = Idx("i", n), Idx("q", p), Idx("j", J), Idx("k", K)
y, X, G, H, a, b, f, w, L = map(IndexedBase, ["y", "X", "G", "H", "a", "b", "f", "w", "L"])
s, tau, mu, ta, tb = symbols("s tau mu ta tb")
rng = np.random.default_rng(3)
ROWS, SEEN = rng.normal(size=(7, 3)), rng.normal(size=7) + 1
THETA = {"tau": 0.7, "s": 1.1}
combined = Sum(w[q] * X[i, q], q)


def regression(**more: Any) -> EM:
    laws = {w[q]: Normal(0, tau), y[i]: Normal(combined, s)}
    return Model(laws, latent=[w], known=[X], **more).derive()


def by_likelihood() -> EM:
    """The same as a paper prints it."""
    whole = Product(
        exp(-((y[i] - combined) ** 2) / (2 * s**2)) / (s * sqrt(2 * pi)), (i, 0, n - 1)
    ) * Product(exp(-(w[q] ** 2) / (2 * tau**2)) / (tau * sqrt(2 * pi)), (q, 0, p - 1))
    supports = {s: Positive(), tau: Positive()}
    return Model.from_likelihood(whole, latent={w: Reals()}, parameters=supports, known=[X]).derive()


def belief(design: Array, rest: Array, noise: float, prior: Array) -> tuple[Array, Array]:
    """Mean and covariance of numbers with variances `prior` whose combinations were seen with noise."""
    spread = np.linalg.inv(design.T @ design / noise**2 + np.diag(1 / prior))
    return spread @ design.T @ rest / noise**2, spread


@pytest.mark.parametrize("derived", [regression, by_likelihood], ids=["by laws", "by likelihood"])
def test_slopes_of_a_regression_are_one_vector(derived: Any) -> None:
    solver = derived().solver()
    law = scipy.stats.multivariate_normal(cov=1.21 * np.eye(7) + 0.49 * ROWS @ ROWS.T)
    given = {"X": ROWS, "y": SEEN}
    assert solver.log_likelihood(THETA, **given) == pytest.approx(law.logpdf(SEEN), rel=1e-12)
    mean, spread = belief(ROWS, SEEN, 1.1, np.full(3, 0.49))
    found = solver.posterior(THETA, **given).w
    assert found["E_w"] == pytest.approx(mean)
    assert found["V_w"] == pytest.approx(spread)
    after = solver.em_step(THETA, **given)
    assert after.tau**2 == pytest.approx((mean @ mean + np.trace(spread)) / 3)
    left = ((SEEN - ROWS @ mean) ** 2).sum() + np.trace(ROWS @ spread @ ROWS.T)
    assert after.s**2 == pytest.approx(left / 7)


def test_the_report_names_what_was_written() -> None:
    em = regression()
    assert {str(each) for each in em.updates} == {"tau", "s"}
    assert "MultivariateNormal" in str(em.posterior[w])
    assert r"\mathcal{N}(\mathbf{X}_{i}^{\mathsf{T}} \mathbf{w}, s^{2})" in em.latex()


def test_effects_of_two_crossed_groups() -> None:
    """a and b meet in every cell: each row of G and of H has a 1 where it chooses an entry."""
    laws = {
        a[j]: Normal(0, ta),
        b[k]: Normal(0, tb),
        y[i]: Normal(mu + Sum(G[i, j] * a[j], j) + Sum(H[i, k] * b[k], k), s),
    }
    solver = Model(laws, latent=[a, b], known=[G, H]).derive().solver()
    first, second = np.eye(3)[rng.integers(0, 3, 20)], np.eye(4)[rng.integers(0, 4, 20)]
    seen, design = rng.normal(size=20) + first @ [0, 1, 2], np.hstack([first, second])
    given = {"G": first, "H": second, "y": seen}
    theta = {"mu": 0.3, "ta": 0.8, "tb": 0.5, "s": 1.1}
    prior = np.repeat([0.64, 0.25], [3, 4])
    law = scipy.stats.multivariate_normal(np.full(20, 0.3), 1.21 * np.eye(20) + (design * prior) @ design.T)
    assert solver.log_likelihood(theta, **given) == pytest.approx(law.logpdf(seen), rel=1e-12)
    mean, spread = belief(design, seen - 0.3, 1.1, prior)
    after = solver.em_step(theta, **given)
    level = (seen - design @ mean).mean()
    squares = mean**2 + np.diag(spread)
    left = ((seen - level - design @ mean) ** 2).sum() + np.trace(design @ spread @ design.T)
    wanted = {
        "mu": level,
        "ta": squares[:3].mean() ** 0.5,
        "tb": squares[3:].mean() ** 0.5,
        "s": (left / 20) ** 0.5,
    }
    assert {name: getattr(after, name) for name in wanted} == pytest.approx(wanted)


def test_factors_stated_by_their_entries() -> None:
    """One intercept for all columns: it is solved with all loadings put in, and the loadings in terms of it."""
    laws = {f[i, q]: Normal(0, 1), y[i, k]: Normal(mu + Sum(L[k, q] * f[i, q], q), s)}
    em = Model(laws, latent=[f]).derive()
    solver = em.solver()
    theta = {"mu": 0.2, "s": 1.2, "L": np.array([[-0.25, 1.1], [0.13, -1.07], [0.4, 0.3]])}
    seen = rng.normal(size=(9, 3)) + 0.3
    loadings = theta["L"]
    assert isinstance(loadings, np.ndarray)
    law = scipy.stats.multivariate_normal(np.full(3, 0.2), loadings @ loadings.T + 1.44 * np.eye(3))
    assert solver.log_likelihood(theta, y=seen) == pytest.approx(law.logpdf(seen).sum(), rel=1e-12)
    spread = np.linalg.inv(np.eye(2) + loadings.T @ loadings / 1.44)
    means = (seen - 0.2) @ loadings @ spread / 1.44
    # the normal equations of mu and of all loadings at once
    second = means.T @ means + 9 * spread
    system = np.zeros((7, 7))
    system[0, 0], system[0, 1:] = 27, np.tile(means.sum(0), 3)
    system[1:, 0], system[1:, 1:] = system[0, 1:], np.kron(np.eye(3), second)
    solved = np.linalg.solve(system, np.concatenate([[seen.sum()], (seen.T @ means).ravel()]))
    after = solver.em_step(theta, y=seen)
    assert after.mu == pytest.approx(solved[0])
    assert after.L.ravel() == pytest.approx(solved[1:])


@pytest.mark.parametrize(
    "mean",
    [
        Sum(w[q] * X[i, q], q) + X[i, 0],
        Sum(w[q] * X[q, i], q),
        Sum(w[q] * X[i, q] ** 2, q),
        Sum(w[q] * X[i, q], (q, 1, p - 1)),
    ],
    ids=["an entry by itself", "columns", "squares", "a part"],
)
def test_other_sums_stay_and_are_refused(mean: Any) -> None:
    laws = {w[q]: Normal(0, tau), y[i]: Normal(mean, s)}
    with pytest.raises(NotDerivedError, match=r"stands in Sum\(w\[q\]\*X\[i, q\], q\) only"):
        Model(laws, latent=[w], known=[X]).derive()


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [{}, {"missing": [y]}, {"prior": {mu: Normal(0, 3)}}],
    ids=["as it is", "with gaps", "with a prior"],
)
def test_the_ladder_passes(more: dict[str, Any]) -> None:
    laws = {w[j, q]: Normal(0, tau), y[j, k]: Normal(mu + Sum(w[j, q] * X[j, k, q], q), s)}
    report = Model(laws, latent=[w], known=[X], **more).derive().verify()
    assert report.passed, str(report)
