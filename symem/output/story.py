"""What a report is made of, for any medium: sections, sentences, lists and displays.

Formulas are LaTeX, which every medium of ours understands; words are plain text, which each medium escapes
for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr

from symem.derivation import Definition, Derivation
from symem.language.model import Model
from symem.output.layout import broken
from symem.output.lexicon import Lexicon
from symem.output.matrix_reading import matrix_valued
from symem.output.matrix_updates import named_moments
from symem.output.meanings import Meanings
from symem.output.notation import letter
from symem.output.reading import printed


@dataclass(frozen=True)
class Maths:
    """A formula that stands in a line of text."""

    latex: str


Prose = tuple[str | Maths, ...]
Lines = tuple[str, ...]


@dataclass(frozen=True)
class Display:
    """Equations, each a tuple of lines with an alignment mark."""

    equations: tuple[Lines, ...]


@dataclass(frozen=True)
class Items:
    """A list; `ordered` where its entries are steps."""

    entries: tuple[Prose, ...]
    ordered: bool = False


Block = Prose | Display | Items


@dataclass(frozen=True)
class Section:
    """A numbered heading and what stands under it; prose is a bare tuple."""

    title: Prose
    blocks: tuple[Block, ...]
    level: int = 1


def said(words: str, *formulas: str) -> Prose:
    """A sentence in which each @ stands for a formula.

    >>> said("for @ in @", "i", "I")
    ('for ', Maths(latex='i'), ' in ', Maths(latex='I'), '')
    """
    first, *rest = words.split("@")
    parts: list[str | Maths] = [first]
    for formula, words_after in zip(formulas, rest, strict=True):
        parts += [Maths(formula), words_after]
    return tuple(parts)


def listed(formulas: Sequence[str]) -> Prose:
    """Formulas in a row: a, b and c."""
    *front, last = formulas
    return said(", ".join("@" * len(front)) + " and @" if front else "@", *front, last)


class Voice:
    """How this derivation is spoken of: `now` prints parameters as θ^(t), `new` as θ^(t+1), `free` as θ."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.model: Model = derivation.model
        self.free = Lexicon.of(derivation)
        self.meanings = Meanings.of(derivation)
        self.now = self.free.marked("t")
        self.new = self.free.marked("t+1")
        heads = {self.free.label(name).head for name in self.model.variables}
        self.theta = r"\vartheta" if "theta" in heads else r"\theta"

    def at(self, mark: str) -> str:
        return f"{self.theta}^{{({mark})}}"

    @property
    def surrogate(self) -> str:
        return rf"Q({self.theta} \mid {self.at('t')})"

    def name(self, expr: Expr) -> str:
        return letter(expr, self.free)

    def equation(self, left: str, right: Expr, lexicon: Lexicon, tail: str = "") -> Lines:
        return tuple(broken(left, printed(right), lexicon, tail=tail))

    def definition(self, definition: Definition, lexicon: Lexicon) -> Lines:
        scope = lexicon.within(definition.axes)
        value = named_moments(matrix_valued(definition.value, definition.symbol), self.meanings)
        return self.equation(letter(definition.symbol, scope), value, scope)

    def definitions(self, definitions: Sequence[Definition], lexicon: Lexicon) -> Display:
        return Display(tuple(self.definition(each, lexicon) for each in definitions))
