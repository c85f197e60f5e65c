"""Reports in a headless Chromium: nothing is asked of the network, nothing complains, every formula is set."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from symem.__main__ import main
from symem.report.media import html as web
from symem.report.media.medium import pages
from symem.report.options import Notation
from tests.browser import PROGRAM, Browser, Seen, browser
from tests.models import Row, over_all_at_once
from tests.test_documents import ONE_OF_EACH
from tests.test_media import HOSTILE, page
from tests.told import SCHOOL, told_in_its_school

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAM is None, reason="SKIPPED: there is no chromium here, so no page was looked at"
    ),
]
#: What is left as source, what KaTeX could not read, how far the page runs off, which numbers strike formulas.
STATE = """(async () => {
  await document.fonts.ready;
  const errors = [...document.querySelectorAll(".katex-error, code.tex")].map(each => each.textContent);
  const ids = [...document.querySelectorAll("[id]")].map(each => each.id);
  const faces = [...document.fonts].filter(face => face.status === "error").map(face => face.family);
  return {
    errors, faces, set: document.querySelectorAll(".katex").length,
    overflow: document.documentElement.scrollWidth - innerWidth,
    title: document.title, acted: globalThis.acted ?? null,
    doubled: ids.filter((id, place) => ids.indexOf(id) !== place),
    dangling: [...document.querySelectorAll("a[href^='#']")].map(a => a.hash.slice(1)).filter(id => !ids.includes(id)),
    struck: [...document.querySelectorAll(".katex-html")].filter(each => {
      const edge = Math.max(0, ...[...each.querySelectorAll(":scope > :not(.katex-tag)")].map(b => b.getBoundingClientRect().right));
      return [...each.querySelectorAll(".katex-tag")].some(tag => tag.getBoundingClientRect().left < edge + 4);
    }).length,
    bodies: document.querySelectorAll("main").length, scripts: document.scripts.length,
  };
})()"""


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    with browser() as running:
        yield running


def state(tab: Browser) -> dict[str, Any]:
    found: dict[str, Any] = tab.evaluate(STATE)
    return found


def sound(tab: Browser, seen: Seen) -> None:
    """Nothing complained, no formula left, nothing off the page."""
    found = state(tab)
    assert seen.complaints == []
    assert found["errors"] == []
    assert found["faces"] == []
    assert found["set"] > 0
    assert found["overflow"] <= 0
    assert found["struck"] == 0


def abroad(seen: Seen, folder: Path) -> list[str]:
    """Requests for anything but files of the folder and what the page carries."""
    home = folder.resolve().as_uri()
    return [url for url in seen.requests if not url.startswith((home, "data:"))]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_needs_nothing_but_itself(tab: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    path = tmp_path / "coins.html"
    assert main(["report", str(EXAMPLES / "two_coins.py"), "-o", str(path)]) == 0
    seen = tab.open(path, width=width, scheme=scheme)
    sound(tab, seen)
    assert [url for url in seen.requests if not url.startswith("data:")] == [path.as_uri()]


def test_every_page_of_the_gallery(tab: Browser, tmp_path: Path) -> None:
    """An example of each kind at both widths; no page asks for a file outside the gallery."""
    shutil.copytree(EXAMPLES / "data", tmp_path / "examples" / "data")
    for name in ONE_OF_EACH:
        shutil.copy(EXAMPLES / f"{name}.py", tmp_path / "examples")
    assert main(["gallery", str(tmp_path / "examples"), "-o", str(tmp_path)]) == 0
    built = sorted(tmp_path.glob("*.html"))
    assert len(built) == 1 + len(ONE_OF_EACH)
    for path in built:
        for width in (390, 1280):
            seen = tab.open(path, width=width)
            sound(tab, seen)
            assert (state(tab)["doubled"], state(tab)["dangling"]) == ([], [])
            assert abroad(seen, tmp_path) == []
    tab.open(tmp_path / "index.html", width=1280)
    assert tab.evaluate(SEARCHED.format(words="binomial coin")) == [1, 1, "1 of 8"]
    assert tab.evaluate(SEARCHED.format(words="nothing of this kind")) == [0, 0, "0 of 8"]
    assert tab.evaluate(SEARCHED.format(words="")) == [8, 8, ""]


#: What is left of a gallery that is searched: cards, entries beside them, and what is said.
SEARCHED = """(() => {{
  const search = document.querySelector("#search");
  search.value = "{words}";
  search.dispatchEvent(new Event("input"));
  const left = name => [...document.querySelectorAll(name)].filter(each => each.offsetParent).length;
  return [left(".card"), left("nav li"), document.querySelector("#found").textContent];
}})()"""


@over_all_at_once
@pytest.mark.parametrize("notation", Notation)
def test_every_formula_of_every_model(
    tab: Browser, tmp_path: Path, notation: Notation, rows: tuple[Row, ...]
) -> None:
    """Each model with every line of its algebra, a quarter of them in each school's letters; none runs off a phone."""
    told = [
        section for row in rows if SCHOOL[row.name] is notation for section in told_in_its_school(row.name)
    ]
    path = tmp_path / "models.html"
    set_ = pages(told, web.HtmlMedium())
    text = web.framed(
        "report.html.j2", shared=None, back=None, title="Models", kicker="", byline="", pages=set_
    )
    path.write_text(text, encoding="utf-8")
    sound(tab, tab.open(path, width=390))


