"""What every medium knows how to set: the parts of a line, and the blocks of a section."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symem.report.document import (
    Algorithm,
    Anchor,
    Block,
    Code,
    Display,
    Exercise,
    Figure,
    Items,
    Link,
    Mark,
    Maths,
    Part,
    Prose,
    Section,
    Table,
    Term,
    Typed,
)


@dataclass(frozen=True)
class Page:
    """A section ready to be framed; `number` is 2 or 2.1, `named` whether the content itself gave the anchor."""

    title: str
    level: int
    body: str
    anchor: str
    number: str
    named: bool


class Medium(ABC):
    """How words, formulas and blocks are set; a medium escapes what it is given, always."""

    def prose(self, prose: Prose) -> str:
        return "".join(map(self.part, prose))

    def part(self, part: Part) -> str:
        match part:
            case str():
                return self.words(part)
            case Maths():
                return self.maths(part)
            case Mark():
                return self.mark(part)
            case Anchor():
                return self.anchor(part)
            case Link():
                return self.link(part)
            case Term():
                return self.term(part)
            case Typed():
                return self.typed(part)

    def body(self, blocks: Sequence[Block]) -> str:
        return "\n\n".join(map(self.block, blocks))

    def block(self, block: Block) -> str:
        match block:
            case Display():
                return self.display(block)
            case Items():
                return self.items(block)
            case Table():
                return self.table(block)
            case Figure():
                return self.figure(block)
            case Code():
                return self.code(block)
            case Algorithm():
                return self.algorithm(block)
            case Exercise():
                return self.exercise(block)
            case _:
                return self.paragraph(block)

    def paragraph(self, prose: Prose) -> str:
        return self.prose(prose)

    @abstractmethod
    def words(self, words: str) -> str: ...

    @abstractmethod
    def maths(self, maths: Maths) -> str: ...

    @abstractmethod
    def mark(self, mark: Mark) -> str: ...

    @abstractmethod
    def anchor(self, anchor: Anchor) -> str: ...

    @abstractmethod
    def link(self, link: Link) -> str: ...

    @abstractmethod
    def term(self, term: Term) -> str: ...

    @abstractmethod
    def typed(self, typed: Typed) -> str: ...

    @abstractmethod
    def display(self, display: Display) -> str: ...

    @abstractmethod
    def items(self, items: Items) -> str: ...

    @abstractmethod
    def table(self, table: Table) -> str: ...

    @abstractmethod
    def figure(self, figure: Figure) -> str: ...

    @abstractmethod
    def code(self, code: Code) -> str: ...

    @abstractmethod
    def algorithm(self, algorithm: Algorithm) -> str: ...

    @abstractmethod
    def exercise(self, exercise: Exercise) -> str: ...


def pages(sections: Sequence[Section], medium: Medium) -> tuple[Page, ...]:
    """Every section set by the medium, with its number and its anchor."""
    marks = zip(sections, numbers(sections), anchors(sections), strict=True)
    return tuple(
        Page(
            medium.prose(section.title),
            section.level,
            medium.body(section.blocks),
            anchor,
            number,
            named=bool(section.anchor),
        )
        for section, number, anchor in marks
    )


def numbers(sections: Sequence[Section]) -> Iterator[str]:
    """1, 2, 2.1, 2.2, 3, … by the levels."""
    counts: list[int] = []
    for section in sections:
        counts = [*counts, *[0] * section.level][: section.level]
        counts[-1] += 1
        yield ".".join(map(str, counts))


def anchors(sections: Sequence[Section]) -> Iterator[str]:
    """A name of each section that no other has."""
    taken: set[str] = set()
    for section in sections:
        name = slug(section.anchor or wording(section.title))
        free = (
            name if name not in taken else next(n for k in range(2, 999) if (n := f"{name}-{k}") not in taken)
        )
        taken.add(free)
        yield free


def wording(prose: Prose) -> str:
    """A line of text without its markup: formulas as their letters."""
    return "".join(
        part.latex
        if isinstance(part, Maths)
        else part
        if isinstance(part, str)
        else getattr(part, "words", "")
        for part in prose
    )


def slug(words: str) -> str:
    r"""Lower-case words joined by hyphens, whatever was there.

    >>> slug(r"The update of \mu_{k}"), slug("</script>"), slug("…")
    ('the-update-of-mu-k', 'script', 'section')
    """
    return "-".join(re.findall(r"[a-z0-9]+", words.lower())) or "section"


def starts(block: Block) -> bool:
    """Whether a block begins a paragraph: prose with a capital, or anything that is neither prose nor display."""
    if isinstance(block, tuple):
        first = next((part for part in block if not isinstance(part, Anchor)), "")
        return isinstance(first, str) and first[:1].isupper()
    return not isinstance(block, Display)
