"""Location models on data at 2^27: the same answers as on data at 0, to 1e-7.

Data and parameters of each row that move together are written down here, from the models, so that a translation
that emission fails to find fails this test.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.derived import named, solver
from tests.models import BY_NAME

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
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MOVING)
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


def moved(theta: dict[str, Any], locations: tuple[str, ...], by: float) -> dict[str, Any]:
    return {name: np.asarray(value) + by if name in locations else value for name, value in theta.items()}
