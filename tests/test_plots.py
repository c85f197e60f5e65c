"""Plots: what is drawn is where the numbers say, well formed, and only where it suits."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import numpy as np
import pytest

from symem.report.document import Figure
from symem.report.figures.chart import Chart, Line
from symem.report.figures.chart_svg import HEIGHT, LEFT, RIGHT, TOP, WIDTH, svg, ticks
from symem.report.figures.data_charts import data_chart
from symem.report.figures.em_step import em_step
from symem.report.figures.isolines import isoline
from symem.report.figures.path_charts import ascent, free_pair, likelihood_path
from symem.report.figures.shown import Names, Shown
from symem.report.figures.svg import runs
from symem.report.sections.drawn_letters import Letters
from symem.report.sections.em_step_figure import iteration
from symem.report.sections.worked_section import worked as sections
from symem.report.writer import Voice
from tests.models import FEW, Row
from tests.told import worked

OVER = pytest.mark.parametrize("row", [row for row in FEW if not row.blocked], ids=lambda row: row.name)
SVG = "{http://www.w3.org/2000/svg}"


def shown(name: str) -> Shown:
    found = worked(name)
    return Shown(found.solver, found.fit.parameters, found.given)


def figures(name: str) -> Iterator[Figure]:
    found = worked(name)
    for section in sections(found, Voice(found.derivation)):
        yield from (block for block in section.blocks if isinstance(block, Figure))


@OVER
def test_every_plot_is_well_formed_and_stays_in_its_frame(row: Row) -> None:
    for figure in figures(row.name):
        root = ET.fromstring(figure.svg)
        assert root.find(f"{SVG}desc") is not None
        assert "nan" not in figure.svg
        width, height = (float(root.attrib[name]) for name in ("width", "height"))
        for line in root.iter(f"{SVG}polyline"):
            points = np.array([list(map(float, p.split(","))) for p in line.attrib["points"].split()])
            assert points.min() >= 0
            assert (points <= [width, height]).all()


def test_the_curve_is_at_its_numbers() -> None:
    found = worked("coin_do_batzoglou")
    chart = ascent(found.history, Names())
    assert chart is not None
    points = re.findall(r"([\d.]+),([\d.]+)", svg(chart).split("points=")[1].split('"')[1])
    heights = np.array([float(y) for _, y in points])
    rank = np.argsort(-heights, kind="stable")
    np.testing.assert_array_equal(
        np.sort(np.round(found.history, 6)), np.round(np.array(found.history)[rank], 6)
    )


@pytest.mark.parametrize("name", ["gmm1d_faithful", "exp_mixture", "student_t_known_nu"])
def test_the_density_integrates_to_one(name: str) -> None:
    """p(x | θ) over a wide enough range."""
    drawn = shown(name)
    values = drawn.of_rows[str(drawn.number)]
    low, high = values.min(), values.max()
    positive = low > 0 and name == "exp_mixture"
    grid = np.linspace(1e-6 if positive else low - 3 * (high - low), high + 4 * (high - low), 3001)
    assert np.trapezoid(drawn.density(grid)[0], grid) == pytest.approx(1.0, abs=0.02)


def test_components_add_up_to_the_density() -> None:
    chart = data_chart(shown("gmm1d_faithful"))
    assert chart is not None
    whole, *parts = [mark for mark in chart.marks if isinstance(mark, Line)]
    np.testing.assert_allclose(sum(part.y for part in parts), whole.y)


@pytest.mark.parametrize(
    "name", ["coin_mixing_weight", "mix_linreg", "lca_stouffer_toby", "random_effects_dyestuff"]
)
def test_no_density_where_rows_differ(name: str) -> None:
    assert not any("density" in figure.alternative for figure in figures(name))


def test_ticks_are_round_and_within() -> None:
    for low, high in ((0, 1), (-11.32, -9.79), (1e-5, 3e-5), (0, 272)):
        found = ticks(low, high)
        assert 3 <= len(found) <= 8
        assert all(low - 1e-9 <= value <= high + 1e-9 for value in found)


def test_axes_map_their_ends() -> None:
    chart = Chart([Line([0.0, 10.0], [-1.0, 1.0])], "x", "y", title="", words="", room=0.0)
    assert f'points="{LEFT:g},{HEIGHT - 44:g} {WIDTH - RIGHT:g},{TOP:g}"' in svg(chart).replace(".0", "")


# lines of equal height -----------------------------------------------------------------------------------


def test_an_isoline_of_a_bowl_is_a_closed_circle() -> None:
    grid = np.linspace(-2, 2, 81)
    x, y = isoline(grid, grid, np.add.outer(grid**2, grid**2), 1.0)
    assert np.isnan(x).sum() == 1
    np.testing.assert_allclose(np.hypot(x[:-1], y[:-1]), 1.0, atol=2e-3)
    assert (x[0], y[0]) == (x[-2], y[-2])


@pytest.mark.parametrize("turned", [False, True])
def test_at_a_saddle_high_corners_stay_apart(turned: bool) -> None:
    heights = np.array([[1.0, 0.0], [0.0, 1.0]])
    x, y = isoline([0, 1], [0, 1], heights[::-1] if turned else heights, 0.75)
    corners = [(0, 1), (1, 0)] if turned else [(0, 0), (1, 1)]
    for start in (0, 3):
        middle = np.array([x[start : start + 2].mean(), y[start : start + 2].mean()])
        assert min(np.abs(middle - corner).max() for corner in corners) < 0.2


def test_what_is_not_finite_is_left_out() -> None:
    heights = np.add.outer(np.arange(5.0), np.zeros(5))
    heights[2, 2] = np.nan
    x, y = isoline(range(5), range(5), heights, 1.5)
    assert np.isfinite(x).any()
    assert not ((x > 1) & (x < 3) & (y > 1)).any()


# the path of EM, and one iteration -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("coin_do_batzoglou", (("th", (0,)), ("th", (1,)))),
        ("coin_mixing_weight", None),
        ("gmm1d_faithful", None),
    ],
)
def test_two_free_numbers_are_found(name: str, pair: object) -> None:
    found = worked(name)
    assert free_pair(found.solver.model, found.path[0]) == pair


def test_the_path_ends_at_the_top() -> None:
    found = worked("coin_do_batzoglou")
    chart = likelihood_path(found.solver, found.given, found.path, Letters(Voice(found.derivation)))
    assert chart is not None
    assert (chart.across, chart.up) == (r"$\theta_{0}$", r"$\theta_{1}$")
    innermost = chart.marks[0]
    assert isinstance(innermost, Line)
    end = found.path[-1].th
    assert np.nanmin(innermost.x) < end[0] < np.nanmax(innermost.x)
    assert np.nanmin(innermost.y) < end[1] < np.nanmax(innermost.y)


def test_one_iteration_shows_the_tables_of_do_and_batzoglou() -> None:
    """Figure 1b: responsibilities 0.45 to 0.65, 21.3 heads and 8.6 tails of coin A, 11.7 and 8.4 of B, 0.71 and 0.58."""
    found = worked("coin_do_batzoglou")
    told = iteration(found, Voice(found.derivation))
    assert told is not None
    assert list(told.posterior[0].cells) == ["0.45", "0.80", "0.73", "0.35", "0.65"]
    assert [column.total for column in told.added] == ["21.30", "11.70", "8.57", "8.43"]
    assert [new[-6:] for new in told.new] == ["0.7130", "0.5813"]
    words = "".join(text.text or "" for text in ET.fromstring(em_step(told)).iter(f"{SVG}text"))
    assert "E-step" in words
    assert "M-step" in words


@pytest.mark.parametrize("name", ["gmm1d_faithful", "random_effects_dyestuff"])
def test_no_picture_of_an_iteration_of_many_rows_or_without_labels(name: str) -> None:
    found = worked(name)
    assert iteration(found, Voice(found.derivation)) is None


def test_a_fraction_stands_in_a_line() -> None:
    assert "".join(run.text for run in runs(r"\frac{a + b}{2}")) == "(a + b) / 2"
