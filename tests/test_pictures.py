"""Pictures of fits: what is drawn is what the fit says; without matplotlib the extra is named."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from symem import DataError, pictures, select
from tests.derived import em, solver

THETA = {"w": [0.4, 0.6], "mu": [-2.0, 2.0], "sigma": [1.0, 0.5]}
ROWS = np.concatenate([np.random.default_rng(0).normal(m, s, 50) for m, s in [(-2, 1), (2, 0.5)]])


@pytest.fixture
def pyplot() -> Any:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    yield plt
    plt.close("all")


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    fit = solver("gmm1d_faithful").fit(x=ROWS, start=THETA)
    with pytest.raises(DataError, match=r"symem\[plot\]"):
        fit.plot()


def test_a_level_holds_its_share() -> None:
    """Of a standard Normal law in the plane, the density at radius √(-2 log(1 - p))."""
    x, y = np.meshgrid(np.linspace(-6, 6, 400), np.linspace(-6, 6, 400))
    density = (np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)).ravel()
    assert pictures._level(density, 0.5) == pytest.approx(0.5 / (2 * np.pi), rel=1e-2)
    assert pictures._level(density, 0.95) == pytest.approx(0.05 / (2 * np.pi), rel=2e-2)


def test_numbers_have_a_rise_a_density_and_a_posterior(pyplot: Any) -> None:
    fit = solver("gmm1d_faithful").fit(x=ROWS, start=THETA)
    rise, density, posterior = fit.plot().axes
    np.testing.assert_allclose(rise.lines[0].get_ydata(), fit.history)
    grid, height = density.lines[0].get_data()
    assert np.trapezoid(height, grid) == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(np.log(height), fit.score_samples(x=grid))
    assert posterior.get_ylabel() == "P(z | data)"


def test_pairs_have_a_line_around_each_component(pyplot: Any) -> None:
    row = em("gmm_mv_full")
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(0, 1, (60, 2)), rng.normal(5, 1, (60, 2))])
    fit = row.fit(x=rows, K=2, seed=0)
    scatter = fit.plot().axes[1]
    points = np.concatenate([path.vertices for each in scatter.collections[1:] for path in each.get_paths()])
    for mean in fit.parameters.mu:
        assert np.abs(points - mean).min(axis=0).max() < 1.0


def test_the_criterion_is_drawn_over_the_sizes(pyplot: Any) -> None:
    found = select(em("gmm1d_faithful"), {"x": ROWS}, K=[1, 2], n_init=1)
    (line,) = found.plot().lines
    assert line.get_ydata().tolist() == [each.fit.bic for each in found.table if each.fit is not None]
