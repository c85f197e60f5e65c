"""A page that needs nothing but itself: KaTeX, its fonts and the style stand in it, and nothing else may act.

Formulas stand as LaTeX source; a script of a dozen lines has KaTeX set them. Where no script runs, the source is
what one reads. The content security policy names the style and the scripts by their hashes and forbids the rest.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from markupsafe import Markup, escape

from symem.report.document import (
    Algorithm,
    Anchor,
    Block,
    Code,
    Display,
    Exercise,
    Figure,
    Instruction,
    Items,
    Lines,
    Link,
    Mark,
    Maths,
    Prose,
    Table,
    Term,
    Typed,
)
from symem.report.exercises import place_of
from symem.report.media.drawing import inert
from symem.report.media.medium import Medium, slug
from symem.templating import bytes_of, render, text_of

KATEX = "0.19.1"
BREAK = " \\\\\n"
LONG = 40  # lines of code that a reader is not made to scroll past
CELLS = {"th": '<th scope="col" class="{}">{}</th>', "td": '<td class="{}">{}</td>'}


def filled(frame: str, *parts: Any) -> Markup:
    """A frame of ours with each part escaped, unless it is markup already."""
    return Markup(frame).format(*parts)  # noqa: S704  frames are written here, parts are escaped


class HtmlMedium(Medium):
    """HTML5; every word goes through `escape`, every anchor through `slug`, every drawing through `inert`."""

    def prose(self, prose: Prose) -> Markup:
        return Markup("").join(map(self.part, prose))

    def body(self, blocks: Sequence[Block]) -> Markup:
        return Markup("\n").join(map(self.block, blocks))

    def words(self, words: str) -> Markup:
        return escape(words)

    def maths(self, maths: Maths) -> Markup:
        return filled('<code class="tex">{}</code>', maths.latex)

    def mark(self, mark: Mark) -> Markup:
        kind = mark.status.value
        shown = filled('<span class="mark {}">{}</span>', kind, mark.words)
        return filled('<a href="#{}">{}</a>', slug(mark.anchor), shown) if mark.anchor else shown

    def anchor(self, anchor: Anchor) -> Markup:
        return filled('<span id="{}"></span>', slug(anchor.name))

    def link(self, link: Link) -> Markup:
        return filled('<a href="#{}">{}</a>', slug(link.anchor), link.words)

    def term(self, term: Term) -> Markup:
        return filled("<em>{}</em>", term.words)

    def typed(self, typed: Typed) -> Markup:
        return filled("<code>{}</code>", typed.words)

    def paragraph(self, prose: Prose) -> Markup:
        return filled("<p>{}</p>", self.prose(prose))

    def display(self, display: Display) -> Markup:
        return displayed("align", display.equations)

    def items(self, items: Items) -> Markup:
        entries = Markup("").join(filled("<li>{}</li>", self.prose(each)) for each in items.entries)
        frame = "<ol>{}</ol>" if items.ordered else "<ul>{}</ul>"
        return filled(frame, entries)

    def table(self, table: Table) -> Markup:
        body = len(table.rows) - table.totals
        head = filled("<thead>{}</thead>", self._row(table.header, table, "th")) if any(table.header) else ""
        foot = filled("<tfoot>{}</tfoot>", self._rows(table.rows[body:], table)) if table.totals else ""
        caption = filled("<caption>{}</caption>", self.prose(table.caption)) if table.caption else ""
        note = filled('<p class="note">{}</p>', self.prose(table.note)) if table.note else ""
        frame = '<div class="table"><div class="wide"><table>{}{}<tbody>{}</tbody>{}</table></div>{}</div>'
        return filled(frame, caption, head, self._rows(table.rows[:body], table), foot, note)

    def _rows(self, rows: Sequence[Sequence[Prose]], table: Table) -> Markup:
        return Markup("").join(self._row(row, table, "td") for row in rows)

    def _row(self, row: Sequence[Prose], table: Table, cell: str) -> Markup:
        frame = CELLS[cell]
        cells = (filled(frame, side, self.prose(each)) for each, side in zip(row, table.columns, strict=True))
        return filled("<tr>{}</tr>\n", Markup("").join(cells))

    def figure(self, figure: Figure) -> Markup:
        drawn = inert(figure.svg, figure.alternative)
        frame = '<figure><div class="wide">{}</div><figcaption>{}</figcaption></figure>'
        return filled(frame, drawn, self.prose(figure.caption))

    def code(self, code: Code) -> Markup:
        told = coloured(code.text) if code.language == "python" else escape(code.text)
        block = filled('<pre class="wide"><code>{}</code></pre>', told)
        if not code.name:
            return block
        state = " open" if code.text.count("\n") <= LONG else ""
        return filled(f"<details{state}><summary>{{}}</summary>{{}}</details>", code.name, block)

    def algorithm(self, algorithm: Algorithm) -> Markup:
        lines = Markup("").join(map(self._instruction, algorithm.lines))
        frame = '<div class="algorithm"><p class="head"><strong>Algorithm.</strong> {}</p><ol start="{}">{}</ol></div>'
        return filled(frame, self.prose(algorithm.title), algorithm.start, lines)

    def exercise(self, exercise: Exercise) -> Markup:
        """The task, and its solution to unfold."""
        frame = (
            '<div class="exercise" id="{}"><p><strong>Exercise {}.</strong> {}</p>'
            '<details class="solution"><summary>Show</summary>{}</details></div>'
        )
        place = slug(place_of(exercise).name)
        return filled(frame, place, exercise.number, self.prose(exercise.task), self.body(exercise.solution))

    def _instruction(self, line: Instruction) -> Markup:
        below = displayed("aligned", line.equations) if line.equations else ""
        return filled('<li class="depth-{}">{}{}</li>\n', line.depth, self.prose(line.words), below)


class SlideMedium(HtmlMedium):
    """Slides: no equation has a number."""

    def display(self, display: Display) -> Markup:
        return displayed("aligned", display.equations)


def displayed(environment: str, equations: Sequence[Lines]) -> Markup:
    r"""One display; each equation of an `align` is numbered at its last line."""
    mark = rf" \notag{BREAK}" if environment == "align" else BREAK
    lines = BREAK.join(mark.join(lines) for lines in equations)
    source = f"\\begin{{{environment}}}\n{lines}\n\\end{{{environment}}}"
    return filled('<div class="display wide"><code class="tex">{}</code></div>', source)


# code ------------------------------------------------------------------------------------------------


def coloured(text: str) -> Markup:
    """Python with its keywords, strings and comments marked; any other text as it stands."""
    try:
        return Markup("").join(_pieces(text))
    except (tokenize.TokenError, SyntaxError):
        return escape(text)


def _pieces(text: str) -> Iterator[Markup]:
    lines = text.splitlines(keepends=True)
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    done = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = _kind(token)
        if kind:
            start, end = (offsets[row - 1] + column for row, column in (token.start, token.end))
            yield escape(text[done:start])
            yield filled('<span class="{}">{}</span>', kind, text[start:end])
            done = end
    yield escape(text[done:])


def _kind(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME:
        return "kw" if keyword.iskeyword(token.string) else ""
    return {tokenize.STRING: "str", tokenize.COMMENT: "com"}.get(token.type, "")


# what a page carries -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Assets:
    """Style and script of a page, and the policy that lets nothing else act."""

    style: str
    script: str

    @property
    def policy(self) -> str:
        rules = (
            "default-src 'none'",
            f"style-src '{_hash(self.style)}'",
            f"script-src '{_hash(self.script)}'",
            "font-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
        return "; ".join(rules)


SHARED_POLICY = (
    "default-src 'none'; style-src 'self' file:; script-src 'self' file:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)


@cache
def assets() -> Assets:
    """KaTeX with the fonts that reports use, inlined, and our own style and script."""
    licence = f"/*! KaTeX {KATEX}\n\n{text_of('katex/LICENSE').strip()}\n*/\n"
    script = licence + text_of("katex/katex.min.js").strip() + "\n" + text_of("report.js").strip()
    assert "</script" not in script
    return Assets(
        _fonts(text_of("katex/katex.min.css").strip()) + "\n" + text_of("report.css").strip(), script
    )


def _fonts(style: str) -> str:
    """The faces that are shipped, each as a data address; the others go."""
    faces, rest = [], style
    while (start := rest.find("@font-face{")) >= 0:
        end = rest.index("}", start) + 1
        faces.append(rest[start:end])
        rest = rest[:start] + rest[end:]
    return "".join(face for each in faces if (face := _face(each))) + rest


def _face(rule: str) -> str:
    head, _, sources = rule.partition("src:url(")
    data = bytes_of(f"katex/{sources.partition(')')[0]}")
    if data is None:
        return ""
    return f'{head}src:url(data:font/woff2;base64,{b64encode(data).decode()}) format("woff2")}}'


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def framed(template: str, *, shared: str | None, back: str | None, **context: Any) -> str:
    """A page with its assets inside, or beside it where `shared` names them."""
    carried = assets()
    return render(
        template,
        shared=shared,
        back=back,
        policy=SHARED_POLICY if shared else carried.policy,
        style=Markup(carried.style),  # noqa: S704  our own files
        script=Markup(carried.script),  # noqa: S704
        katex=KATEX,
        **context,
    )
