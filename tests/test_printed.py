"""Examples with vectors: the derived algorithm, the lines that the source prints and the reference are one.

Both straight-line programs are run by `tests/evaluate.py`, in 40 digits and off the start, so that they agree in
25 is no accident of rounding.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import mpmath
import numpy as np
import pytest

from tests.answers import Values, gap
from tests.derived import em
from tests.evaluate import Evaluator, situation, thinned
from tests.models import DERIVED, Row
from tests.models.printed import PRINTED
from tests.test_zoo import exact, point

ROWS = [pytest.param(row, id=row.example) for row in DERIVED if row.example in PRINTED]


def run_lines(row: Row, lines: Iterable[Any], run: Evaluator, theta: Values) -> Values:
    for each in lines:
        run.define(each.symbol, each.axes, each.value)
    return {name: np.array(run.values[name]) for name in theta}


@pytest.mark.parametrize("row", ROWS)
def test_printed_lines_equal_the_reference(row: Row) -> None:
    start = row.file["start"]
    theta = row.theta(start)
    found = run_lines(row, row.printed, Evaluator(situation(row.model(), row.data, theta)), theta)
    step = row.theta(row.reference.em_step(start, row.file["data"]))
    assert gap({name: value.astype(float) for name, value in found.items()}, step) < 1e-9


@pytest.mark.parametrize("row", ROWS)
def test_derived_algorithm_is_the_printed_one(row: Row) -> None:
    derivation = em(row.name).derivation
    updates = [update.definition for update in derivation.updates]
    derived = (*derivation.definitions, *derivation.surrogate.statistics, *updates)
    arrays = thinned(derivation.model, row.data, 12)
    with mpmath.workdps(40):
        theta = row.theta(exact(row, point(row, 7)))
        given = situation(derivation.model, arrays, theta, derivation.extents)
        one, other = (
            run_lines(row, lines, Evaluator(dict(given), mpmath.mp), theta)
            for lines in (derived, row.printed)
        )
        for name in theta:
            assert np.max(np.abs(one[name] - other[name]) / (1 + np.abs(other[name]))) < 1e-25
