"""The emitted solvers beside the programs that users would check them with: equal steps, equal maxima.

A peer that is not installed is skipped by name. scikit-learn regularises unless told not to, and statsmodels
maximises by quasi-Newton: a step is compared where the peer takes the same one, else the maximum.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tests.answers import Values, gap
from tests.derived import em, named, solver
from tests.models import BY_NAME, example

KINDS = {
    "full": "gmm_mv_full",
    "tied": "gmm_mv_tied",
    "diag": "gmm_mv_diag_vector",
    "spherical": "gmm_mv_spherical_vector",
}


def steps(name: str, count: int) -> Values:
    """So many EM steps of the emitted module from the row's start."""
    row = BY_NAME[name]
    theta = row.theta(row.file["start"])
    for _ in range(count):
        theta = named(solver(name).em_step(theta, **row.data))
    return theta


def fitted(name: str, data: Values, start: Values) -> Any:
    """The limit of the emitted module."""
    return em(name).fit(**data, start=start, tol=1e-14, max_iter=20000)


def quietly(fit: Any) -> Any:
    """A peer's fit without its warning that it took all the steps it was given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit()


def scatter(name: str) -> str:
    """The one parameter of a mixture that is neither weight nor mean."""
    (found,) = set(BY_NAME[name].theta(BY_NAME[name].file["start"])) - {"w", "mu"}
    return found


def their_mixture(kind: str, count: int) -> Values:
    """scikit-learn's mixture after so many steps, in our names."""
    mixture = pytest.importorskip("sklearn.mixture")
    name, row = KINDS[kind], BY_NAME[KINDS[kind]]
    start, (sample,) = row.theta(row.file["start"]), row.data.values()
    spread = start[scatter(name)]
    model = mixture.GaussianMixture(
        len(start["w"]),
        covariance_type=kind,
        reg_covar=0,
        tol=0,
        max_iter=count,
        weights_init=start["w"],
        means_init=start["mu"],
        precisions_init=np.linalg.inv(spread) if kind in ("full", "tied") else 1 / spread,
    )
    theirs = quietly(lambda: model.fit(sample))
    return {"w": theirs.weights_, "mu": theirs.means_, scatter(name): theirs.covariances_}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 7, 30])
def test_steps_of_scikit_learn_mixture(kind: str, count: int) -> None:
    assert gap(steps(KINDS[kind], count), their_mixture(kind, count)) < 1e-8


@pytest.mark.parametrize("kind", KINDS)
def test_limit_of_scikit_learn_mixture(kind: str) -> None:
    row = BY_NAME[KINDS[kind]]
    ours = fitted(row.name, row.data, row.theta(row.file["start"]))
    assert ours.converged
    assert gap(named(ours.parameters), their_mixture(kind, 3000)) < 1e-6


def test_scikit_learn_factor_analysis() -> None:
    """Its maximum: ℓ, and WWᵀ + Ψ, which are free of the rotation."""
    decomposition = pytest.importorskip("sklearn.decomposition")
    row = BY_NAME["factor_analysis_mean"]
    ours = fitted(row.name, row.data, row.theta(row.file["start"]))
    theta, (sample,) = named(ours.parameters), row.data.values()
    model = decomposition.FactorAnalysis(2, tol=1e-13, max_iter=20000, svd_method="lapack")
    theirs = quietly(lambda: model.fit(sample))
    assert ours.log_likelihood == pytest.approx(theirs.score_samples(sample).sum(), abs=1e-6)
    covariance = theta["W"] @ theta["W"].T + np.diag(theta["psi"])
    assert covariance == pytest.approx(theirs.get_covariance(), abs=1e-4)


def test_closed_form_of_principal_components() -> None:
    """Tipping & Bishop 1999, eqs. (7), (8): the leading eigenvalues, and the mean of those left out."""
    row = BY_NAME["ppca_mean"]
    ours, (sample,) = steps(row.name, 1500), row.data.values()
    m = ours["W"].shape[1]
    sizes, axes = np.linalg.eigh(np.cov(sample.T, bias=True))
    left_out = sizes[:-m].mean()
    leading = axes[:, -m:] * (sizes[-m:] - left_out) @ axes[:, -m:].T
    assert ours["mu"] == pytest.approx(sample.mean(0), abs=1e-9)
    assert float(ours["s2"]) == pytest.approx(left_out, rel=1e-9)
    assert ours["W"] @ ours["W"].T == pytest.approx(leading, abs=1e-9)


def test_statsmodels_mixed_model() -> None:
    """Random intercept and slope for the reaction times, by maximum likelihood."""
    mixed = pytest.importorskip("statsmodels.regression.mixed_linear_model")
    chosen = example("random_slopes")
    ours = fitted("lmm_random_slope", chosen.data, chosen.start)
    theta, y, X = named(ours.parameters), chosen.data["y"], chosen.data["X"]
    design, people = np.tile(X, (len(y), 1)), np.repeat(np.arange(len(y)), y.shape[1])
    model = mixed.MixedLM(y.ravel(), design, people, exog_re=design)
    theirs = quietly(lambda: model.fit(reml=False, method="lbfgs", gtol=1e-10))
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-4)
    assert theta["beta"] == pytest.approx(theirs.fe_params, rel=1e-5)
    assert theta["D"] == pytest.approx(theirs.cov_re, rel=1e-2, abs=0.1)
    assert float(theta["s2"]) == pytest.approx(theirs.scale, rel=1e-3)


def test_complete_responses_give_least_squares() -> None:
    """Without gaps one step is there, from anywhere."""
    row = BY_NAME["multivariate_regression"]
    rng = np.random.default_rng(0)
    x, start = row.data["x"], row.theta(row.file["start"])
    y = rng.normal(size=row.data["y"].shape)
    found = named(solver(row.name).em_step(start, x=x, y=y))
    B = np.linalg.lstsq(x, y, rcond=None)[0].T
    off = y - x @ B.T
    assert gap(found, {"B": B, "Sigma": off.T @ off / len(y)}) < 1e-10


def test_scikit_learn_evidence() -> None:
    """Bayesian ridge regression with flat hyper-priors has the same stationary point."""
    linear = pytest.importorskip("sklearn.linear_model")
    row = BY_NAME["evidence_linreg"]
    ours = named(fitted(row.name, row.data, row.theta(row.file["start"])).parameters)
    flat = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), 0.0)
    theirs = linear.BayesianRidge(**flat, fit_intercept=False, tol=1e-14, max_iter=20000)
    theirs.fit(row.file["data"]["X"], row.file["data"]["y"])
    assert float(ours["alpha"]) == pytest.approx(theirs.lambda_, rel=1e-5)
    assert float(ours["beta"]) == pytest.approx(theirs.alpha_, rel=1e-5)
