"""The oracle and the data of the ladder for vectors and matrices, against SciPy's densities."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy
from scipy.special import logsumexp
from sympy import Pow, symbols

from symem.evaluation.arithmetic import Arithmetic
from symem.evaluation.coordinates import Coordinates, total_defect
from symem.evaluation.members import random_member
from symem.language.matrices import MatrixArray, T
from symem.language.matrix_supports import PositiveDefinite, Symmetric
from symem.language.traces import log_det, trace
from symem.verification import Oracle, prepare, situation
from symem.verification.ancestral import ancestral
from symem.verification.sampling import draw
from symem.verification.sizes import default_sizes
from tests.evaluate import Evaluator
from tests.models import BY_NAME
from tests.test_matrices import CASES, LOG_DETS, SIZES, TRACES, arrays

Values = dict[str, Any]


def drawn(name: str, seed: int = 3) -> tuple[Any, Values, Values, Oracle]:
    """The model of a row, data and parameters drawn for it, and its oracle."""
    model = BY_NAME[name].model()
    found = draw(model, np.random.default_rng(seed), default_sizes(model))
    return model, found.data, found.theta, Oracle(model, situation(model, found.data, found.theta))


def log_normal(x: Any, mean: Any, covariance: Any) -> Any:
    return scipy.stats.multivariate_normal(mean, covariance).logpdf(x)


# -- the observed-data likelihood ----------------------------------------------------------------------


def test_factor_analysis() -> None:
    _model, data, theta, oracle = drawn("factor_analysis_mean")
    covariance = theta["W"] @ theta["W"].T + np.diag(theta["psi"])
    assert oracle.log_likelihood(theta) == pytest.approx(
        log_normal(data["x"], theta["mu"], covariance).sum(), rel=1e-12
    )


def test_a_mixture_of_factor_analysers() -> None:
    _model, data, theta, oracle = drawn("mixture_fa_own")
    cells = [
        np.log(theta["w"][k])
        + log_normal(data["x"], theta["mu"][k], theta["W"][k] @ theta["W"][k].T + np.diag(theta["psi"][k]))
        for k in range(2)
    ]
    assert oracle.log_likelihood(theta) == pytest.approx(logsumexp(cells, axis=0).sum(), rel=1e-12)


def test_missing_entries_of_vectors() -> None:
    _model, data, theta, oracle = drawn("mvn_missing")
    total = 0.0
    for row in data["x"]:
        seen = np.flatnonzero(~np.isnan(row))
        if len(seen):
            total += log_normal(row[seen], theta["mu"][seen], theta["Sigma"][np.ix_(seen, seen)])
    assert oracle.log_likelihood(theta) == pytest.approx(total, rel=1e-12)


def test_a_mixture_with_missing_entries() -> None:
    _model, data, theta, oracle = drawn("gmm_missing")
    total = 0.0
    for row in data["x"]:
        seen = np.flatnonzero(~np.isnan(row))
        cells = [
            np.log(theta["w"][k])
            + (
                log_normal(row[seen], theta["mu"][k][seen], theta["Sigma"][k][np.ix_(seen, seen)])
                if len(seen)
                else 0
            )
            for k in range(2)
        ]
        total += logsumexp(cells)
    assert oracle.log_likelihood(theta) == pytest.approx(total, rel=1e-12)


def test_effects_that_a_group_shares() -> None:
    _model, data, theta, oracle = drawn("lmm_random_slope_entries")
    X, size = data["X"], len(data["X"])
    covariance = X @ theta["D"] @ X.T + theta["s2"] * np.eye(size)
    assert oracle.log_likelihood(theta) == pytest.approx(
        log_normal(data["y"], X @ theta["be"], covariance).sum(), rel=1e-11
    )


@pytest.mark.parametrize("name", ["evidence_linreg", "evidence_linreg_entries", "ard_linreg"])
def test_weights_that_all_data_share(name: str) -> None:
    _model, data, theta, oracle = drawn(name)
    X, n = data["X"], len(data["y"])
    prior = X @ np.diag(1 / (theta["alpha"] * np.ones(X.shape[1]))) @ X.T
    expected = log_normal(data["y"], np.zeros(n), prior + np.eye(n) / theta["beta"])
    assert oracle.log_likelihood(theta) == pytest.approx(expected, rel=1e-11)
    assert len(oracle.groups) == 1


def test_a_scale_with_vectors() -> None:
    _model, data, theta, oracle = drawn("mvt_known_nu")
    expected = scipy.stats.multivariate_t(theta["mu"], theta["Sigma"], df=data["nu"]).logpdf(data["x"]).sum()
    assert oracle.log_likelihood(theta) == pytest.approx(expected, rel=1e-9)


def test_errors_in_variables() -> None:
    _model, data, theta, oracle = drawn("errors_in_variables_known")
    total = 0.0
    for x, y, v in zip(data["x"], data["y"], data["v"], strict=True):
        slope, spread = np.array([1.0, theta["b1"]]), np.diag([v, theta["s2"]])
        mean = np.array([0.0, theta["b0"]]) + slope * theta["m"]
        total += log_normal([x, y], mean, theta["t2"] * np.outer(slope, slope) + spread)
    assert oracle.log_likelihood(theta) == pytest.approx(total, rel=1e-11)


# -- data ------------------------------------------------------------------------------------------------


def test_vectors_are_drawn_from_their_law() -> None:
    model = BY_NAME["ppca_mean"].model()
    W, mu = np.array([[1.0, 0.5], [0.3, -1.0], [2.0, 0.1]]), np.array([5.0, -3.0, 1.0])
    given = {"n": 2_000, "d": 3, "m": 2, "W": W, "mu": mu, "s2": 0.25}
    x = ancestral(model, given, np.random.default_rng(0))["x"]
    assert x.mean(axis=0) == pytest.approx(mu, abs=0.2)
    assert np.cov(x.T) == pytest.approx(W @ W.T + 0.25 * np.eye(3), abs=0.4)


def test_vectors_are_drawn_by_precision_and_from_a_joint_density() -> None:
    for name in ("gmm_mv_full_precision", "gmm_mv_full_likelihood"):
        model = BY_NAME[name].model()
        found = draw(model, np.random.default_rng(0), {"n": 400, "d": 2, "K": 2})
        S = found.theta["S"] if name.endswith("likelihood") else np.linalg.inv(found.theta["S"])
        w, mu = found.theta["w"], found.theta["mu"]
        mean = w @ mu
        spread = np.einsum("k,kab->ab", w, S) + np.einsum("k,ka,kb->ab", w, mu - mean, mu - mean)
        assert found.data["y"].mean(axis=0) == pytest.approx(mean, abs=5 * np.sqrt(spread.max() / 400))
        assert np.cov(found.data["y"].T) == pytest.approx(spread, abs=0.4 * spread.max())


def test_a_row_is_wholly_missing_and_another_wholly_seen() -> None:
    _model, data, _theta, _oracle = drawn("mvn_missing")
    gone = np.isnan(data["x"])
    assert gone.all(axis=1).any()
    assert (~gone).all(axis=1).any()
    assert (gone.any(axis=1) & ~gone.all(axis=1)).any()


def test_vectors_factors_and_labels_have_different_sizes() -> None:
    sizes = default_sizes(BY_NAME["mixture_fa"].model())
    assert sizes["d"] > sizes["m"]
    assert sizes["n"] > 10 * sizes["d"]


def test_random_covariances_are_well_conditioned_and_not_nearly_diagonal() -> None:
    d, K = symbols("d K")
    variable = SimpleNamespace(support=PositiveDefinite(), sizes=(K,), shape=(d, d))
    found = random_member(variable, np.random.default_rng(0), {"d": 3, "K": 200})
    assert np.linalg.cond(found).max() < 1e3
    inner = 1 / np.sqrt(np.diagonal(found, axis1=1, axis2=2))
    correlations = found * inner[:, :, None] * inner[:, None, :]
    assert np.median(np.abs(correlations[:, 0, 1])) > 0.2


# -- coordinates -----------------------------------------------------------------------------------------


def parameter(support: Any, size: int) -> Any:
    variable = SimpleNamespace(name="S", support=support, sizes=(), shape=(size, size))
    return SimpleNamespace(parameters=(variable,), simplexes=())


def test_every_move_of_a_covariance_is_one() -> None:
    model, start = (
        parameter(PositiveDefinite(), 3),
        np.array([[2.0, 0.9, 0.1], [0.9, 1.0, -0.2], [0.1, -0.2, 0.5]]),
    )
    coordinates = Coordinates(model, {"S": start})
    assert coordinates.labels == ["S[0, 0]", "S[1, 0]", "S[1, 1]", "S[2, 0]", "S[2, 1]", "S[2, 2]"]
    assert len(coordinates.free()) == 6
    assert coordinates.point(coordinates.free())["S"] == pytest.approx(start)
    moved = coordinates.point(np.random.default_rng(0).normal(size=6))
    assert total_defect(model, moved) < 1e-12
    moves = np.array([coordinates.point(step)["S"].ravel() - start.ravel() for step in 1e-6 * np.eye(6)])
    assert np.linalg.matrix_rank(moves, tol=1e-9) == 6


def test_what_is_no_covariance_is_seen() -> None:
    model = parameter(PositiveDefinite(), 2)
    assert total_defect(model, {"S": np.array([[1.0, 2.0], [2.0, 1.0]])}) == np.inf
    assert total_defect(model, {"S": np.array([[1.0, 0.3], [0.2, 1.0]])}) == pytest.approx(0.1)
    assert total_defect(model, {"S": np.array([[1.0, np.nan], [np.nan, 1.0]])}) == np.inf
    assert total_defect(parameter(Symmetric(), 2), {"S": np.array([[1.0, 2.0], [2.0, 1.0]])}) == 0


# -- the evaluator of formulas -----------------------------------------------------------------------------


@pytest.mark.parametrize("expr", [expr for expr, _plain in CASES], ids=str)
def test_matrices_are_what_the_slow_evaluator_finds(expr: Any) -> None:
    slow = np.asarray(Evaluator({**SIZES, **arrays()})(expr), dtype=float)
    assert Arithmetic({**SIZES, **arrays()})(expr) == pytest.approx(slow)


@pytest.mark.parametrize(
    "scalar",
    [
        *(trace(e, size) for e, size, _plain in TRACES),
        *(log_det(e, size) for e, size, _plain in LOG_DETS[:-1]),
    ],
    ids=str,
)
def test_numbers_of_matrices_are_what_the_slow_evaluator_finds(scalar: Any) -> None:
    slow = float(Evaluator({**SIZES, **arrays()})(scalar))
    assert Arithmetic({**SIZES, **arrays()}).number(scalar) == pytest.approx(slow)


def test_a_table_of_matrices() -> None:
    k, d = symbols("k", integer=True, nonnegative=True), symbols("d", integer=True, positive=True)
    C, x = MatrixArray("C", d, d, "symmetric"), MatrixArray("x", d, 1)
    given = arrays()
    scope = Arithmetic({**SIZES, **given})
    found = scope.table(Pow(C[k], -1) * x[k + 1] * T(x[k]), (k,), (2,))
    truth = [np.linalg.inv(given["C"][at]) @ np.outer(given["x"][at + 1], given["x"][at]) for at in range(2)]
    assert found == pytest.approx(np.array(truth))


def test_a_whole_climb_on_given_data() -> None:
    row = BY_NAME["factor_analysis_mean"]
    ground, note = prepare(row.model().derive().derivation, row.data, theta=row.theta(row.file["start"]))
    assert note.startswith("the data given")
    assert all(np.isfinite(ground.oracle.log_posterior(point)) for point in ground.points)
