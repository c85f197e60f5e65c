"""The log-likelihood of each row is that of the row alone, and all of them add up, over chunks and far away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.derived import solver
from tests.models import FEW, Row, slow_but_for

#: A softmax by a matrix product, tables with holes, shares, latents of every family, matrices by pattern, groups.
QUICK = {
    "gmm1d_faithful", "gmm_missing", "pet_shepp_vardi", "hurdle_exponential", "censored_mixture", "lca_missing_items",
    "student_t_known_nu", "normal_missing_both", "mvn_missing", "random_effects_dyestuff", "known_loading",
}  # fmt: skip

#: Models whose data are not rows: one table of counts, numbers on no plate, one sequence, trees.
WITHOUT = {"peppered_moths", "exp_missing", "hmm_categorical", "lds_local_level", "hidden_tree"}


@slow_but_for([row for row in FEW if not row.blocked and row.name not in WITHOUT], QUICK)
def test_each_row_is_that_row_alone(row: Row) -> None:
    module, data, theta = solver(row.name), row.data, row.theta(row.file["start"])
    each = module.score_samples(theta, **data)
    beside = 0.0 if module.MODEL.parts.constant is None else _once(module, theta, data)
    assert each.sum() + beside == pytest.approx(module.log_likelihood(theta, **data), rel=1e-10)
    for place in (0, len(each) // 2, len(each) - 1):
        alone = module.log_likelihood(theta, **_only(module, data, place))
        assert each[place] + beside == pytest.approx(alone, rel=1e-9, abs=1e-9)


def _once(module: Any, theta: Any, data: Any) -> float:
    return float(module.statistics(theta, **data).once)


def _only(module: Any, data: Any, place: int) -> dict[str, Any]:
    rows, found = (
        module.MODEL.plates.rows,
        {name: value for name, value in data.items() if name in module.DATA},
    )
    for name, spec in module.DATA.items():
        if rows in spec.shape:
            found[name] = np.take(data[name], [place], axis=spec.shape.index(rows))
    return found


def test_rows_are_put_together_over_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    module = solver("gmm1d_faithful")
    x = np.random.default_rng(0).normal(0, 3, 40)
    theta = {"w": [0.3, 0.7], "mu": [-1.0, 2.0], "sigma": [1.0, 0.5]}
    density = [w * np.exp(-(((x - m) / s) ** 2) / 2) / s for w, m, s in zip(*theta.values(), strict=True)]
    expected = np.log(np.sum(density, axis=0) / np.sqrt(2 * np.pi))
    monkeypatch.setitem(module.__dict__, "_chunk_length", lambda *_: 7)
    np.testing.assert_allclose(module.score_samples(theta, x=x), expected, rtol=1e-12)
    far = {**theta, "mu": [-1.0 + 1e9, 2.0 + 1e9]}
    np.testing.assert_allclose(module.score_samples(far, x=x + 1e9), expected, rtol=1e-6)


def test_what_is_not_cut_into_rows_has_none() -> None:
    module = solver("peppered_moths")
    row = next(row for row in FEW if row.name == "peppered_moths")
    with pytest.raises(module.DataError, match="not cut into independent rows"):
        module.score_samples(row.theta(row.file["start"]), **row.data)


def test_a_term_of_every_row_may_stand_in_a_sum() -> None:
    """-n Σ_a log ψ_a / 2 belongs to the rows: merged halves are the whole."""
    module = solver("factor_analysis")
    assert module.MODEL.parts.constant is None
