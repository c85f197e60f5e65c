"""What a fit tells: numbers that are free, criteria, how it ended, its words; the same in a module that stands alone."""

from __future__ import annotations

import copy
import importlib.util
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

from symem import (
    EM,
    Categorical,
    DataError,
    Dirichlet,
    IndexedMatrix,
    IndexedVector,
    Model,
    MultivariateNormal,
    Normal,
)
from symem.runtime.description import Array
from symem.runtime.results import Fit, _free_parameters
from tests.derived import solver
from tests.models import BY_NAME

n, K, d = symbols("n K d", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
START = {"w": [0.5, 0.5], "mu": [-1.0, 1.0], "sigma": [1.0, 1.0]}
ROWS = np.concatenate([np.random.default_rng(0).normal(c, s, m) for c, s, m in [(-2, 1, 60), (3, 0.5, 40)]])


@pytest.fixture(scope="module")
def mixture() -> EM:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z]).derive()


@pytest.fixture(scope="module")
def fit(mixture: EM) -> Fit:
    return mixture.fit(x=ROWS, start=START)


def density(rows: Any, theta: Any) -> Any:
    """p(x_i, z_i = k), (rows, K)."""
    scaled = (np.asarray(rows)[:, None] - theta.mu) / theta.sigma
    return theta.w * np.exp(-(scaled**2) / 2) / (theta.sigma * np.sqrt(2 * np.pi))


# numbers ------------------------------------------------------------------------------------------------


def test_criteria_are_those_of_the_literature(fit: Fit) -> None:
    value = np.log(density(ROWS, fit.parameters).sum(axis=1)).sum()
    assert fit.n_parameters == 1 + 2 + 2
    assert fit.n_rows == 100
    assert fit.aic == pytest.approx(2 * 5 - 2 * value, rel=1e-12)
    assert fit.bic == pytest.approx(5 * np.log(100) - 2 * value, rel=1e-12)


@pytest.mark.parametrize(
    ("spec", "shape", "free"),
    [
        (Array("K"), (4,), 4),
        (Array(), (), 1),
        (Array("K", "simplex"), (4,), 3),
        (Array("L, K", "simplex"), (3, 4), 9),
        (Array("L, J, K", "simplex", simplex_axes=2), (3, 2, 4), 21),
        (Array("d, d", "definite", entries=2), (3, 3), 6),
        (Array("K, d, d", "symmetric", entries=2), (2, 5, 5), 30),
        (Array("d, m", entries=2), (3, 2), 6),
    ],
)
def test_what_a_constraint_takes_is_not_free(spec: Array, shape: tuple[int, ...], free: int) -> None:
    theta = type("Theta", (), {"a": np.ones(shape)})
    assert _free_parameters({"a": spec}, theta, ()) == free


def test_numbers_that_sum_to_1_together_have_one_less() -> None:
    theta = type("Theta", (), dict.fromkeys("abc", 0.3))
    assert _free_parameters(dict.fromkeys("abc", Array("", "unit")), theta, (("a", "b", "c"),)) == 2


def test_matrices_and_what_is_known_are_counted_so() -> None:
    y, m, S = IndexedVector("y", d), IndexedVector("m", d), IndexedMatrix("S", d, d)
    full = Model({z[i]: Categorical(w[k]), y[i]: MultivariateNormal(m[z[i]], S[z[i]])}, latent=[z]).derive()
    rows = np.random.default_rng(1).normal(size=(90, 3))
    assert full.fit(y=rows, K=2, seed=0, max_iter=3, tol=1.0).n_parameters == 1 + 2 * 3 + 2 * 6
    s = symbols("s")
    model = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s)}, latent=[z], known=[s])
    assert model.derive().fit(x=ROWS, s=1.0, K=3, seed=0, max_iter=3, tol=1.0).n_parameters == 2 + 3


def test_a_row_that_counts_twice_is_two() -> None:
    """BIC of unique rows with counts is that of all rows."""
    c, values = IndexedBase("c"), np.array([0.0, 1.0, 2.0, 5.0, 6.0])
    counts = np.array([3, 1, 2, 2, 4])
    stated = {z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}
    em = Model(stated, latent=[z], weights={i: c[i]}).derive()
    start = {"w": [0.5, 0.5], "mu": [1.0, 5.5], "sigma": [1.0, 1.0]}
    few = em.fit(x=values, c=counts, start=start)
    all_rows = em.fit(x=np.repeat(values, counts), c=np.ones(12), start=start)
    assert few.n_rows == all_rows.n_rows == 12
    assert few.bic == pytest.approx(all_rows.bic)


def test_with_a_prior_the_objective_is_the_log_posterior() -> None:
    alpha = IndexedBase("alpha")
    model = Model(
        {z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])},
        latent=[z], known=[alpha], prior={w: Dirichlet(alpha[k])},
    )  # fmt: skip
    em = model.derive()
    found = em.fit(x=ROWS, alpha=[3.0, 3.0], start=START)
    log_prior = 2 * np.log(found.parameters.w).sum() + np.log(120 / (2 * 2))
    assert found.objective == found.history[-1]
    assert found.objective - found.log_likelihood == pytest.approx(log_prior)
    assert "log-posterior" in found.summary()


# rows ---------------------------------------------------------------------------------------------------


