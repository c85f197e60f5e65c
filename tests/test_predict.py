"""What is predicted of every latent: of counts, of what is positive or cut, of what is missing, of what hangs on a label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy

from tests.derived import solver
from tests.models import BY_NAME, DERIVED, Row, in_turn, slow_but_for


def asked(name: str) -> tuple[Any, Any, dict[str, Any]]:
    """What is predicted, the posterior, and the data."""
    row, module = BY_NAME[name], solver(name)
    theta = row.theta(row.file["start"])
    return module.predict(theta, **row.data), module.posterior(theta, **row.data), row.data


def test_counts_are_their_share_of_a_total() -> None:
    found, _, data = asked("peppered_moths")
    assert found.nCC + found.nCI + found.nCT == pytest.approx(data["nC"])
    assert found.nII + found.nIT == pytest.approx(data["nI"])


def test_cut_laws_have_the_mean_of_what_is_left() -> None:
    found, posterior, data = asked("grouped_normal")
    m, s = posterior.x["m_x"], np.sqrt(posterior.x["v_x"])
    ends = (np.asarray(data["low"]) - m) / s, (np.asarray(data["high"]) - m) / s
    np.testing.assert_allclose(found, scipy.stats.truncnorm.mean(*ends, loc=m, scale=s), rtol=1e-8)


def test_what_was_seen_is_told_and_what_is_missing_is_expected() -> None:
    found, posterior, data = asked("normal_missing_both")
    seen_x, seen_z = ~np.isnan(np.asarray(data["x"], float)), np.asarray(data["z"]) >= 0
    np.testing.assert_array_equal(found.x_missing[seen_x], np.asarray(data["x"], float)[seen_x])
    np.testing.assert_array_equal(found.z_missing[seen_z], np.asarray(data["z"])[seen_z])
    both = ~seen_x & seen_z
    means = np.broadcast_to(posterior.x_missing["m_x_missing"], (len(seen_x), 2))
    labels = np.asarray(data["z"], int)[both]
    np.testing.assert_allclose(found.x_missing[both], means[both, labels])
    neither = ~seen_x & ~seen_z
    expected = (posterior.z_missing * means).sum(axis=1)
    np.testing.assert_allclose(found.x_missing[neither], expected[neither])


def test_means_are_taken_over_labels_that_are_latent_too() -> None:
    found, posterior, _ = asked("t_mixture")
    means = posterior.u["shape_u"] / posterior.u["rate_u"]
    np.testing.assert_allclose(found.u, (posterior.z * means).sum(axis=1))
    np.testing.assert_array_equal(found.z, posterior.z.argmax(axis=1))


#: Counts, tables given a label, missing vectors by label, a law without a mean for every shape.
QUICK = {"pet_shepp_vardi", "coupled_labels", "gmm_missing", "scale_inverse_gamma"}


@slow_but_for(in_turn(DERIVED, 2), QUICK)
def test_every_latent_is_predicted(row: Row) -> None:
    found, posterior, _ = asked(row.name)
    values = found if hasattr(found, "_fields") else (found,)
    assert len(values) == len(posterior._fields)
    for name, value in zip(posterior._fields, values, strict=True):
        assert np.all(np.isfinite(np.asarray(value, float)[~np.isnan(np.asarray(value, float))])), name
