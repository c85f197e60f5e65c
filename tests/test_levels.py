"""Levels: the brief one holds the updates, each longer one all that the shorter holds, and marks lead somewhere.

Of a few models that show all that there is; every model's longest report is set by TeX and in a browser.
"""

from __future__ import annotations

import pytest

from symem.derivation import Status
from symem.language.leaves import name_of
from symem.report.document import Algorithm, Anchor, Display, Figure, Link, Mark, Section, Table
from symem.report.line_breaking import LINE, width
from symem.report.notation.by_label import by_label
from symem.report.notation.plain_statistics import plainly
from symem.report.options import Level
from symem.report.sections.read_by_m_step import needed
from tests.derived import em
from tests.models import FEW, HALF, Row, slow_but_for
from tests.told import told

OVER_FEW = slow_but_for(FEW, HALF)
#: A sixth of them in every length: the shorter ones say nothing that the longest does not.
OVER_FEWER = pytest.mark.parametrize("row", FEW[::6], ids=lambda row: row.name)


def displays(sections: tuple[Section, ...]) -> list[str]:
    blocks = [block for section in sections for block in section.blocks]
    lines = [line for b in blocks if isinstance(b, Display) for equation in b.equations for line in equation]
    boxes = [each for b in blocks if isinstance(b, Algorithm) for each in b.lines]
    return lines + [line for each in boxes for equation in each.equations for line in equation]


def test_anatomy() -> None:
    anchors = {level: [section.anchor for section in told("gmm1d_faithful", level)] for level in Level}
    assert anchors[Level.BRIEF] == ["model", "e-step", "m-step", "conditions"]
    assert [a for a in anchors[Level.PAPER] if a] == [
        "model", "e-step", "latent-z", "likelihood", "surrogate", "m-step", "ascent", "information", "algorithm", "certificates",
        "references",
    ]  # fmt: skip
    assert anchors[Level.TEACHING] == anchors[Level.PAPER]


@OVER_FEWER
def test_a_longer_report_has_more_lines(row: Row) -> None:
    brief, paper, teaching = (displays(told(row.name, level)) for level in Level)
    assert len(brief) < len(paper) <= len(teaching)


@OVER_FEW
def test_lines_fit_the_page(row: Row) -> None:
    lines = displays(told(row.name, Level.TEACHING))
    assert max(map(width, lines)) <= LINE + 20
    assert all(line.count("&") == 1 for line in lines)


@OVER_FEW
def test_every_mark_leads_to_a_certificate(row: Row) -> None:
    blocks = [block for section in told(row.name, Level.TEACHING) for block in section.blocks]
    parts = [part for block in blocks if isinstance(block, tuple) for part in block]
    anchors = {part.name for part in parts if isinstance(part, Anchor)}
    marks = [part for part in parts if isinstance(part, Mark) and part.anchor]
    assert {part.anchor for part in marks} <= anchors
    assert not [part for part in parts if isinstance(part, Link) and part.anchor not in anchors]
    found = em(row.name).derivation.certificates
    assert bool(marks) == bool(found)
    assert len(anchors) == len(by_label(em(row.name).derivation).certificates)
    worst = max((list(Status).index(c.status) for e in found for c in e.claims), default=0)
    assert max((list(Status).index(m.status) for m in marks), default=0) == worst


@OVER_FEW
def test_a_report_draws_the_model_and_lists_its_symbols(row: Row) -> None:
    model = told(row.name, Level.TEACHING)[0]
    assert any(isinstance(block, Figure) for block in model.blocks)
    (table,) = [block for block in model.blocks if isinstance(block, Table)]
    joint = [name for names in em(row.name).model.simplexes for name in names]
    shown = {*em(row.name).model.parameters, *em(row.name).model.latents}
    companions = [each for each in em(row.name).model.data if each.missing]
    assert len(table.rows) >= len(shown) - len(joint) - len(companions)


@OVER_FEW
def test_the_box_computes_all_that_the_m_step_needs(row: Row) -> None:
    """Every name that the statistics are made of stands on the left of a line before it is used."""
    derivation = plainly(em(row.name).derivation)
    names = needed(derivation)
    defined = {name_of(each.symbol) for each in derivation.definitions}
    assert names <= defined
    blocks = [block for section in told(row.name, Level.TEACHING) for block in section.blocks]
    (box,) = [block for block in blocks if isinstance(block, Algorithm)]
    assert ("M-step" in str(box.lines)) == bool(derivation.updates)