def test_without_scripts_the_source_is_read(tab: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(), encoding="utf-8")
    tab.open(path, width=390, scripts=False)
    shown = tab.evaluate("document.querySelector('.display').innerText")
    assert shown.startswith(r"\begin{align}")
    assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_headings_and_landmarks(tab: Browser, tmp_path: Path) -> None:
    """One title, no level left out, one main, labelled navigation, drawings with a name."""
    path = tmp_path / "page.html"
    path.write_text(page(), encoding="utf-8")
    tab.open(path)
    levels = tab.evaluate("[...document.querySelectorAll('main :is(h1,h2,h3,h4)')].map(h => +h.tagName[1])")
    assert all(after <= before + 1 for before, after in zip([1, *levels], levels, strict=False))
    assert tab.evaluate("document.querySelectorAll('h1').length") == 1
    assert tab.evaluate("document.documentElement.lang") == "en"
    assert tab.evaluate("[...document.querySelectorAll('nav')].every(each => each.ariaLabel)")
    assert tab.evaluate("[...document.querySelectorAll('svg[role=img]')].every(each => each.ariaLabel)")


#: WCAG 2.1, relative luminance; the least contrast of any text with the page behind it.
CONTRAST = """(() => {
  const light = c => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const luminance = css => { const [r, g, b] = css.match(/[\\d.]+/g).map(Number);
    return .2126 * light(r) + .7152 * light(g) + .0722 * light(b); };
  const ground = luminance(getComputedStyle(document.body).backgroundColor);
  const ratios = [...document.querySelectorAll("main *, header *, nav *, footer *")]
    .filter(each => [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    .filter(each => !each.closest("svg, .here, .katex-mathml"))
    .map(each => { const own = luminance(getComputedStyle(each).color);
      return (Math.max(own, ground) + .05) / (Math.min(own, ground) + .05); });
  return Math.min(...ratios);
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(tab: Browser, tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(), encoding="utf-8")
    tab.open(path, scheme=scheme)
    assert tab.evaluate(CONTRAST) >= 4.5


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_do_nothing(tab: Browser, tmp_path: Path, words: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(words.replace("alert(1)", "globalThis.acted=1")), encoding="utf-8")
    seen = tab.open(path)
    sound(tab, seen)
    found = state(tab)
    assert found["acted"] is None
    assert (found["bodies"], found["scripts"]) == (1, 1)
    assert abroad(seen, tmp_path) == []


def test_the_policy_stops_a_foreign_script(tab: Browser, tmp_path: Path) -> None:
    """The check above can fail: a script that did get in is heard of, and does not run."""
    path = tmp_path / "page.html"
    path.write_text(page().replace("</main>", "</main><script>globalThis.acted=1</script>"), encoding="utf-8")
    seen = tab.open(path)
    assert state(tab)["acted"] is None
    assert any("Content Security Policy" in complaint for complaint in seen.complaints)
