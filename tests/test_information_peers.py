"""Standard errors beside those of others: lme4, statsmodels, and Hessians of log-likelihoods that are written here, in NumPy."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, exp, symbols

from symem import Bernoulli, Categorical, Model, Poisson
from symem.runtime.tangents import _flat
from symem.verification.ascent import fixed_point_is_maximum
from symem.verification.verifying import prepare
from tests.derived import em
from tests.models import BY_NAME

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
y, z, t, w, a, b = map(IndexedBase, ["y", "z", "t", "w", "a", "b"])


def at_the_estimate(name: str) -> Any:
    row = BY_NAME[name]
    start = row.theta(row.file["fixed_point"])
    return em(name).fit(**row.data, start=start, tol=1e-14, max_iter=20_000)


def bend(height: Callable[[Any], float], at: Any, steps: Any) -> Any:
    """Minus the second derivatives, by central differences of fourth order in every pair."""
    size, ways = len(at), np.diag(steps)
    weights = {-2: 1 / 12, -1: -2 / 3, 1: 2 / 3, 2: -1 / 12}
    found = np.empty((size, size))
    for one in range(size):
        for other in range(one + 1):
            total = sum(
                p * q * height(at + r * ways[one] + s * ways[other])
                for r, p in weights.items()
                for s, q in weights.items()
            )
            found[one, other] = found[other, one] = -total / (steps[one] * steps[other])
    return found


def normal(rows: Any, mean: Any, covariance: Any) -> float:
    """The log-density of rows under one Normal law."""
    away = rows - mean
    half = np.linalg.solve(covariance, away.T)
    return float(-0.5 * (np.sum(away.T * half) + len(rows) * np.linalg.slogdet(2 * np.pi * covariance)[1]))


@functools.cache
def chain() -> Any:
    """A sequence of two-valued numbers of hidden labels."""
    T = symbols("T", integer=True, positive=True)
    place = Idx("place", T)
    pi, A, chance = IndexedBase("pi"), IndexedBase("A"), IndexedBase("chance")
    law = {z[0]: Categorical(pi[k]), z[place]: Categorical(A[z[place - 1], k])}
    return Model({**law, y[place]: Bernoulli(chance[z[place]])}, latent=[z]).derive()


def test_a_sequence_whose_labels_come_to_a_corner_has_no_maximum_inside() -> None:
    """V5 of a sequence of six is open, and says where EM went."""
    ground, _note = prepare(chain(), sizes={"T": 6}, seed=1)
    with np.errstate(all="ignore"):
        (found,) = fixed_point_is_maximum(ground)
    assert (found.number, found.detail) == (
        None,
        "EM goes to an end of the support of chance: the maximum is not inside",
    )


def test_dyestuff_as_lme4_has_it() -> None:
    """lmer(Yield ~ 1 + (1 | Batch), Dyestuff, REML = FALSE): -163.6635, intercept 1527.50 with standard error 17.69 (Bates,
    lme4: Mixed-effects modeling with R, section 1.3); all three against the joint Normal law of a batch.
    """
    fit, rows = at_the_estimate("random_effects_dyestuff"), BY_NAME["random_effects_dyestuff"].data["y"]
    assert fit.log_likelihood == pytest.approx(-163.6635, abs=5e-5)
    assert fit.parameters.mu == pytest.approx(1527.5, abs=5e-3)
    assert fit.standard_errors.mu == pytest.approx(17.69, abs=6e-3)

    def height(at: Any) -> float:
        between, mean, within = at
        return normal(rows, mean, between + within * np.eye(rows.shape[1]))

    assert fit.parameters._fields == ("s2a", "mu", "s2e")
    at = _flat(fit.parameters)
    errors = np.sqrt(np.diag(np.linalg.inv(bend(height, at, 1e-2 * _flat(fit.standard_errors)))))
    assert _flat(fit.standard_errors) == pytest.approx(errors, rel=1e-5)


def test_a_mixed_model_as_statsmodels_has_it() -> None:
    mixed = pytest.importorskip("statsmodels.regression.mixed_linear_model")
    fit, rows = at_the_estimate("random_effects_dyestuff"), BY_NAME["random_effects_dyestuff"].data["y"]
    groups = np.repeat(np.arange(len(rows)), rows.shape[1])
    theirs = mixed.MixedLM(rows.ravel(), np.ones(rows.size), groups).fit(reml=False, gtol=1e-10)
    assert fit.standard_errors.mu == pytest.approx(theirs.bse_fe[0], rel=1e-3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("law", ["Poisson", "Logit"])
def test_regressions_as_statsmodels_has_them(law: str) -> None:
    """Of one component, which is the regression itself."""
    api = pytest.importorskip("statsmodels.discrete.discrete_model")
    line = a[z[i]] + b[z[i]] * t[i]
    of = Poisson(exp(line)) if law == "Poisson" else Bernoulli(1 / (1 + exp(-line)))
    algorithm = Model({z[i]: Categorical(w[k]), y[i]: of}, latent=[z], known=[t]).derive()
    rng = np.random.default_rng(0)
    at = rng.normal(size=150)
    mean = 0.3 + 0.8 * at
    rows = (
        rng.poisson(np.exp(mean))
        if law == "Poisson"
        else (rng.random(150) < 1 / (1 + np.exp(-mean))).astype(int)
    )
    fit = algorithm.fit(y=rows, t=at, K=1, seed=0, tol=1e-14)
    design = np.column_stack([np.ones(150), at])
    theirs = getattr(api, law)(rows, design).fit(disp=0, tol=1e-12)
    ours = fit.standard_errors
    assert [ours.a[0], ours.b[0]] == pytest.approx(list(theirs.bse), rel=1e-6)


def test_factors_against_the_joint_normal_law() -> None:
    """Loadings are told up to a rotation, so that they have no standard errors; means and own variances have those of the
    pseudo-inverse of the Hessian.
    """
    fit, rows = at_the_estimate("factor_analysis_mean"), BY_NAME["factor_analysis_mean"].data["x"]
    W, mu, _psi = fit.parameters

    def height(at: Any) -> float:
        loadings = at[: W.size].reshape(W.shape)
        mean, own = np.split(at[W.size :], [mu.size])
        return normal(rows, mean, loadings @ loadings.T + np.diag(own))

    assert np.isnan(fit.standard_errors.W).all()
    assert [name for name, _ in fit.information.notes] == ["not identified"]
    steps = 1e-2 * np.concatenate([np.full(W.size, 0.1), fit.standard_errors.mu, fit.standard_errors.psi])
    errors = np.sqrt(
        np.diag(np.linalg.pinv(bend(height, _flat(fit.parameters), steps), rcond=1e-6, hermitian=True))
    )
    _, means, own = np.split(errors, [W.size, W.size + mu.size])
    assert fit.standard_errors.mu == pytest.approx(means, rel=1e-4)
    assert fit.standard_errors.psi == pytest.approx(own, rel=1e-4)


def test_the_first_law_of_one_sequence_ends_at_a_corner_and_the_rest_has_standard_errors() -> None:
    """Those of the likelihood with the first label given, summed over all paths by matrices, by differences."""
    algorithm = chain()
    rng = np.random.default_rng(0)
    label, rows = 0, []
    for _ in range(400):
        rows.append(int(rng.random() < (0.2, 0.8)[label]))
        label = label if rng.random() < 0.9 else 1 - label
    start = {"pi": [0.6, 0.4], "A": [[0.8, 0.2], [0.2, 0.8]], "chance": [0.3, 0.7]}
    fit = algorithm.fit(y=np.array(rows), start=start, tol=1e-14, accelerate="anderson")
    first = int(np.argmax(fit.parameters.pi))

    def height(at: Any) -> float:
        stay, leave, *own = at
        step = np.array([[stay, 1 - stay], [leave, 1 - leave]])
        forward, total = np.eye(2)[first], 0.0
        for row in rows:
            forward = forward * np.where(row, own, 1 - np.array(own))
            total += np.log(forward.sum())
            forward = forward / forward.sum() @ step
        return total

    theta, ours = fit.parameters, fit.standard_errors
    at = np.array([theta.A[0, 0], theta.A[1, 0], *theta.chance])
    mine = np.array([ours.A[0, 0], ours.A[1, 0], *ours.chance])
    assert np.isnan(ours.pi).all()
    assert "pi[0], pi[1] lie at ends of their supports" in fit.summary()
    assert mine == pytest.approx(np.sqrt(np.diag(np.linalg.inv(bend(height, at, 0.02 * mine)))), rel=1e-4)
