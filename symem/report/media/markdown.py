"""Markdown with formulas between dollars, as GitHub and notebooks read it.

A drawing is told in words, with the numbers behind it as a table: a text is read where nothing draws.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from symem.report.document import (
    Algorithm,
    Anchor,
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
    Table,
    Term,
    Typed,
)
from symem.report.exercises import place_of
from symem.report.media.medium import Medium, slug

OPENED = "<details>\n<summary>Show</summary>"
RULES = {"l": ":--", "c": ":-:", "r": "--:"}


class MarkdownMedium(Medium):
    """Whatever has a meaning in Markdown or HTML is escaped in words."""

    special = str.maketrans({each: f"\\{each}" for each in r"\`*_{}[]<>#|$~&"} | {"\n": " "})

    def words(self, words: str) -> str:
        return words.translate(self.special)

    def maths(self, maths: Maths) -> str:
        return f"${unmarked(maths.latex)}$"

    def mark(self, mark: Mark) -> str:
        return self._led(f"*{self.words(mark.words)}*", mark.anchor)

    def anchor(self, anchor: Anchor) -> str:
        return f'<a id="{slug(anchor.name)}"></a>'

    def link(self, link: Link) -> str:
        return self._led(self.words(link.words), link.anchor)

    def _led(self, words: str, anchor: str) -> str:
        return f"[{words}](#{slug(anchor)})" if anchor else words

    def term(self, term: Term) -> str:
        return f"*{self.words(term.words)}*"

    def typed(self, typed: Typed) -> str:
        """Between marks longer than any within; nothing is escaped there."""
        words = typed.words.replace("\n", " ")
        fence = "`" * (1 + max(map(len, re.findall("`+", words)), default=0))
        return f"{fence} {words} {fence}" if "`" in words else f"{fence}{words}{fence}"

    def display(self, display: Display) -> str:
        return aligned(display.equations)

    def items(self, items: Items) -> str:
        marks = (f"{number}." if items.ordered else "-" for number in range(1, len(items.entries) + 1))
        return "\n".join(
            f"{mark} {self.prose(entry)}" for mark, entry in zip(marks, items.entries, strict=True)
        )

    def table(self, table: Table) -> str:
        body = len(table.rows) - table.totals
        rows = [
            self._row([f"**{cell}**" if number >= body and cell else cell for cell in map(self.prose, row)])
            for number, row in enumerate(table.rows)
        ]
        head = [self._row(list(map(self.prose, table.header))), self._row([RULES[c] for c in table.columns])]
        parts = (self.prose(table.caption), "\n".join([*head, *rows]), self.prose(table.note))
        return "\n\n".join(part for part in parts if part)

    def _row(self, cells: Sequence[str]) -> str:
        return f"| {' | '.join(cells)} |"

    def figure(self, figure: Figure) -> str:
        told = f"*{self.prose(figure.caption)}* {self.words(figure.alternative)}"
        return told if figure.instead is None else f"{told}\n\n{self.table(figure.instead)}"

    def code(self, code: Code) -> str:
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", code.text)), 0)
        return f"{fence}{slug(code.language)}\n{code.text.rstrip()}\n{fence}"

    def algorithm(self, algorithm: Algorithm) -> str:
        return "\n".join([f"> **Algorithm.** {self.prose(algorithm.title)}", ">", *self._lines(algorithm)])

    def exercise(self, exercise: Exercise) -> str:
        """The task, and its solution to unfold; an empty line lets what is inside be Markdown."""
        task = f"{self.anchor(place_of(exercise))}**Exercise {exercise.number}.** {self.prose(exercise.task)}"
        return f"{task}\n\n{OPENED}\n\n{self.body(exercise.solution)}\n\n</details>"

    def _lines(self, algorithm: Algorithm) -> Iterator[str]:
        for number, line in enumerate(algorithm.lines, start=1):
            yield from (f"> {told}" for told in self._instruction(number, line).splitlines())

    def _instruction(self, number: int, line: Instruction) -> str:
        told = f"{number}. {' ' * 3 * line.depth}{self.prose(line.words)}".rstrip()
        indented = "\n".join(f"   {each}" for each in aligned(line.equations).splitlines())
        return f"{told}\n\n{indented}\n" if line.equations else told


def aligned(equations: Sequence[Lines]) -> str:
    lines = " \\\\\n".join(unmarked(line) for lines in equations for line in lines)
    return f"$$\n\\begin{{aligned}}\n{lines}\n\\end{{aligned}}\n$$"


def unmarked(latex: str) -> str:
    """A formula without the signs that HTML or a table would take for its own."""
    return latex.replace(r"\|", r"\Vert ").replace("<", r"\lt ").replace("|", r"\vert ")
