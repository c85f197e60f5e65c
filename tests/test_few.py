"""The few rows show all that the table shows, so that a check over the few is one over every kind of model."""

from __future__ import annotations

import pytest

from tests.derived import em
from tests.models import FEW, Row, over_all_at_once


def shown(row: Row) -> set[str]:
    """What reports and modules can tell apart of a model."""
    derivation = em(row.name).derivation.informed
    variables = derivation.model.variables.values()
    kinds = {
        *(f"law {step.law.name}" for step in derivation.steps),
        *(f"{p.family}{' given labels' if p.labels else ''}" for p in derivation.posteriors),
        *(f"{v.role.name} on {type(v.support).__name__} of {len(v.shape)} axes" for v in variables),
        *(f"{v.role.name} in {len(v.sizes)} plates" for v in variables),
    }
    marks = {"prior": row.prior, "open block": bool(derivation.not_derived)}
    return kinds | {mark for mark, held in marks.items() if held}


@pytest.mark.slow
@over_all_at_once
def test_few_rows_show_what_the_table_shows(rows: tuple[Row, ...]) -> None:
    seen = {kind for row in FEW for kind in shown(row)}
    missing = {kind: row.name for row in rows for kind in shown(row) if kind not in seen}
    assert missing == {}
