"""Exercises hide the algebra and ask for it; slides hold all of it, and nothing leaves them."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from symem import DataError
from symem.report.document import Algorithm, Block, Display, Exercise, Section
from symem.report.exercises import parted
from symem.report.options import Level, Options
from symem.report.outline import tell
from symem.report.report import beamer, html, latex, markdown, notebook, slides
from symem.report.slides import LEFT_OUT, ROOM, cut, height
from tests.browser import PROGRAM, browser
from tests.derived import em
from tests.told import in_lines, told

EACH = pytest.mark.parametrize("name", ["coin_do_batzoglou", "peppered_moths", "factor_analysis_mean"])
EXERCISE = Options(level=Level.TEACHING, exercise=True)
SLIDES = Options(level=Level.TEACHING, slides=True)


def tasks(sections: tuple[Section, ...]) -> list[Exercise]:
    return [block for section in sections for block in section.blocks if isinstance(block, Exercise)]


def displays(blocks: Sequence[Block]) -> list[str]:
    """The lines of all displays, in their order."""
    lines = [
        line for block in blocks if isinstance(block, Display) for each in block.equations for line in each
    ]
    boxes = [each for block in blocks if isinstance(block, Algorithm) for each in block.lines]
    return lines + [line for box in boxes for each in box.equations for line in each]


# exercises -----------------------------------------------------------------------------------------------


@EACH
def test_an_exercise_asks_for_every_step_and_hides_its_algebra(name: str) -> None:
    sections = tell(in_lines(name), EXERCISE)
    found = tasks(sections)
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    open_ = [block for section in sections for block in section.blocks if not isinstance(block, Exercise)]
    assert not [line for line in displays(open_) if "partial" in line or "(t+1)" in line]
    hidden = [block for each in found for block in each.solution]
    plain = [block for s in told(name, Level.TEACHING) if s.anchor not in LEFT_OUT for block in s.blocks]
    assert set(displays(plain)) <= set(displays(open_)) | set(displays(hidden))


def test_on_paper_the_solutions_stand_at_the_end_numbered_alike() -> None:
    text = latex(in_lines("coin_do_batzoglou"), EXERCISE)
    asked, answered = text.split(r"\section{Solutions}")
    numbers = re.findall(r"\\textbf\{Exercise (\d+)\.\}", asked)
    assert numbers == re.findall(r"\\subsection\{Exercise (\d+)\}", answered)
    assert r"\frac{\partial Q}" in answered
    assert r"\frac{\partial Q}" not in asked
    assert r"Differentiate $Q(\theta \mid \theta^{(t)})$ with respect to $\theta_{k}$" in asked


def test_on_a_page_the_solutions_are_folded() -> None:
    derivation, number = (
        in_lines("coin_do_batzoglou"),
        len(tasks(tell(in_lines("coin_do_batzoglou"), EXERCISE))),
    )
    page, text = html(derivation, EXERCISE), markdown(derivation, EXERCISE)
    assert page.count('<details class="solution"><summary>Show</summary>') == number
    assert 'id="exercise-1"' in page
    assert text.count("<details>\n<summary>Show</summary>\n\n") == text.count("\n\n</details>") == number
    assert notebook(derivation, EXERCISE).count("<summary>Show</summary>") == number


def test_a_report_that_is_no_exercise_is_parted_as_it_stands() -> None:
    sections = told("coin_do_batzoglou", Level.TEACHING)
    assert parted(sections) == sections
    assert not tasks(sections)


def test_what_cannot_be_taught_is_refused_by_name() -> None:
    coins = em("coin_do_batzoglou")
    with pytest.raises(DataError, match="level='paper'"):
        coins.html(exercise=True, level="brief")
    with pytest.raises(DataError, match=r"em\.latex\(slides=True\)"):
        coins.markdown(slides=True)
    with pytest.raises(DataError, match=r"em\.html\(slides=True\)"):
        coins.notebook(slides=True)


# slides --------------------------------------------------------------------------------------------------


@EACH
def test_slides_hold_every_line_in_its_order(name: str) -> None:
    kept = [s for s in told(name, Level.TEACHING) if s.anchor not in LEFT_OUT]
    shown = cut(tell(in_lines(name), SLIDES))
    whole = [line for section in kept for line in displays(section.blocks)]
    assert whole == [line for slide in shown for line in displays(slide.blocks)]
    assert all(slide.title for slide in shown)


@EACH
def test_no_slide_is_overfull(name: str) -> None:
    shown = cut(tell(in_lines(name), SLIDES))
    crowded = [slide for slide in shown if sum(map(height, slide.blocks)) > ROOM + 3]
    assert all(len(slide.blocks) <= 2 for slide in crowded)


def test_slides_of_an_exercise_ask_before_they_answer() -> None:
    shown = cut(
        tell(in_lines("coin_do_batzoglou"), Options(level=Level.TEACHING, exercise=True, slides=True))
    )
    titles = [slide.title for slide in shown]
    told = tell(in_lines("coin_do_batzoglou"), EXERCISE)
    number = len([each for section in told if section.anchor not in LEFT_OUT for each in tasks((section,))])
    asked = [
        place for place, title in enumerate(titles) if title[0].__class__ is str and "Exercise" in title[0]
    ]
    assert len(asked) == number
    assert all(later - earlier > 1 for earlier, later in pairwise(asked))


NEEDS_BEAMER = pytest.mark.skipif(
    shutil.which("kpsewhich") is None
    or any(
        subprocess.run(["kpsewhich", each], capture_output=True, check=False).returncode
        for each in ("beamer.cls", "pgfmath.sty")
    ),
    reason="SKIPPED: there is no beamer here, so no slides were set by TeX",
)


@pytest.mark.slow
@NEEDS_BEAMER
@EACH
def test_tex_sets_the_slides(name: str, tmp_path: Path) -> None:
    """Without an error, and no box wider than its slide."""
    path = tmp_path / "slides.tex"
    path.write_text(beamer(in_lines(name), SLIDES), encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", path.name]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    wide = re.findall(r"Overfull \\hbox \(([\d.]+)pt", (tmp_path / "slides.log").read_text(errors="replace"))
    assert all(float(points) < 10 for points in wide)


#: What leaves its slide, and how many slides there are.
LEAVING = """(async () => {
  await document.fonts.ready;
  await new Promise(done => setTimeout(done, 200));
  const outside = [];
  for (const slide of document.querySelectorAll(".slide")) {
    const frame = slide.getBoundingClientRect();
    for (const each of slide.querySelectorAll(".katex-html > .base, p, table, figure svg")) {
      const box = each.getBoundingClientRect();
      if (box.right > frame.right + 1 || box.bottom > frame.bottom + 1 || box.left < frame.left - 1) outside.push(each.textContent.slice(0, 60));
    }
  }
  return { outside, slides: document.querySelectorAll(".slide").length, unset: document.querySelectorAll("code.tex").length };
})()"""


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="SKIPPED: there is no chromium here, so no slide was looked at")
def test_nothing_leaves_a_slide_and_each_is_a_sheet(tmp_path: Path) -> None:
    with browser() as tab:
        for name in ("coin_do_batzoglou", "peppered_moths", "factor_analysis_mean"):
            path = tmp_path / f"{name}.html"
            path.write_text(slides(in_lines(name), SLIDES), encoding="utf-8")
            seen = tab.open(path)
            found = tab.evaluate(LEAVING)
            assert seen.complaints == []
            assert found["unset"] == 0
            assert found["outside"] == []
            printed = tab.call("Page.printToPDF", preferCSSPageSize=True)["data"]
            sheets = re.findall(rb"/Type\s*/Page\b(?!s)", base64.b64decode(printed))
            assert len(sheets) == found["slides"]
