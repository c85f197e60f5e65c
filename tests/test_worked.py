"""An iteration in numbers: Do & Batzoglou's own table, sums that add up, and the solver's step."""

from __future__ import annotations

import numpy as np
import pytest

from symem.errors import DataError
from symem.report.document import Table
from symem.report.iteration import work
from symem.report.notation.digits import decimals, fixed, in_formula, single
from symem.report.notation.lexicon import Lexicon
from symem.report.options import Options
from symem.report.outline import tell
from symem.report.report import latex_fragment, markdown
from symem.report.sections.columns import rows
from tests.derived import em, named, solver
from tests.models import BY_NAME, FEW, Row
from tests.told import worked

OVER = pytest.mark.parametrize("row", [row for row in FEW if not row.blocked], ids=lambda row: row.name)


def test_the_two_coins_of_do_and_batzoglou() -> None:
    """Figure 1b: posteriors .45 .80 .73 .35 .65; A has 21.3 heads and 8.6 tails, B 11.7 and 8.4; then .71 and .58."""
    found = worked("coin_do_batzoglou")
    (table,) = rows(found, Lexicon.of(em("coin_do_batzoglou").derivation))
    first, _second = table.posterior
    np.testing.assert_allclose(first.values, [0.45, 0.80, 0.73, 0.35, 0.65], atol=0.005)
    totals = {column.head: column.total for column in table.shares}
    expected = {
        r"\gamma_{i0} x_{i}": 21.3,
        r"\gamma_{i1} x_{i}": 11.7,
        r"\gamma_{i0} (N - x_{i})": 8.6,
        r"\gamma_{i1} (N - x_{i})": 8.4,
    }
    assert totals == pytest.approx(expected, abs=0.05)
    np.testing.assert_allclose(found.new["th"], [0.71, 0.58], atol=0.005)
    np.testing.assert_allclose(found.fitted["th"], [0.80, 0.52], atol=0.005)


@OVER
def test_the_step_is_the_solvers(row: Row) -> None:
    """The printed formulas, evaluated apart from the emitter, and the emitted module agree."""
    found, start = worked(row.name), row.theta(row.file["start"])
    for name, value in named(solver(row.name).em_step(start, **row.data)).items():
        np.testing.assert_allclose(found.new[name], value, rtol=1e-8, atol=1e-10)


@OVER
def test_the_history_never_falls(row: Row) -> None:
    history = np.array(worked(row.name).history)
    assert np.all(np.diff(history) >= -1e-8 * np.abs(history[1:]))


@OVER
def test_every_column_adds_up_to_its_total(row: Row) -> None:
    found = worked(row.name)
    for table in rows(found, Lexicon.of(em(row.name).derivation)):
        for column in (*table.posterior, *table.shares):
            if column.total is not None:
                scale = 1 + np.sum(np.abs(column.values))
                assert np.sum(column.values) == pytest.approx(column.total, abs=1e-9 * scale), column.head


@pytest.mark.parametrize("row", [row for row in FEW if not row.blocked][1::3], ids=lambda row: row.name)
def test_tables_are_rectangular_and_long_ones_are_cut(row: Row) -> None:
    sections = tell(em(row.name).derivation, Options(worked=worked(row.name)))
    tables = [block for section in sections for block in section.blocks if isinstance(block, Table)]
    assert all(len(line) == len(table.header) for table in tables for line in table.rows)
    assert all(len(table.rows) <= 60 for table in tables)
    assert {"numbers", "fit"} <= {section.anchor for section in sections}


def test_reports_hold_the_numbers() -> None:
    options = Options(worked=worked("coin_do_batzoglou"))
    for told in (
        markdown(em("coin_do_batzoglou").derivation, options),
        latex_fragment(em("coin_do_batzoglou").derivation, options),
    ):
        assert r"\frac{21.297}{2.9870 \cdot 10} \approx 0.7130" in told
        assert "0.4491" in told


def test_without_a_start_the_solver_chooses_one() -> None:
    found = work(
        em("gmm1d_faithful").derivation, solver("gmm1d_faithful"), {**BY_NAME["gmm1d_faithful"].data, "K": 2}
    )
    assert set(found.old) == {"w", "mu", "sigma"}
    assert found.history[-1] >= found.history[0]


def test_data_that_the_solver_refuses_are_refused_by_name() -> None:
    with pytest.raises(DataError, match="x"):
        work(
            em("coin_do_batzoglou").derivation,
            solver("coin_do_batzoglou"),
            {"x": [5, 99], "N": 10},
            {"th": [0.6, 0.5]},
        )


@pytest.mark.parametrize(
    ("value", "words", "formula"),
    [
        (0.0, "0", "0"),
        (272, "272", "272"),
        (-1.5, "−1.500", "-1.500"),
        (1 / 3, "0.3333", "0.3333"),
        (1e12, "1.000e12", r"1.000 \times 10^{12}"),
        (float("nan"), "–", r"\text{missing}"),
        (float("-inf"), "−∞", r"-\infty"),
    ],
)
def test_digits(value: float, words: str, formula: str) -> None:
    assert single(value) == words
    assert in_formula(value) == formula


def test_a_column_shares_its_decimals() -> None:
    values = [0.001, 12.345, float("nan")]
    assert [fixed(value, decimals(values)) for value in values] == ["0.00", "12.35", "missing"]
