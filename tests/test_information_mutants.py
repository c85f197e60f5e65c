"""Wrong slopes of Q and wrong information are rejected by V6: each operator of the slopes changed, each part of the information."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from symem.codegen.emit import load
from symem.verification.ground import Ground
from symem.verification.ladder import climb
from symem.verification.verifying import prepare
from tests.derived import em
from tests.models import BY_NAME

#: A mixture, matrices, counts of a known total, two levels, loadings; the last ones are slow.
NAMES = ("gmm1d_faithful", "random_effects_dyestuff", "peppered_moths", "gmm_mv_full", "factor_analysis_mean")

CHANGES = (
    (r" \+ ", " - "),
    (" - ", " + "),
    (r"\*\*2", "**3"),
    (r"\*\*3", "**2"),
    (" / 2", " / 3"),
    (r"\* ", "* 2 * "),
)


@cache
def ground(name: str) -> Ground:
    row = BY_NAME[name]
    return prepare(em(name), row.data, theta=row.theta(row.file["start"]), points=1)[0]


def mutants(name: str) -> Iterator[str]:
    """The module with one operator of its slopes changed."""
    text: str = em(name).source()
    first = text.index('"""', text.index("\ndef slopes(") + 1)
    begin = text.index('"""', first + 3)
    end = text.index("\n# ----", begin)
    for old, new in CHANGES:
        for found in re.finditer(old, text[begin:end]):
            yield text[: begin + found.start()] + new + text[begin + found.end() :]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if place > 2 else []) for place, name in enumerate(NAMES)],
)
def test_every_operator_of_the_slopes_counts(name: str) -> None:
    listed = list(mutants(name))
    assert len(listed) >= 5
    (right,) = climb(ground(name), "V6")
    assert right.passed, right
    for text in listed:
        (rung,) = climb(replace(ground(name), solver=load(text)), "V6")
        assert rung.passed is False, (rung, text)


def _with_missing(found: Any, missing: Any) -> Any:
    return found._replace(missing=missing, observed=found.complete - missing)


SPOILT: dict[str, Callable[[Any], Any]] = {
    "nothing is missing": lambda found: _with_missing(found, 0 * found.missing),
    "what is missing is added": lambda found: _with_missing(found, -found.missing),
    "half is missing": lambda found: _with_missing(found, found.missing / 2),
    "the diagonal alone is missing": lambda found: _with_missing(found, np.diag(np.diag(found.missing))),
    "complete for observed": lambda found: found._replace(observed=found.complete),
    "another sign": lambda found: found._replace(
        complete=-found.complete, missing=-found.missing, observed=-found.observed
    ),
    "the score is left out": lambda found: found._replace(score=0 * found.score),
    "the score is that of twice as many": lambda found: found._replace(score=2 * found.score),
}


@pytest.mark.parametrize("how", SPOILT)
def test_every_part_of_the_information_counts(how: str) -> None:
    name = "gmm1d_faithful"

    def spoilt(theta: Any, **data: Any) -> Any:
        return SPOILT[how](em(name).solver().information(theta, **data))

    (rung,) = climb(replace(ground(name), solver=SimpleNamespace(information=spoilt)), "V6")
    assert rung.passed is False
    assert "information" in rung.detail or "score" in rung.detail or "complete" in rung.detail


def test_a_module_that_raises_is_rejected() -> None:
    def raises(_theta: Any, **_data: Any) -> Any:
        raise ZeroDivisionError("by what")

    (rung,) = climb(replace(ground("gmm1d_faithful"), solver=SimpleNamespace(information=raises)), "V6")
    assert (rung.passed, "ZeroDivisionError: by what" in rung.detail) == (False, True)


def test_where_the_data_are_impossible_the_rung_is_open() -> None:
    here = ground("peppered_moths")
    ended = {**here.points[0], "pC": np.array(0.0), "pI": np.array(0.4), "pT": np.array(0.6)}
    (rung,) = climb(replace(here, points=(ended,)), "V6")
    assert (rung.passed, "there is no information" in rung.detail) == (None, True)
