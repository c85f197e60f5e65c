"""Plots: what is drawn is where the numbers say, well formed, and only where it suits."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from symem.report.figures import plots
from symem.report.figures.plot_axes import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axes, ticks
from tests.models import FEW, Row
from tests.told import worked

OVER = pytest.mark.parametrize("row", [row for row in FEW if not row.blocked], ids=lambda row: row.name)
SVG = "{http://www.w3.org/2000/svg}"


@OVER
def test_every_plot_is_well_formed_and_stays_in_its_frame(row: Row) -> None:
    found = worked(row.name)
    drawn = [
        plots.ascent(found, r"\ell"),
        plots.density(found, "x_{i}", "z_{i}"),
        plots.shares(found, r"\gamma_{ik}", "i", "z_{i}"),
    ]
    for plot in filter(None, drawn):
        root = ET.fromstring(plot.svg)
        assert root.find(f"{SVG}desc") is not None
        assert "nan" not in plot.svg
        for line in root.iter(f"{SVG}polyline"):
            points = np.array([list(map(float, p.split(","))) for p in line.attrib["points"].split()])
            assert points[:, 0].min() >= LEFT - 1
            assert points[:, 0].max() <= WIDTH - RIGHT + 1
            assert points[:, 1].min() >= TOP - 25
            assert points[:, 1].max() <= HEIGHT


def test_the_curve_is_at_its_numbers() -> None:
    found = worked("coin_do_batzoglou")
    plot = plots.ascent(found, r"\ell")
    assert plot is not None
    heights = [
        float(y) for _, y in re.findall(r"([\d.]+),([\d.]+)", plot.svg.split("points=")[1].split('"')[1])
    ]
    rank = np.argsort(-np.array(heights), kind="stable")
    np.testing.assert_array_equal(
        np.sort(np.round(found.history, 6)), np.round(np.array(found.history)[rank], 6)
    )


@pytest.mark.parametrize("name", ["gmm1d_faithful", "exp_mixture", "student_t_known_nu"])
def test_the_density_integrates_to_one(name: str) -> None:
    """p(x | θ) read off the solver row by row is a density over a wide enough range."""
    found = worked(name)
    datum = plots.single_datum(found)
    assert datum is not None
    drawn = plots.Density(found, datum, np.asarray(found.given[datum.name], dtype=float))
    low, high = drawn.values.min(), drawn.values.max()
    positive = low > 0 and name == "exp_mixture"
    grid = np.linspace(1e-6 if positive else low - 3 * (high - low), high + 4 * (high - low), 3001)
    assert np.trapezoid([drawn.at(x) for x in grid], grid) == pytest.approx(1.0, abs=0.02)


def test_components_add_up_to_the_density() -> None:
    found = worked("gmm1d_faithful")
    datum = plots.single_datum(found)
    assert datum is not None
    drawn = plots.Density(found, datum, np.asarray(found.given["x"], dtype=float))
    grid = drawn.grid()
    heights = np.array([drawn.at(x) for x in grid])
    np.testing.assert_allclose(sum(drawn.components(grid, heights)), heights)


@pytest.mark.parametrize(
    "name", ["coin_mixing_weight", "mix_linreg", "lca_stouffer_toby", "random_effects_dyestuff"]
)
def test_no_density_where_rows_differ(name: str) -> None:
    assert plots.density(worked(name), "x", "z") is None


def test_ticks_are_round_and_within() -> None:
    for low, high in ((0, 1), (-11.32, -9.79), (1e-5, 3e-5), (0, 272)):
        found = ticks(low, high)
        assert 3 <= len(found) <= 8
        assert all(low - 1e-9 <= value <= high + 1e-9 for value in found)


def test_axes_map_their_ends() -> None:
    axes = Axes((0.0, 10.0), (-1.0, 1.0), "x", "y")
    assert (axes.x(0.0), axes.x(10.0)) == (LEFT, WIDTH - RIGHT)
    assert axes.y(1.0) == TOP
