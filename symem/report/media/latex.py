"""LaTeX that a plain TeX sets: amsmath and amssymb; links only where the document has hyperref.

A drawing is set by TeX itself (`picture`), for no package that draws is part of a plain TeX.
Code is set line by line as escaped text, for a verbatim environment could be closed by what it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

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
from symem.report.line_breaking import LINE, abreast, width
from symem.report.media.medium import Medium, slug, starts
from symem.report.media.picture import picture
from symem.report.notation.letters import escape


class LatexMedium(Medium):
    """A display belongs to the paragraph before it, so no empty line stands between them; no page ends within an equation."""

    def body(self, blocks: Sequence[Block]) -> str:
        if not blocks:
            return ""
        gaps = ["", *(_gap(before, block) for before, block in pairwise(blocks))]
        return "".join(gap + self.block(block) for gap, block in zip(gaps, blocks, strict=True))

    def words(self, words: str) -> str:
        """Escaped; what follows a line break or an item must not be taken for its argument."""
        return escape(words).replace("[", "{[}").replace("*", "{*}")

    def maths(self, maths: Maths) -> str:
        return f"${maths.latex}$"

    def mark(self, mark: Mark) -> str:
        return self._led(rf"\textsc{{{self.words(mark.words)}}}", mark.anchor)

    def anchor(self, anchor: Anchor) -> str:
        return rf"\hypertarget{{{slug(anchor.name)}}}{{}}"

    def link(self, link: Link) -> str:
        return self._led(self.words(link.words), link.anchor)

    def term(self, term: Term) -> str:
        return rf"\emph{{{self.words(term.words)}}}"

    def typed(self, typed: Typed) -> str:
        return rf"\texttt{{{self.words(typed.words)}}}"

    def _led(self, words: str, anchor: str) -> str:
        return rf"\hyperlink{{{slug(anchor)}}}{{{words}}}" if anchor else words

    def display(self, display: Display) -> str:
        told = abreast(display.equations)
        equations = [" \\notag \\\\*\n".join(f"  {line}" for line in lines) for lines in told]
        return "\\begin{align}\n" + " \\\\\n".join(equations) + "\n\\end{align}"

    def items(self, items: Items) -> str:
        kind = "enumerate" if items.ordered else "itemize"
        entries = "\n".join(rf"  \item {self.prose(entry)}" for entry in items.entries)
        close = r"\setlength{\itemsep}{0pt}\setlength{\parskip}{0pt}"
        return f"\\begin{{{kind}}}{close}\n{entries}\n\\end{{{kind}}}"

    def table(self, table: Table) -> str:
        rows = [self._row(row) for row in table.rows]
        above, below = _parted(rows, table.totals)
        lines = [
            *_smaller(table),
            rf"\renewcommand{{\arraystretch}}{{1.2}}\begin{{tabular}}{{{table.columns}}}",
            r"\hline",
            *([self._row(table.header), r"\hline"] if any(table.header) else []),
            *above,
            *([r"\hline", *below] if below else []),
            r"\hline",
            r"\end{tabular}",
        ]
        return self._floating("\n".join(lines), table.caption, table.note)

    def _row(self, row: Sequence[Prose]) -> str:
        """Cells side by side; where one holds a fraction, there is room for it."""
        cells = " & ".join(map(self.prose, row)) + r" \\"
        high = cells.replace(r"\frac", r"\dfrac")
        return rf"\rule[-2.8ex]{{0pt}}{{7ex}}{high}" if high != cells else cells

    def _floating(self, body: str, caption: Prose, note: Prose = ()) -> str:
        head = [rf"{{\small {self.prose(caption)}\par\nopagebreak\smallskip}}"] if caption else []
        foot = [rf"\par\smallskip{{\footnotesize {self.prose(note)}\par}}"] if note else []
        return "\n".join([r"\begin{center}\small", *head, body, *foot, r"\end{center}"])

    def figure(self, figure: Figure) -> str:
        """Drawn by TeX, and told in words and numbers for those who cannot see it."""
        drawn = f"\\begin{{center}}\\small\n{picture(figure.svg)}\n\\par\\nopagebreak\\smallskip\n"
        told = f"{drawn}{{\\small {self.prose(figure.caption)}\\par}}\n\\end{{center}}"
        return told if figure.instead is None else f"{told}\n{self.table(figure.instead)}"

    def code(self, code: Code) -> str:
        lines = [_typed(line) for line in code.text.splitlines()]
        head = [rf"\textit{{{escape(code.name)}}}\par\smallskip"] if code.name else []
        start = r"\par\medskip{\parindent=0pt \parskip=0pt \raggedright \frenchspacing"
        return "\n".join(
            [start, *head, r"\scriptsize\ttfamily\everypar{\hangindent=6em}", *lines, r"}\medskip"]
        )

    def algorithm(self, algorithm: Algorithm) -> str:
        lines = [
            r"\par\medskip\hrule\nopagebreak\smallskip",
            rf"\textbf{{Algorithm.}} {self.prose(algorithm.title)}",
        ]
        lines += [r"\par\nopagebreak\smallskip\hrule\nopagebreak\smallskip", r"\begin{enumerate}"]
        lines += [rf"\setcounter{{enumi}}{{{algorithm.start - 1}}}"] if algorithm.start > 1 else []
        lines += [self._instruction(each) for each in algorithm.lines]
        return "\n".join([*lines, r"\end{enumerate}", r"\hrule\medskip"])

    def exercise(self, exercise: Exercise) -> str:
        """The task; its solution stands in the last part of the document."""
        head = rf"\textbf{{Exercise {exercise.number}.}} {self.prose(exercise.task)}"
        solution = f"\n\n{self.body(exercise.solution)}" if exercise.solution else ""
        return self.anchor(place_of(exercise)) + head + solution

    def _instruction(self, line: Instruction) -> str:
        moved = rf"\hspace*{{{1.5 * line.depth}em}}" if line.depth else ""
        told = rf"  \item {moved}{self.prose(line.words)}"
        return f"{told}\n{_unnumbered(line.equations)}" if line.equations else told


class BeamerMedium(LatexMedium):
    """Slides: no equation has a number, and no mark leads to what is not on them."""

    def display(self, display: Display) -> str:
        return _unnumbered(display.equations)

    def _led(self, words: str, anchor: str) -> str:
        return words

    def anchor(self, anchor: Anchor) -> str:
        return ""


def _smaller(table: Table) -> list[str]:
    """Letters so small that a wide table stays on the page, by an estimate of its width."""
    cells = [*([table.header] if any(table.header) else []), *table.rows]
    columns = [max(map(_breadth, column)) for column in zip(*cells, strict=True)]
    whole = sum(columns) + 2.2 * len(columns)
    size = next((size for room, size in SIZES if whole <= room * LINE), r"\tiny")
    return [rf"{size}\setlength{{\tabcolsep}}{{3pt}}\setlength{{\arraycolsep}}{{2pt}}"] if size else []


#: How much wider than a line a table may be that is set in these letters; all are set in small ones.
SIZES = ((1.0, ""), (1.12, r"\footnotesize"), (1.3, r"\scriptsize"))


def _breadth(cell: Prose) -> float:
    return sum(
        width(part.latex) if isinstance(part, Maths) else float(len(part))
        for part in cell
        if isinstance(part, str | Maths)
    )


def _gap(before: Block, block: Block) -> str:
    """An empty line where a paragraph ends."""
    continues = isinstance(block, Display) or (isinstance(before, Display) and not starts(block))
    return "\n" if continues else "\n\n"


def _parted(rows: list[str], totals: int) -> tuple[list[str], list[str]]:
    return rows[: len(rows) - totals], rows[len(rows) - totals :]


def _unnumbered(equations: Sequence[Lines]) -> str:
    lines = [f"  {line}" for equation in abreast(equations) for line in equation]
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


def _typed(line: str) -> str:
    """A line of code: its spaces kept, everything else escaped; where it is too long it goes on below, moved in."""
    words = line.expandtabs().rstrip()
    inner = words.lstrip(" ")
    told = r"\ ".join(escape(word) for word in inner.split(" "))
    return rf"\mbox{{}}{'~' * (len(words) - len(inner))}{told}\par"
