"""Each medium sets every kind of block, and whatever the words are, they stay words."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from symem.report.media import html as web
from symem.report.media.drawing import UnsafeDrawingError, inert
from symem.report.media.html import HtmlMedium
from symem.report.media.latex import LatexMedium
from symem.report.media.markdown import MarkdownMedium
from symem.report.media.medium import pages
from symem.report.media.notebook import NotebookMedium, Script, written
from symem.templating import render
from tests.sample import DRAWING, sample

#: Each would act in some form if it were not words.
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover=alert(1) x="',
    "' onfocus='alert(1)",
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    "![x](http://example.org/x.png)",
    r"$\input{/etc/passwd}$",
    r"\input{/etc/passwd}",
    r"\immediate\write18{touch pwned}",
    r"\end{verbatim}\input{x}",
    r"\end{document}",
    "```\n# out\n",
    "{{ 7*7 }}{% raw %}",
    '__import__("os").system("touch pwned")',
    '"""\nimport os\n"""',
    "a\nb\r\x00\x1b[31m",
    "μ ≥ ∞ ∑ 漢字 é",
    "| a | b |",
    "&lt;b&gt; &amp;",
    "</title><style>*{display:none}</style>",
    "%\n^^M",
)
hostile = pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
TEX = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="SKIPPED: there is no pdflatex here")


def page(words: str = "Heads and tails") -> str:
    medium = HtmlMedium()
    told = pages(sample(words), medium)
    return web.framed(
        "report.html.j2", shared=None, back=None, title=words, kicker=words, byline=words, pages=told
    )


def article(words: str = "Heads and tails") -> str:
    medium = LatexMedium()
    told, title = pages(sample(words), medium), medium.words(words)
    return render("report.tex.j2", size="11pt", pages=told, title=title, kicker=title, byline=title)


def text(words: str = "Heads and tails") -> str:
    medium = MarkdownMedium()
    told, title = pages(sample(words), medium), medium.words(words)
    return render("report.md.j2", pages=told, title=title, kicker=title, byline=title)


def book(words: str = "Heads and tails") -> str:
    medium = NotebookMedium()
    told, title = pages(sample(words), medium), medium.words(words)
    script = Script("x = 1", derived=False, data=None, start=None)
    return written(script, told, medium, {"title": title, "kicker": title, "byline": title})


# golden ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "suffix"), [(article, "tex"), (text, "md"), (book, "ipynb")])
def test_golden(form: object, suffix: str, request: pytest.FixtureRequest) -> None:
    assert callable(form)
    path = Path(__file__).parent / "golden" / f"sample.{suffix}"
    told = form()
    if request.config.getoption("--update-golden"):
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")


def test_golden_page(request: pytest.FixtureRequest) -> None:
    """The page without its style and its script."""
    path = Path(__file__).parent / "golden" / "sample.html"
    told = re.sub(r"<(style|script)>.*?</\1>|sha256-[\w+/=]*", "", page(), flags=re.DOTALL)
    if request.config.getoption("--update-golden"):
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")


# HTML ------------------------------------------------------------------------------------------------

ELEMENTS = frozenset(
    [
        "html",
        "head",
        "meta",
        "title",
        "style",
        "script",
        "body",
        "a",
        "header",
        "p",
        "h1",
        "h2",
        "h3",
        "div",
        "nav",
        "ol",
        "ul",
        "li",
        "span",
        "main",
        "section",
        "code",
        "em",
        "strong",
        "table",
        "caption",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
        "svg",
        "path",
        "polyline",
        "text",
        "pre",
        "details",
        "summary",
        "footer",
    ]
)


class Outline(HTMLParser):
    """Elements, and the addresses that links lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.anchors += [value or "" for name, value in attrs if name == "id"]


def outline(told: str) -> Outline:
    found = Outline()
    found.feed(told)
    found.close()
    return found


@hostile
def test_words_are_inert_in_html(words: str) -> None:
    """The same elements, whatever the words; links lead into the page; nothing handles events."""
    found, kind = outline(page(words)), outline(page())
    assert [e for e in found.elements if e != "span"] == [e for e in kind.elements if e != "span"]
    assert set(found.elements) <= ELEMENTS
    assert found.attributes == kind.attributes
    assert all(link.startswith("#") for link in found.links)
    assert not [name for name in found.attributes if name.startswith("on")]


