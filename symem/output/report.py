"""A derivation told as a report: LaTeX that a plain TeX compiles, Markdown, and a page for the terminal.

The story comes from `narrative`; a medium knows how to set its words, lists and displays; the frames are
templates. Nothing is derived here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from symem.derivation import Definition, Derivation, Status
from symem.output.lexicon import Lexicon
from symem.output.matrix_reading import matrix_valued
from symem.output.matrix_updates import named_moments
from symem.output.meanings import Meanings
from symem.output.naming import escape
from symem.output.narrative import tell
from symem.output.notation import plain, plain_letter
from symem.output.reading import by_outcome, over_common_denominators, printed, written_out
from symem.output.story import Block, Display, Items, Maths, Prose, Voice
from symem.output.telling_m import solved
from symem.output.templating import render


def latex(derivation: Derivation) -> str:
    """The whole derivation as a LaTeX document; needs amsmath, amssymb and geometry, no shell escape."""
    return render("report.tex.j2", sections=_pages(derivation, LatexMedium()), title=_title(derivation))


def latex_fragment(derivation: Derivation) -> str:
    r"""The sections alone, to be `\input` in a document that loads amsmath and amssymb."""
    return render("fragment.tex.j2", sections=_pages(derivation, LatexMedium()))


def markdown(derivation: Derivation) -> str:
    """The whole derivation in Markdown, with formulas between dollars."""
    return render("report.md.j2", sections=_pages(derivation, MarkdownMedium()), title=_title(derivation))


def text(derivation: Derivation) -> str:
    """Model, E-step, updates and certificates on one page of plain Unicode."""
    return render("report.txt.j2", **_summary(derivation))


def formulas(derivation: Derivation) -> str:
    """The updates as one display, for a notebook: what MathJax can show."""
    lines = [line for update in derivation.updates for line in solved(update, Voice(derivation))]
    return "$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$"


def updates(derivation: Derivation) -> str:
    """The M-step alone, one line for each parameter."""
    return render("updates.txt.j2", updates=tuple(_updates(derivation, Lexicon.of(derivation))))


# media -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """A section ready to be framed."""

    title: str
    level: int
    body: str


class Medium(ABC):
    """How words, lists and displays are set."""

    @abstractmethod
    def words(self, words: str) -> str: ...

    @abstractmethod
    def display(self, display: Display) -> str: ...

    @abstractmethod
    def items(self, items: Items) -> str: ...

    def prose(self, prose: Prose) -> str:
        return "".join(f"${each.latex}$" if isinstance(each, Maths) else self.words(each) for each in prose)

    def body(self, blocks: Sequence[Block]) -> str:
        return "\n\n".join(self.block(block) for block in blocks)

    def block(self, block: Block) -> str:
        if isinstance(block, Display):
            return self.display(block)
        return self.items(block) if isinstance(block, Items) else self.prose(block)


class LatexMedium(Medium):
    """LaTeX; a display belongs to the paragraph before it, so no empty line stands between them."""

    def body(self, blocks: Sequence[Block]) -> str:
        gaps = ["", *(_gap(before, block) for before, block in pairwise(blocks))]
        return "".join(gap + self.block(block) for gap, block in zip(gaps, blocks, strict=True))

    def words(self, words: str) -> str:
        return escape(words)

    def display(self, display: Display) -> str:
        equations = [" \\notag \\\\\n".join(f"  {line}" for line in lines) for lines in display.equations]
        return "\\begin{align}\n" + " \\\\\n".join(equations) + "\n\\end{align}"

    def items(self, items: Items) -> str:
        kind = "enumerate" if items.ordered else "itemize"
        entries = "\n".join(rf"  \item {self.prose(entry)}" for entry in items.entries)
        return f"\\begin{{{kind}}}\n{entries}\n\\end{{{kind}}}"


class MarkdownMedium(Medium):
    """Markdown with formulas between dollars."""

    special = str.maketrans({each: f"\\{each}" for each in r"\`*_{}[]<>#|$"})

    def words(self, words: str) -> str:
        return words.translate(self.special)

    def display(self, display: Display) -> str:
        lines = " \\\\\n".join(line for lines in display.equations for line in lines)
        return f"$$\n\\begin{{aligned}}\n{lines}\n\\end{{aligned}}\n$$"

    def items(self, items: Items) -> str:
        marks = (f"{number}." if items.ordered else "-" for number in range(1, len(items.entries) + 1))
        return "\n".join(
            f"{mark} {self.prose(entry)}" for mark, entry in zip(marks, items.entries, strict=True)
        )


def _gap(before: Block, block: Block) -> str:
    """An empty line where a paragraph ends."""
    continues = isinstance(block, Display) or (isinstance(before, Display) and not starts(block))
    return "\n" if continues else "\n\n"


def starts(block: Block) -> bool:
    """Whether a block begins a paragraph: prose with a capital, or a list."""
    first = block[0] if isinstance(block, tuple) and block else ""
    return isinstance(block, Items) or (isinstance(first, str) and first[:1].isupper())


def _pages(derivation: Derivation, medium: Medium) -> tuple[Page, ...]:
    return tuple(
        Page(medium.prose(section.title), section.level, medium.body(section.blocks))
        for section in tell(derivation)
    )


def _title(derivation: Derivation) -> str:
    return (
        "Derivation of a MAP-EM algorithm"
        if derivation.model.log_prior != 0
        else "Derivation of an EM algorithm"
    )


WIDE = 90


# terminal --------------------------------------------------------------------------------------------


def _summary(derivation: Derivation) -> dict[str, Any]:
    lexicon = Lexicon.of(derivation)
    return {
        "model": str(derivation.model),
        "e_step": tuple(_line(each, lexicon) for each in _e_step(derivation)),
        "log_likelihood": plain(printed(derivation.log_likelihood), lexicon),
        "statistics": tuple(
            _line(_named(each, derivation), lexicon) for each in derivation.surrogate.statistics
        ),
        "updates": tuple(_updates(derivation, lexicon)),
        "open": tuple(_claims(derivation, lexicon)),
        "not_derived": tuple(
            (", ".join(plain_letter(each, lexicon) for each in block.parameters), plain(block.term, lexicon))
            for block in derivation.not_derived
        ),
    }


def _e_step(derivation: Derivation) -> Iterator[Definition]:
    for posterior in derivation.posteriors:
        for definition in posterior.definitions:
            if definition is posterior.log_weight and posterior.outcome is not None:
                yield from by_outcome(definition, posterior.outcome)
            else:
                yield definition


def _named(statistic: Definition, derivation: Derivation) -> Definition:
    """A sum of ⟨zzᵀ⟩ by that name."""
    return replace(statistic, value=named_moments(statistic.value, Meanings.of(derivation)))


def _line(definition: Definition, lexicon: Lexicon) -> str:
    scope = lexicon.within(definition.axes)
    return f"{plain_letter(definition.symbol, scope)} = {plain(printed(matrix_valued(definition.value, definition.symbol)), scope)}"


def _updates(derivation: Derivation, lexicon: Lexicon) -> Iterator[str]:
    """Each update with its statistics written out, as far as that fits a line of a terminal."""
    for update in derivation.updates:
        scope = lexicon.within(update.definition.axes)
        written = plain(written_out(update, derivation), scope)
        short = plain(over_common_denominators(update.nested), scope)
        yield f"{plain_letter(update.parameter, scope)} = {written if len(written) <= WIDE else short}"


def _claims(derivation: Derivation, lexicon: Lexicon) -> Iterator[str]:
    """One line per update: what was proved, checked, or is open."""
    for certificate in derivation.certificates:
        found = {
            status.value: ", ".join(claim.name for claim in certificate.claims if claim.status is status)
            for status in Status
        }
        told = "; ".join(f"{status}: {names}" for status, names in found.items() if names)
        conditions = ", ".join(plain(condition, lexicon) for condition in certificate.conditions)
        yield f"{plain_letter(certificate.parameter, lexicon)}: {told}" + (
            f"; if {conditions}" if conditions else ""
        )
