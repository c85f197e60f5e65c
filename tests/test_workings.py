"""The lines between the steps: each is what the one before it is, in numbers, over the table of models."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from symem.derivation import Step
from symem.language.matrices import is_matrix
from tests.derived import em
from tests.models import DERIVED, FEW, Row, slow_but_for
from tests.replaying import Replay
from tests.told import in_lines


@cache
def lines(name: str) -> tuple[Step, ...]:
    """What a row's derivation has, told line by line, beside its steps."""
    recorded = {id(step) for step in em(name).derivation.informed.steps}
    return tuple(step for step in in_lines(name).steps if id(step) not in recorded)


def signed(replay: Replay, step: Step) -> list[float]:
    """What a second derivative is said to be below 0, as numbers."""
    if not step.particulars.get("sign"):
        return []
    return [float(np.max(right)) for _, right in replay.pairs(step)]


@slow_but_for(DERIVED, {row.name for row in FEW})
def test_every_line_is_the_line_before(row: Row) -> None:
    """Both sides of every line, in numbers."""
    replay = Replay(row)
    for step in lines(row.name):
        assert not replay.disagreements(step)
        assert not [number for number in signed(replay, step) if number > 0]


@pytest.mark.parametrize("name", ["gmm1d_faithful", "peppered_moths", "factor_analysis_mean"])
def test_a_spoilt_line_is_seen(name: str) -> None:
    row = next(row for row in DERIVED if row.name == name)
    replay = Replay(row)
    assert lines(name)
    for step in lines(name):
        if is_matrix(step.after) and not any(np.any(right) for _, right in replay.pairs(step)):
            continue  # nothing, twice
        aside = 0 if is_matrix(step.after) else 10_000
        assert replay.disagreements(replace(step, after=2 * step.after + aside))