def test_links_lead_somewhere_and_anchors_are_unique() -> None:
    found = outline(page())
    assert len(set(found.anchors)) == len(found.anchors)
    assert {link[1:] for link in found.links} - set(found.anchors) <= {"x"}  # the sample's one dead mark


def test_a_page_asks_for_nothing() -> None:
    told = page()
    assert "default-src &#39;none&#39;" in told
    assert "unsafe" not in re.sub(r"<script>.*?</script>", "", told, flags=re.DOTALL)
    assert not re.search(r"url\((?!data:)", told)


def test_katex_is_what_its_note_says() -> None:
    """Unchanged files of the version that pages name; and the licence goes where the code goes."""
    folder = Path(__file__).parents[1] / "templates" / "katex"
    listed = re.findall(
        r"^    ([0-9a-f]{64})  (\S+)$", (folder / "README.md").read_text(), flags=re.MULTILINE
    )
    assert len(listed) == 2 + len(list((folder / "fonts").iterdir()))
    for digest, name in listed:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert f'"{web.KATEX}"' in (folder / "katex.min.js").read_text()
    assert "Permission is hereby granted" in page()


# drawings ----------------------------------------------------------------------------------------------


def test_a_drawing_is_named_for_those_who_cannot_see_it() -> None:
    drawn = inert(DRAWING, 'a "curve" <that> rises')
    assert 'role="img"' in drawn
    assert 'aria-label="a &quot;curve&quot; &lt;that&gt; rises"' in drawn


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<style>*{}</style>",
        '<rect onload="alert(1)"/>',
        '<a href="javascript:alert(1)"/>',
        '<image href="http://example.org/x.png"/>',
        '<use href="#x"/>',
        "<foreignObject/>",
        '<rect style="fill:red"/>',
        '<rect fill="url(http://example.org/#x)"/>',
        '<!--x--><rect x="1"/>',
        '<g xmlns="http://www.w3.org/1999/xhtml"><script/></g>',
    ],
)
def test_a_drawing_only_draws(inside: str) -> None:
    with pytest.raises(UnsafeDrawingError):
        inert(DRAWING.replace("</svg>", f"{inside}</svg>"), "x")


# Markdown and notebooks ----------------------------------------------------------------------------------


@hostile
def test_words_are_inert_in_markdown(words: str) -> None:
    """Outside code, no tag but our anchors, no link but into the page, no formula but ours."""
    told = text(words)
    blocks = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", told, flags=re.DOTALL | re.MULTILINE)
    bare = re.sub(r"\\.", "", re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", blocks))
    assert not re.search(r'<(?!a id="[a-z0-9-]+"></a>|/a>)', re.sub(r"\\lt ", "", bare))
    assert all(target.startswith("#") for target in re.findall(r"\]\(([^)]*)\)", bare))
    assert bare.count("$") == re.sub(r"\\.", "", text()).count("$")


@hostile
def test_words_are_inert_in_notebooks(words: str) -> None:
    """The same cells; no word of the reader's is in a code cell."""
    cells, kind = (json.loads(told)["cells"] for told in (book(words), book()))
    assert [cell["cell_type"] for cell in cells] == [cell["cell_type"] for cell in kind]
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    assert code == [cell["source"] for cell in kind if cell["cell_type"] == "code"]


# LaTeX -----------------------------------------------------------------------------------------------


@pytest.mark.slow
@TEX
def test_words_are_inert_in_latex(tmp_path: Path) -> None:
    """Every hostile text in one document each is slow; all in one fragment is as good."""
    medium = LatexMedium()
    parts = [render("fragment.tex.j2", pages=pages(sample(words), medium)) for words in HOSTILE]
    frame = (
        article().split(r"\end{center}")[0]
        + r"\end{center}"
        + "\n"
        + "\n".join(parts)
        + "\n\\end{document}\n"
    )
    for told in (article(), frame):
        (tmp_path / "sample.tex").write_text(told, encoding="utf-8")
        command = ["pdflatex", "-no-shell-escape", "-recorder", "-halt-on-error", "-interaction=nonstopmode"]
        done = subprocess.run(
            [*command, "sample.tex"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:]
    assert "passwd" not in (tmp_path / "sample.fls").read_text()
    assert not (tmp_path / "pwned").exists()


@hostile
def test_no_command_of_the_words_is_left_in_latex(words: str) -> None:
    told = article(words)
    for command in (r"\input", r"\write", r"\immediate", r"\end{verbatim}"):
        assert command not in told
    assert told.count(r"\end{document}") == 1
