"""The steps of a derivation: both sides of every step, evaluated by brute force over the table of models."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symem.calculus import maximisers
from symem.calculus.climbing_laws import CLIMBING
from symem.derivation import Ascent
from symem.language.leaves import name_of
from tests.derived import em
from tests.models import DERIVED, HALF, Row, in_turn, slow_but_for
from tests.replaying import Replay, told

ROWS = pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in DERIVED])
SOLVED = set(maximisers.LAWS)

#: Told here, tested elsewhere: ℓ and Q by `verify`, a maximum by its certificate; of counts and vectors by the laws.
ELSEWHERE = {"elimination", "expectation", "second order", "log-normaliser", "moments", "missing information"}
ELSEWHERE |= {
    "share missing",
    "observed information",
    "missing by differences",
    "missing information along",
    "complete information along",
}


@slow_but_for(in_turn(DERIVED, 0), HALF)
def test_every_step_holds(row: Row) -> None:
    """Both sides of every step, in numbers."""
    replay = Replay(row)
    for step in replay.derivation.steps:
        assert not replay.disagreements(step)


SPOILT = ("gmm1d_own_var", "peppered_moths", "student_t_known_nu", "factor_analysis_mean")


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_step_is_seen(name: str) -> None:
    row = next(row for row in DERIVED if row.name == name)
    replay = Replay(row)
    for step in replay.derivation.steps:
        spoilt = replace(step, after=2 * step.after + 10_000)
        assert replay.disagreements(spoilt) or (step.law.name in ELSEWHERE and not replay.pairs(step))


# the story itself -----------------------------------------------------------------------------------------


@ROWS
def test_the_story_follows_the_textbook(row: Row) -> None:
    derivation = told(row)
    order = ["model", "E-step", "likelihood", "surrogate", "statistics", "M-step", "ascent", "information"]
    found = [order.index(step.stage) for step in derivation.steps]
    assert found == sorted(found)
    laws = {step.law.name for step in derivation.steps}
    assert laws >= {"elimination", "expectation"}
    assert laws & {"separation", "words"}
    assert laws & {"stationarity", "matrix stationarity"} or not derivation.updates
    assert all(step.reason and "{" not in step.reason for step in derivation.steps)


@ROWS
def test_every_latent_and_every_parameter_has_its_steps(row: Row) -> None:
    derivation = told(row)
    e_step = {
        "outcomes",
        "recognition",
        "known total",
        "Gaussian vector",
        "Gaussian entries",
        "labels of a chain",
    }
    e_step |= {"labels of a tree", "smoothed means", "means of a tree"}
    assert sum(step.law.name in e_step for step in derivation.steps) == len(derivation.posteriors)
    solved = [step.before for step in derivation.steps if step.law.name in SOLVED]
    assert solved == [each.parameter for each in derivation.updates if not isinstance(each, Ascent)]
    climbed = [step.about for step in derivation.steps if step.law in CLIMBING]
    assert sorted({name_of(each) for about in climbed for each in about}) == sorted(row.climbed)


def test_the_second_order_step_is_the_certificates() -> None:
    derivation = em("gmm1d_own_var").derivation
    last = [step for step in derivation.steps if step.law.name == "second order"]
    assert len(last) == 3
    assert "Gibbs" in last[0].reason