def test_posteriors_are_of_the_rows_asked_for(fit: Fit) -> None:
    other = np.array([0.0, 2.0, -1.0])
    joint = density(other, fit.parameters)
    np.testing.assert_allclose(fit.posterior_of(x=other).z, joint / joint.sum(axis=1, keepdims=True))
    assert fit.log_likelihood_of(x=other) == pytest.approx(np.log(joint.sum(axis=1)).sum())
    np.testing.assert_allclose(fit.score_samples(x=other), np.log(joint.sum(axis=1)), rtol=1e-12)
    assert fit.score_samples().sum() == pytest.approx(fit.log_likelihood, rel=1e-12)
    assert fit.posterior.z.shape == (100, 2)
    assert fit.posterior is fit.posterior
    with pytest.raises(DataError, match=r"x\[0\]"):
        fit.posterior_of(x=[np.inf])


def test_a_label_is_predicted_to_be_the_most_probable(fit: Fit) -> None:
    other = np.array([-2.5, 2.0, 3.0, -1.0])
    assert fit.predict(x=other).tolist() == density(other, fit.parameters).argmax(axis=1).tolist()
    assert fit.predict().shape == (100,)


def test_numbers_that_all_rows_share_are_those_of_the_fit() -> None:
    s = symbols("s")
    em = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s)}, latent=[z], known=[s]).derive()
    found = em.fit(x=ROWS, s=2.0, start={"w": [0.5, 0.5], "mu": [-1.0, 1.0]}, max_iter=5, tol=1.0)
    assert found.log_likelihood_of(x=[1.0]) == found.log_likelihood_of(x=[1.0], s=2.0)
    assert found.log_likelihood_of(x=[1.0]) != found.log_likelihood_of(x=[1.0], s=1.0)
    with pytest.raises(DataError, match="x is missing"):
        found.log_likelihood_of(s=1.0)


def test_a_vector_is_predicted_to_be_its_mean() -> None:
    """E[b_g | y_g] of random slopes; what has no single table is read from the posterior."""
    row, module = BY_NAME["lmm_random_slope"], solver("lmm_random_slope")
    theta, data = row.theta(row.file["start"]), row.data
    np.testing.assert_array_equal(module.predict(theta, **data), module.posterior(theta, **data).b["E_b"])


# how it ended -------------------------------------------------------------------------------------------


def test_a_callback_ends_the_fit(mixture: EM) -> None:
    found = mixture.fit(x=ROWS, start=START, callback=lambda t, _theta, _value: t == 3)
    assert (found.n_iter, found.converged, found.message) == (3, False, "stopped by the callback")
    assert mixture.fit(x=ROWS, start=START, callback=lambda *_: 1).converged  # only True is an answer


def test_warnings_are_given_and_kept(mixture: EM) -> None:
    with pytest.warns(mixture.solver().NotConvergedWarning, match="after 2 iterations") as given:
        found = mixture.fit(x=ROWS, start=START, max_iter=2)
    assert found.warnings == tuple(str(each.message) for each in given)
    assert found.message == "not converged after 2 iterations, the most allowed"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert mixture.fit(x=ROWS, start=START, max_iter=2).warnings == found.warnings


def test_each_start_is_told(mixture: EM) -> None:
    found = mixture.fit(x=ROWS, K=2, seed=1, n_init=4)
    assert len(found.restarts) == 4
    assert max(found.restarts) == pytest.approx(found.objective)
    assert "4, of which" in found.summary()


# words --------------------------------------------------------------------------------------------------


def test_a_fit_is_read_at_a_glance(fit: Fit) -> None:
    first, *rows = repr(fit).splitlines()
    assert first == f"Fit: converged, {fit.n_iter} iterations"
    assert [row.split()[0] for row in rows] == ["w", "mu", "sigma", "log-likelihood"]
    assert f"<th>sigma</th><td>{fit.parameters.sigma[0]:.6g}" in fit._repr_html_()


def test_a_summary_holds_every_entry(fit: Fit) -> None:
    lines = [line.split() for line in fit.summary().splitlines()]
    assert ["mu[1]", f"{fit.parameters.mu[1]:.6g}"] in [line[:2] for line in lines]
    assert ["free", "parameters", "5"] in lines
    assert ["BIC", f"{fit.bic:.10g}"] in lines
    assert lines[0] == ["estimate", "std.", "error", "95", "%", "interval", "missing"]


# pickled, copied, alone ---------------------------------------------------------------------------------


def test_fits_and_solvers_are_pickled_and_copied(mixture: EM, fit: Fit) -> None:
    for again in (pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit)):
        assert again.bic == fit.bic
        np.testing.assert_array_equal(again.posterior.z, fit.posterior.z)
        assert again.log_likelihood_of(x=[1.0]) == fit.log_likelihood_of(x=[1.0])
    solver = mixture.solver()
    for twin in (pickle.loads(pickle.dumps(solver)), copy.deepcopy(solver)):
        assert twin.log_likelihood(START, x=ROWS) == solver.log_likelihood(START, x=ROWS)


def test_joblib_keeps_them(fit: Fit, tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    joblib.dump(fit, tmp_path / "fit.joblib")
    again = joblib.load(tmp_path / "fit.joblib")
    assert again.score_samples(x=[1.0]).tolist() == fit.score_samples(x=[1.0]).tolist()


@pytest.mark.parametrize("runtime", ["own", "shared"])
def test_a_fit_of_a_module_of_its_own(
    mixture: EM, fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: Any
) -> None:
    mixture.write(tmp_path / f"alone_{runtime}.py", runtime=runtime, verify=False)
    monkeypatch.syspath_prepend(tmp_path)
    name = f"alone_{runtime}"
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    found = module.fit(x=ROWS, start=START)
    said = "\n".join(
        line for line in fit.summary().splitlines() if not line.startswith(("labels", "unbounded"))
    )
    assert (found.aic, found.summary()) == (fit.aic, said)
    again = pickle.loads(pickle.dumps(found))
    assert again.log_likelihood_of(x=[1.0]) == fit.log_likelihood_of(x=[1.0])
