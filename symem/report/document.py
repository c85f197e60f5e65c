"""What a report is made of, for any medium: sections, sentences, lists, displays, tables, figures, code.

Formulas are LaTeX, which every medium of ours understands; words are plain text, which each medium escapes
for itself. A figure is SVG that draws with presentation attributes and classes only; it always comes with the
words that say the same, and with the numbers behind it where there are some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symem.derivation import Status

# in a line of text -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Maths:
    """A formula that stands in a line of text."""

    latex: str


@dataclass(frozen=True)
class Mark:
    """How far a claim was established, `times` over; it leads to the certificate at `anchor`."""

    status: Status
    times: int | None = None
    anchor: str = ""

    @property
    def words(self) -> str:
        """
        >>> Mark(Status.CHECKED, 12).words, Mark(Status.PROVED).words
        ('checked 12 times', 'proved')
        """
        return f"{self.status.value} {self.times} times" if self.times is not None else self.status.value


@dataclass(frozen=True)
class Anchor:
    """A place that marks and links lead to; it shows nothing. Names are lower-case words joined by hyphens."""

    name: str


@dataclass(frozen=True)
class Link:
    """Words that lead to an anchor of the same report."""

    words: str
    anchor: str


@dataclass(frozen=True)
class Term:
    """A word that is being defined, or the name of a law."""

    words: str


@dataclass(frozen=True)
class Typed:
    """Words that a reader may type as they stand."""

    words: str


Part = str | Maths | Mark | Anchor | Link | Term | Typed
Prose = tuple[Part, ...]
Lines = tuple[str, ...]

# blocks ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Display:
    """Equations, each a tuple of lines with an alignment mark."""

    equations: tuple[Lines, ...]


@dataclass(frozen=True)
class Items:
    """A list; `ordered` where its entries are steps."""

    entries: tuple[Prose, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Table:
    """Cells of prose under a header; numbers are words that the content has rounded.

    `align` holds l, c or r for each column (right where it is empty); the last `totals` rows stand below a line.
    """

    header: tuple[Prose, ...]
    rows: tuple[tuple[Prose, ...], ...]
    caption: Prose = ()
    note: Prose = ()
    align: str = ""
    totals: int = 0

    @property
    def columns(self) -> str:
        return self.align or "r" * len(self.header)


@dataclass(frozen=True)
class Figure:
    """A drawing, the words that say what it shows, and what to set where nothing can be drawn."""

    svg: str
    caption: Prose
    alternative: str
    instead: Table | None = None


@dataclass(frozen=True)
class Code:
    """Text of a program, set as it stands; `name` is what a reader would call its file."""

    language: str
    text: str
    name: str = ""


@dataclass(frozen=True)
class Instruction:
    """A line of an algorithm: words, then equations below them, moved in `depth` times."""

    words: Prose
    depth: int = 0
    equations: tuple[Lines, ...] = ()


@dataclass(frozen=True)
class Algorithm:
    """Numbered instructions in a box; the first number is another where it goes on."""

    title: Prose
    lines: tuple[Instruction, ...]
    start: int = 1


@dataclass(frozen=True)
class Exercise:
    """A task in words, and the blocks that do it; `number` where they are hidden."""

    task: Prose
    solution: tuple[Block, ...]
    number: int = 0


Block = Prose | Display | Items | Table | Figure | Code | Algorithm | Exercise


@dataclass(frozen=True)
class Section:
    """A numbered heading and what stands under it; prose is a bare tuple.

    Without an anchor of its own a section gets one from its title.
    """

    title: Prose
    blocks: tuple[Block, ...]
    level: int = 1
    anchor: str = ""


def said(words: str, *formulas: str) -> Prose:
    """A sentence in which each @ stands for a formula.

    >>> said("for @ in @", "i", "I")
    ('for ', Maths(latex='i'), ' in ', Maths(latex='I'), '')
    """
    first, *rest = words.split("@")
    parts: list[Part] = [first]
    for formula, words_after in zip(formulas, rest, strict=True):
        parts += [Maths(formula), words_after]
    return tuple(parts)


def listed(formulas: Sequence[str]) -> Prose:
    """Formulas in a row: a, b and c."""
    *front, last = formulas
    return said(", ".join("@" * len(front)) + " and @" if front else "@", *front, last)
