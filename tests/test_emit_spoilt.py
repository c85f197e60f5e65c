"""Data that leave a vector model's parameters undetermined: a result that is finite and a warning that names what
kept its value, or an error that names the array; never NaN, over several models.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from tests.derived import solver

Values = dict[str, Any]
#: Model: (its data array, the sizes to ask for, the spreads that may collapse).
MODELS: dict[str, tuple[str, Values, str]] = {
    "factor_analysis_mean": ("x", {"m": 2}, "psi"),
    "ppca": ("y", {"m": 2}, "s2"),
    "mixture_fa": ("x", {"K": 2, "m": 2}, "psi|W|mu"),
    "gmm_mv_full": ("x", {"K": 2}, "Sigma"),
    "gmm_mv_tied": ("y", {"K": 2}, "S"),
    "mvt_known_nu": ("x", {"nu": 4.0}, "Sigma"),
    "mvn_missing_murray": ("y", {}, "S"),
}


def rows(count: int, size: int) -> Any:
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, size)) @ (np.eye(size) + 0.3 * rng.normal(size=(size, size))) + 2.0


def with_column(place: int, by: Any) -> Any:
    x = rows(40, 4)
    x[:, place] = x[:, by] if isinstance(by, int) else by
    return x


SPOILT: dict[str, Any] = {
    "duplicated column": with_column(2, 1),
    "constant column": with_column(2, 5.0),
    "fewer rows than columns": rows(3, 4),
    "far fewer rows than columns": rows(2, 12),
    "one row": rows(1, 4),
}
#: What has a maximum all the same: noise that all coordinates share, and a missing-data model without a mean.
SOUND = {
    ("ppca", "duplicated column"),
    ("ppca", "constant column"),
    ("ppca", "fewer rows than columns"),
    ("mvn_missing_murray", "constant column"),
}


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("name", MODELS)
def test_spoilt_data_give_a_finite_fit_and_a_name(name: str, spoil: str) -> None:
    array, sizes, spreads = MODELS[name]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fit = solver(name).fit(**{array: SPOILT[spoil]}, **sizes, seed=0, max_iter=300)
    assert np.isfinite(fit.log_likelihood)
    assert all(np.all(np.isfinite(value)) for value in fit.parameters)
    assert np.all(np.isfinite(fit.history))
    for each in solver(name).PARAMETERS:
        if solver(name).PARAMETERS[each].kind == "positive":
            assert np.all(np.asarray(getattr(fit.parameters, each)) > 0)
    named = [each for each in said if any(str(each.message).startswith(s) for s in spreads.split("|"))]
    lost = [each for each in said if "have lost their digits" in str(each.message)]
    assert named or lost or (name, spoil) in SOUND
    assert len(said) < 8


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"mvn_missing_murray"}))
def test_a_whole_row_missing_where_none_may_be_is_refused_by_place(name: str) -> None:
    array, sizes, _ = MODELS[name]
    x = rows(40, 4)
    x[7] = np.nan
    with pytest.raises(
        ValueError, match=rf"{array}\[7, 0\] = nan \(and 3 more\), but every entry of {array}"
    ):
        solver(name).fit(**{array: x}, **sizes, seed=0)


def test_a_whole_row_missing_where_it_may_be_tells_nothing() -> None:
    x = rows(40, 4)
    x[7] = np.nan
    module, start = solver("mvn_missing_murray"), {"S": np.eye(4)}
    step, without = module.em_step(start, y=x), np.delete(x, 7, axis=0)
    assert module.log_likelihood(start, y=x) == pytest.approx(module.log_likelihood(start, y=without))
    np.testing.assert_allclose(step.S, (without.T @ without + np.eye(4)) / 40)


@pytest.mark.parametrize("name", ["gmm_mv_full", "gmm_mv_tied"])
def test_more_components_than_rows(name: str) -> None:
    array, _, spreads = MODELS[name]
    with pytest.warns(UserWarning, match=rf"^({spreads}|No observations)"):
        fit = solver(name).fit(**{array: rows(3, 4)}, K=5, seed=0, max_iter=200)
    assert np.isfinite(fit.log_likelihood)
    assert fit.parameters.w.sum() == pytest.approx(1.0)


def test_a_covariance_that_nears_singularity_is_held_before_its_digits_are_lost() -> None:
    """A column that is the sum of others but for 1e-7: components of few rows have no upper bound of the likelihood."""
    x = rows(40, 4)
    x[:, 3] = x[:, :3].sum(axis=1) + 1e-7 * x[:, 0] ** 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = solver("gmm_mv_full").fit(x=x, K=3, seed=0, max_iter=300)
    assert np.diff(fit.history).min() > -1e-6 * abs(fit.log_likelihood)


@pytest.mark.parametrize(
    ("name", "start", "message"),
    [
        ("gmm_mv_full", {"mu": np.zeros((2, 3))}, r"mu says that d is 3, but Sigma has shape \(2, 4, 4\): mu has .*\(2, 3\)"),
        ("gmm_mv_full", {"Sigma": np.array([np.eye(3)] * 2)}, r"mu says that d is 4, but Sigma has shape \(2, 3, 3\)"),
        ("gmm_mv_full", {"w": np.ones(3) / 3}, r"w says that K is 3, but mu has shape \(2, 4\): w has shape \(3,\)"),
        ("gmm_mv_full", {"Sigma": np.array([np.eye(4), -np.eye(4)])}, r"Sigma\[1\] is not positive definite"),
        ("gmm_mv_full", {"Sigma": np.array([np.eye(4), np.tri(4)])}, r"Sigma\[1\] is not symmetric"),
        ("gmm_mv_full", {"Sigma": np.array([np.eye(4), np.ones((4, 4))])}, r"Sigma\[1\] is singular"),
        ("factor_analysis_mean", {"psi": np.array([1.0, 1.0, -1.0, 1.0])}, r"psi\[2\] = -1.0, but every entry of psi"),
        ("factor_analysis_mean", {"W": np.zeros((3, 2))}, r"W says that d is 3, but mu has shape \(4,\): W has"),
        ("gmm_mv_full", {"mu": np.zeros(4)}, r"mu must have shape \(K, d\), one dimension per index, but has \(4,\)"),
    ],
)  # fmt: skip
def test_a_start_that_does_not_fit_is_refused_by_name(name: str, start: Values, message: str) -> None:
    array, _, _ = MODELS[name]
    sound: Values = {
        "gmm_mv_full": {"w": np.ones(2) / 2, "mu": np.zeros((2, 4)), "Sigma": np.array([np.eye(4)] * 2)},
        "factor_analysis_mean": {"W": np.ones((4, 2)), "mu": np.zeros(4), "psi": np.ones(4)},
    }[name]
    with pytest.raises(ValueError, match=message):
        solver(name).fit(**{array: rows(20, 4)}, start={**sound, **start})


def test_data_and_start_that_disagree_are_both_shown() -> None:
    start = {"w": np.ones(2) / 2, "mu": np.zeros((2, 3)), "Sigma": np.array([np.eye(3)] * 2)}
    with pytest.raises(
        ValueError, match=r"mu says that d is 3, but x has shape \(20, 4\): mu has shape \(2, 3\)"
    ):
        solver("gmm_mv_full").fit(x=rows(20, 4), start=start)
