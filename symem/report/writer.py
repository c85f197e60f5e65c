"""How a derivation is spoken of: its names in the letters a reader chose, at the old, the new or any parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sympy import Expr

from symem.derivation import Definition, Derivation
from symem.language.model import Model
from symem.report.document import Display, Lines
from symem.report.line_breaking import broken
from symem.report.notation.books import PACKS, lettered
from symem.report.notation.letters import Label
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.matrix_updates import named_moments
from symem.report.notation.moments import Meanings
from symem.report.notation.notation import letter
from symem.report.notation.plain_statistics import plainly
from symem.report.notation.printed_form import printed
from symem.report.notation.tails import ratios
from symem.report.notation.vector_forms import matrix_valued
from symem.report.options import PLAIN, Options


class Voice:
    """`now` prints parameters as θ^(t), `new` as θ^(t+1), `free` as θ; `start` and `first` as those of iteration one."""

    def __init__(self, derivation: Derivation, options: Options = PLAIN) -> None:
        self.derivation = plainly(derivation)
        self.options = options
        self.model: Model = derivation.model
        self.pack = PACKS[options.notation]
        self.meanings = Meanings.of(self.derivation)
        self.free = lettered(Lexicon.of(derivation), derivation, self.pack, options.rename)
        self.complete = completed(self.free, self.model)
        self.now, self.new = self.marked(self.pack.now), self.marked(self.pack.new)
        self.start, self.first = self.marked(self.pack.start), self.marked(self.pack.first)
        self.theta = self._together()

    def _together(self) -> str:
        """A letter for the parameters together; where there is one array of that letter, it is they."""
        letter = self.pack.theta.lstrip("\\")
        labels = {name: self.free.label(name) for name in self.model.variables}
        alone = len(self.model.parameters) == 1 and labels[self.model.parameters[0].name] == Label(letter)
        taken = any(label.head == letter for label in (*labels.values(), *self.free.diagonals.values()))
        return self.pack.other if taken and not alone else self.pack.theta

    def marked(self, mark: str) -> Lexicon:
        """The lexicon in which parameters carry a mark; expectations that have one of their own keep it."""
        marked = self.free.marked(mark)
        return replace(marked, marks={**self.free.marks, **marked.marks})

    def at(self, mark: str) -> str:
        """θ with a mark of the pack."""
        return f"{self.theta}^{{{raised(mark)}}}"

    @property
    def old(self) -> str:
        """θ^(t)."""
        return self.at(self.pack.now)

    @property
    def next(self) -> str:
        """θ^(t+1)."""
        return self.at(self.pack.new)

    @property
    def surrogate(self) -> str:
        return self.Q(self.theta)

    def Q(self, theta: str) -> str:
        """The surrogate at some θ, as the pack writes it."""
        return rf"Q({theta}{self.pack.given}{self.old})"

    def name(self, expr: Expr) -> str:
        return letter(expr, self.free)

    def equation(self, left: str, right: Expr, lexicon: Lexicon, tail: str = "") -> Lines:
        return tuple(broken(left, printed(right), lexicon, tail=tail))

    def definition(self, definition: Definition, lexicon: Lexicon) -> Lines:
        scope = lexicon.within(definition.axes)
        value = named_moments(matrix_valued(definition.value, definition.symbol), self.meanings)
        return self.equation(letter(definition.symbol, scope), ratios(value), scope)

    def definitions(self, definitions: Sequence[Definition], lexicon: Lexicon) -> Display:
        return Display(tuple(self.definition(each, lexicon) for each in definitions))


def completed(lexicon: Lexicon, model: Model) -> Lexicon:
    """The letters of vectors before it is said which entries were seen: x, where x^o has those alone."""
    whole = {
        str(v.seen[0].label): lexicon.label(v.name) for v in model.variables.values() if v.seen is not None
    }
    return replace(lexicon, labels={**lexicon.labels, **whole})


def raised(mark: str) -> str:
    r"""A mark as a superscript: in parentheses, unless it is a word.

    >>> raised("t"), raised(r"\mathrm{old}")
    ('(t)', '\\mathrm{old}')
    """
    return mark if mark.startswith("\\") else f"({mark})"
