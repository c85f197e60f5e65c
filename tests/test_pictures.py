"""Pictures of fits, of parameters and of models: what is drawn is what they say; without matplotlib the extra is named."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

from symem import Bernoulli, DataError, Model, Poisson, select
from symem.report.figures.data_charts import level
from tests.derived import em, solver
from tests.models import BY_NAME

THETA = {"w": [0.4, 0.6], "mu": [-2.0, 2.0], "sigma": [1.0, 0.5]}
ROWS = np.concatenate([np.random.default_rng(0).normal(m, s, 50) for m, s in [(-2, 1), (2, 0.5)]])


@pytest.fixture
def pyplot() -> Any:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    yield plt
    plt.close("all")


def of(name: str) -> Any:
    """The fit of a row of the table from the start of its file."""
    row = BY_NAME[name]
    return em(name).fit(**row.data, start=row.theta(row.file["start"]))


def names(ax: Any) -> list[str]:
    return [] if ax.get_legend() is None else [each.get_text() for each in ax.get_legend().get_texts()]


@pytest.mark.parametrize("call", ["fit", "plates"])
def test_without_matplotlib_the_extra_is_named(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    fit = solver("gmm1d_faithful").fit(x=ROWS, start=THETA)
    with pytest.raises(DataError, match=r"symem\[plot\]"):
        fit.plot() if call == "fit" else em("gmm1d_faithful").plot()


def test_a_level_holds_its_share() -> None:
    """Of a standard Normal law in the plane, the density at radius √(-2 log(1 - p))."""
    x, y = np.meshgrid(np.linspace(-6, 6, 400), np.linspace(-6, 6, 400))
    density = (np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)).ravel()
    assert level(density, 0.5) == pytest.approx(0.5 / (2 * np.pi), rel=1e-2)
    assert level(density, 0.95) == pytest.approx(0.05 / (2 * np.pi), rel=2e-2)


def test_numbers_have_a_rise_a_density_with_its_components_and_a_posterior(pyplot: Any) -> None:
    fit = solver("gmm1d_faithful").fit(x=ROWS, start=THETA)
    rise, density, posterior = fit.plot().axes
    np.testing.assert_allclose(rise.lines[0].get_ydata(), fit.history)
    (grid, height), *parts = [line.get_data() for line in density.lines]
    assert np.trapezoid(height, grid) == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(np.log(height), fit.score_samples(x=grid))
    np.testing.assert_allclose(sum(part for _, part in parts), height)
    assert names(density) == ["all", "z = 0", "z = 1"]
    assert posterior.get_ylabel() == "P(z | data)"
    curves = [line.get_ydata() for line in posterior.lines]
    np.testing.assert_allclose(np.transpose(curves), fit.posterior_of(x=grid).z)


def test_counts_are_bars_on_whole_numbers_with_dots_for_their_law(pyplot: Any) -> None:
    fit = of("poisson_mixture_hasselblad")
    ax = fit.plot(what="data")
    counts = np.asarray(fit.data["x"])
    assert len(ax.patches) == np.ptp(counts) + 1
    for bar in ax.patches:
        place = bar.get_x() + bar.get_width() / 2
        assert place == pytest.approx(round(place))
        assert bar.get_height() == pytest.approx(np.mean(counts == round(place)))
    law = np.asarray(ax.collections[0].get_offsets())
    np.testing.assert_allclose(np.log(law[:, 1]), fit.score_samples(x=law[:, 0]))
    assert ax.get_ylabel() == "probability"


def test_pairs_have_a_line_around_each_component(pyplot: Any) -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(0, 1, (60, 2)), rng.normal(5, 1, (60, 2))])
    fit = em("gmm_mv_full").fit(x=rows, K=2, seed=0)
    scatter = fit.plot().axes[1]
    assert (scatter.get_xlabel(), scatter.get_ylabel()) == ("x[0]", "x[1]")
    points = np.concatenate([np.transpose(line.get_data()) for line in scatter.lines])
    points = points[np.isfinite(points[:, 0])]
    for mean in fit.parameters.mu:
        assert np.abs(points - mean).min(axis=0).max() < 1.0


def test_a_number_stands_over_the_one_that_it_hangs_on(pyplot: Any) -> None:
    fit = of("mix_linreg")
    ax = fit.plot(what="data")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("X[1]", "y")
    drawn = np.concatenate([each.get_offsets() for each in ax.collections])
    assert len(drawn) == len(fit.data["y"])
    labels = fit.predict()
    assert [len(each.get_offsets()) for each in ax.collections] == np.bincount(labels).tolist()


def test_groups_show_their_means_and_spread(pyplot: Any) -> None:
    fit = of("random_intercept_ids")
    *_, latents = fit.plot().axes
    (dots,), (strokes,) = latents.collections, latents.lines
    np.testing.assert_allclose(dots.get_offsets()[:, 1], fit.posterior.a["m_a"])
    low, high = strokes.get_ydata().reshape(-1, 3)[:, :2].T
    np.testing.assert_allclose(high - low, 4 * np.sqrt(fit.posterior.a["v_a"]))
    assert latents.get_ylabel() == "E[a | data] ± 2 sd"


def test_what_is_missing_is_said(pyplot: Any) -> None:
    assert of("exp_censored_nan").plot(what="data").get_title(loc="right") == "12 of 21 are missing"
    assert "pairs are not whole" in of("gmm_missing").plot(what="data").get_title(loc="right")


def test_many_components_and_long_data(pyplot: Any) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(6 * k, 1, 1000) for k in range(12)])
    theta = {"w": np.full(12, 1 / 12), "mu": 6.0 * np.arange(12), "sigma": np.ones(12)}
    figure = em("gmm1d_faithful").plot(theta, x=x)
    density, posterior = figure.axes
    assert names(density)[-1] == "and 2 more"
    assert max(len(line.get_xdata()) for line in posterior.lines) <= 5000


def test_one_panel_goes_where_it_is_told(pyplot: Any) -> None:
    figure, (left, right) = pyplot.subplots(1, 2)
    model, fit = em("gmm1d_faithful"), solver("gmm1d_faithful").fit(x=ROWS, start=THETA)
    assert fit.plot(ax=left) is left
    assert left.get_ylabel() == "density"
    assert fit.plot(what="objective", ax=right) is right
    assert model.plot(THETA, x=ROWS, what="posterior").get_ylabel() == "P(z | data)"
    assert figure.axes == [left, right]
    with pytest.raises(
        DataError, match="what = 'ellipses', but of this there is 'objective', 'data', 'posterior'"
    ):
        fit.plot(what="ellipses")
    with pytest.raises(DataError, match="takes both"):
        model.plot(x=ROWS)


COINS = {"x": [5, 9, 8, 4, 7], "N": 10}


def test_the_path_of_em_climbs_the_lines_of_likelihood(pyplot: Any) -> None:
    model, theta = em("coin_do_batzoglou"), {"th": [0.6, 0.5]}
    ax = model.plot(theta, what="likelihood", **COINS)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("th[0]", "th[1]")
    *lines, path = [np.transpose(line.get_data()) for line in ax.lines]
    np.testing.assert_allclose(path[0], theta["th"])
    np.testing.assert_allclose(path[1], model.solver().em_step(theta, **COINS).th)
    for line in lines:
        heights = [
            model.solver().log_likelihood({"th": np.array(place)}, **COINS) for place in line if place[0] > 0
        ]
        assert np.ptp(heights) < 0.02


def test_components_move_from_the_start_to_the_end(pyplot: Any) -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(0, 1, (60, 2)), rng.normal(5, 1, (60, 2))])
    theta = {"w": [0.5, 0.5], "mu": [[0.0, 3.0], [5.0, 3.0]], "Sigma": [np.eye(2), np.eye(2)]}
    ax = em("gmm_mv_full").plot(theta, x=rows, what="iterations")
    assert ax.get_title(loc="right").startswith("iterates 0, 1")
    opacities = [line.get_alpha() for line in ax.lines]
    assert opacities == sorted(opacities)
    first, last = ax.lines[0], ax.lines[-2]
    assert np.nanmean(first.get_ydata()) == pytest.approx(3.0, abs=0.3)
    assert np.nanmean(last.get_ydata()) == pytest.approx(0.0, abs=0.5)


def test_one_step_is_drawn_with_its_numbers(pyplot: Any) -> None:
    ax = em("coin_do_batzoglou").plot({"th": [0.6, 0.5]}, what="step", **COINS)
    words = {re.sub(r"\\math\w+\{(.)\}|\$", r"\1", each.get_text()) for each in ax.texts}
    ax.figure.canvas.draw()
    assert {"0.45", "0.80", "21.30", "8.57", "E-step", "M-step"} <= words
    with pytest.raises(DataError, match="too many"):
        em("gmm1d_faithful").plot(THETA, x=ROWS, what="step")


@pytest.mark.parametrize("name", ["gmm1d_faithful", "lmm_random_slope", "peppered_moths", "gmm_missing"])
def test_a_model_is_drawn_as_its_plates(name: str, pyplot: Any) -> None:
    ax = em(name).plot()
    variables = em(name).derivation.model.variables.values()
    nodes = [
        each
        for each in variables
        if each.role.value in {"data", "latent"} and not each.name.endswith("_missing")
    ]
    assert len(ax.texts) >= len(nodes) - 3  # several counts share a node
    assert len(ax.patches) > len(ax.texts) / 2
    low, high = ax.get_xlim()
    for patch in ax.patches:
        across = patch.get_path().vertices[:, 0]
        assert low - 1e-6 <= across.min()
        assert across.max() <= high + 1e-6
    ax.figure.canvas.draw()


def test_the_criterion_is_drawn_over_the_sizes(pyplot: Any) -> None:
    found = select(em("gmm1d_faithful"), {"x": ROWS}, K=[1, 2], n_init=1)
    (line,) = found.plot().lines
    assert line.get_ydata().tolist() == [each.fit.bic for each in found.table if each.fit is not None]


def test_words_that_became_labels_stay_labels(pyplot: Any) -> None:
    pandas = pytest.importorskip("pandas")
    n = symbols("n", integer=True, positive=True)
    i, (y, z, site, rate) = Idx("i", n), map(IndexedBase, ["y", "z", "site", "rate"])
    known = Model({z[i]: Bernoulli(0.4), y[i]: Poisson(rate[z[i], site[i]])}, latent=[z], known=[site])
    frame = pandas.DataFrame({"y": [3, 9, 4, 1, 0, 6, 2], "site": ["south"] * 3 + ["north"] * 4})
    fit = known.derive().fit(frame, seed=0)
    assert fit.categories == {"site": ("north", "south")}
    assert len(fit.plot().axes) > 1
