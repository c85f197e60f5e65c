"""Location models on data at 2^27: the same answers as on data at 0, to 1e-7.

Data and parameters of each row that move together are written down here, from the models.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.derived import named, solver
from tests.models import BY_NAME
from tests.trials.derived import algorithm, built

FAR = 2.0**27
MOVING: dict[str, tuple[str, tuple[str, ...]]] = {
    "gaussian_pair": ("x", ("mu1", "mu2")),
    "gmm1d_known_var": ("x", ("mu",)),
    "gmm1d_shared_var": ("x", ("mu",)),
    "gmm1d_faithful": ("x", ("mu",)),
    "gmm1d_own_var": ("y", ("mu",)),
    "semisup_gmm": ("y", ("mu",)),
    "contaminated_normal": ("y", ("mu",)),
    "gmm_mv_diag": ("y", ("mu",)),
    "gmm_mv_spherical": ("y", ("mu",)),
    "factorial_mixture": ("y", ("c0",)),
    "student_t_known_nu": ("y", ("mu",)),
    "random_effects_dyestuff": ("y", ("mu",)),
    "normal_known_noise": ("y", ("mu",)),
    "normal_missing_both": ("x", ("mu",)),
    "random_intercept_ids": ("y", ("mu",)),
    "coupled_labels": ("x", ("m",)),
    "scale_inverse_gamma": ("y", ("mu",)),
    "gmm_mv_full": ("x", ("mu",)),
    "gmm_mv_tied": ("y", ("mu",)),
    "gmm_mv_diag_vector": ("y", ("mu",)),
    "gmm_mv_spherical_vector": ("y", ("mu",)),
    "gmm_mv_diag_shared": ("x", ("mu",)),
    "gmm_mv_spherical_shared": ("x", ("mu",)),
    "mvt_known_nu": ("x", ("mu",)),
    "t_mixture": ("x", ("mu",)),
    "contaminated_vector": ("x", ("mu",)),
    "common_mean_vector": ("x", ("mu",)),
    "mvn_missing": ("x", ("mu",)),
    "gmm_missing": ("x", ("mu",)),
    "factor_analysis_mean": ("x", ("mu",)),
    "ppca_mean": ("x", ("mu",)),
    "mixture_fa": ("x", ("mu",)),
    "mixture_ppca": ("x", ("mu",)),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:EM has not converged")
@pytest.mark.parametrize("name", list(MOVING)[::2])
def test_far_data_give_the_answers_of_near_data(name: str) -> None:
    row, module, (datum, locations) = BY_NAME[name], solver(name), MOVING[name]
    near = {**row.data, datum: np.round(np.asarray(row.data[datum], float) * 2**20) / 2**20}
    far = {**near, datum: near[datum] + FAR}
    theta = row.theta(row.file["start"])
    theta_far = moved(theta, locations, FAR)
    one = named(module.em_step(theta, **near))
    other = moved(named(module.em_step(theta_far, **far)), locations, -FAR)
    for each in one:
        np.testing.assert_allclose(other[each], one[each], rtol=1e-7, atol=1e-7, err_msg=each)
    value, value_far = module.log_likelihood(theta, **near), module.log_likelihood(theta_far, **far)
    assert value_far == pytest.approx(value, rel=1e-9)
    fits = [
        module.fit(start=start, max_iter=20, tol=1e-9, **data)
        for start, data in ((theta, near), (theta_far, far))
    ]
    for each in one:
        found = moved(named(fits[1].parameters), locations, -FAR)[each]
        np.testing.assert_allclose(found, named(fits[0].parameters)[each], rtol=1e-6, atol=1e-6, err_msg=each)


@pytest.mark.parametrize("name", ["nested_effects", "effects_of_two_kinds", "loading_on_a_standard_effect"])
def test_effects_on_effects_far_away(name: str) -> None:
    """The posterior of an inner effect moves by what the outer one leaves to it."""
    trial, module = built(name), algorithm(name).solver()
    locations = {
        "nested_effects": ("m",),
        "effects_of_two_kinds": ("mu",),
        "loading_on_a_standard_effect": ("b0",),
    }[name]
    near = {**trial.data, "y": np.round(trial.data["y"] * 2**20) / 2**20}
    far = {**near, "y": near["y"] + FAR}
    theta_far = moved(trial.theta, locations, FAR)
    one = named(module.em_step(trial.theta, **near))
    other = moved(named(module.em_step(theta_far, **far)), locations, -FAR)
    for each in one:
        np.testing.assert_allclose(other[each], one[each], rtol=1e-7, atol=1e-7, err_msg=each)


def test_an_inner_effect_is_shown_about_zero_and_parts_merge() -> None:
    trial, module = built("nested_effects"), algorithm("nested_effects").solver()
    theta = {**trial.theta, "m": trial.theta["m"] + 7.0}
    y = trial.data["y"] + 7.0
    shown, spread = module.posterior(theta, y=y), 1 / theta["ve"]
    slope = 1 / (theta["vb"] * (y.shape[2] * spread + 1 / theta["vb"]))
    share = theta["vb"] * spread * y.sum(axis=2) * slope
    np.testing.assert_allclose(shown.b["m_b"], share, rtol=1e-12)
    parts = [module.statistics(theta, y=part) for part in (y[:1], y[1:] + 0.0)]
    merged, whole = module.m_step(module.merge(*parts)), module.em_step(theta, y=y)
    np.testing.assert_allclose(merged, whole, rtol=1e-10)


def moved(theta: dict[str, Any], locations: tuple[str, ...], by: float) -> dict[str, Any]:
    return {name: np.asarray(value) + by if name in locations else value for name, value in theta.items()}
