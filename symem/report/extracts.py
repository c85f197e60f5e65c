"""Parts of a report by themselves, in Markdown, as the documentation shows them: a formula, a step in words and in lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr

from symem.derivation import Derivation, Relation, Rule, Step
from symem.report.figures.plate_diagram import plate_diagram
from symem.report.line_breaking import LINE, width
from symem.report.media.drawing import inert
from symem.report.media.markdown import MarkdownMedium
from symem.report.media.medium import pages
from symem.report.notation.lexicon import Lexicon, Rank
from symem.report.notation.notation import latex
from symem.report.notation.printed_form import printed
from symem.report.sections.catalogue import in_brief
from symem.report.sections.kinds_of_latents import kind_of_latents
from symem.report.sentence import formula, mathematics, sentence
from symem.report.writer import Voice

_MEDIUM = MarkdownMedium()
#: Laws that say something of themselves, without a line before and a line after.
_ALONE = {Relation.MAXIMISER, Relation.CLIMBS}
#: How the line after stands to the line before.
_SIGNS = dict.fromkeys((Relation.EQUAL, Relation.AT_THE_UPDATE, Relation.VANISHES), "= ")


def formula_of(expr: Expr, parameters: Iterable[str] = ()) -> str:
    """A formula in TeX, in which these letters are parameters."""
    return latex(expr, Lexicon(ranks=dict.fromkeys(parameters, Rank.PARAMETER)))


def formula_of_law(law: Rule) -> str:
    """What a law says as a formula in TeX; the letter X is the parameter."""
    return mathematics(law.formula.replace("{parameter}", "𝐗"))


@dataclass(frozen=True)
class Extracts:
    """The steps of one derivation, each as a report tells it."""

    derivation: Derivation

    @cached_property
    def _voice(self) -> Voice:
        return Voice(self.derivation)

    def sentence(self, step: Step) -> str:
        """What its law says of it, without the sign that ends a sentence."""
        return _MEDIUM.prose(sentence((step,), self._voice)).strip().rstrip(":.,")

    def lines(self, step: Step) -> str:
        """The line before and the line after, or the formula that the law itself says; empty where there is neither."""
        if step.law.formula:
            return _MEDIUM.block(formula(step, self._voice))
        if step.law.relation in _ALONE:
            return ""
        lexicon = (self._voice.now if step.stage == "E-step" else self._voice.free).within(step.axes)
        before, after = (
            latex(printed(each), lexicon).replace("|", r"\vert ") for each in (step.before, step.after)
        )
        sign = _SIGNS.get(step.law.relation, r"\;\longrightarrow\; ")
        apart = r" \\" if width(before) + width(after) > LINE / 2 else ""
        lines = before if before == after else f"& {before}{apart}\n{'& ' if apart else ''}{sign}{after}"
        return f"$$\n\\begin{{aligned}}\n{lines}\n\\end{{aligned}}\n$$"


def card(derivation: Derivation) -> tuple[str, tuple[tuple[str, str], ...], str]:
    """For a gallery: the kind of its latents, the model and both steps in Markdown with their titles, the drawing of its
    plates.
    """
    voice = Voice(derivation)
    told = tuple((page.title, page.body) for page in pages(in_brief(voice), MarkdownMedium()))
    return (
        kind_of_latents(derivation),
        told,
        str(inert(plate_diagram(derivation, voice.free), "The model as plates")),
    )
