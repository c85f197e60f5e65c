"""The index of a gallery: its models in groups, each with its statement, both steps, pictures, sources and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from symem.derivation import Derivation
from symem.report.document import Code, Display, Maths, Section, said
from symem.report.figures.chart_svg import svg
from symem.report.figures.plate_diagram import plate_diagram
from symem.report.fitted import Fitted
from symem.report.media import html as web
from symem.report.media.drawing import inert
from symem.report.media.medium import Page, pages, slug
from symem.report.sections.e_step_section import brief_e_step
from symem.report.sections.fit_section import over_data
from symem.report.sections.kinds_of_latents import kind_of_latents
from symem.report.sections.m_step_section import brief_m_step
from symem.report.sections.model_section import brief_model
from symem.report.writer import Voice


class CardMedium(web.HtmlMedium):
    """HTML in which no equation has a number: nothing leads to one."""

    def display(self, display: Display) -> Markup:
        return web.displayed("aligned", display.equations)


@dataclass(frozen=True)
class Card:
    """One model.

    Args:
        title: what the model is.
        page: the file of its report; `file` that of its statement, `module` that of its solver, None if there is none.
        derivation: its records.
        verified: what the ladder showed.
        estimate: the parameters of a fit and what it found, empty where there is none; `fitted` that fit.
        statement: Python that states it; `reference` where it comes from.
    """

    title: str
    page: str
    file: str
    module: str | None
    derivation: Derivation
    verified: str
    estimate: tuple[tuple[str, str], ...] = ()
    fitted: Fitted | None = None
    statement: str | None = None
    reference: str | None = None

    @property
    def anchor(self) -> str:
        return slug(self.page.removesuffix(".html"))

    @property
    def group(self) -> str:
        return kind_of_latents(self.derivation)

    @cached_property
    def parts(self) -> tuple[Page, ...]:
        """The model, its E-step and its M-step: every letter of an update is defined above it."""
        return pages(in_brief(self._voice), CardMedium())

    @cached_property
    def pictures(self) -> tuple[Markup, ...]:
        """The model as plates and, of a fit, its data."""
        drawn = [(plate_diagram(self.derivation, self._voice.free), "The model as plates")]
        chart = None if self.fitted is None else over_data(self.fitted, self._voice)
        if chart is not None:
            drawn.append((svg(chart), chart.words))
        return tuple(inert(drawing, words) for drawing, words in drawn)

    @property
    def stated(self) -> str:
        """The model's statement as its author wrote it."""
        return web.HtmlMedium().code(Code("python", self.statement or ""))

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """The estimate, its parameters by their letters."""
        medium = web.HtmlMedium()
        variables = self.derivation.model.variables
        letters = {
            name: medium.maths(Maths(self._voice.name(v.symbol.label if v.sizes else v.symbol)))
            for name, v in variables.items()
        }
        return tuple((letters.get(name, name), value.replace("-", "−")) for name, value in self.estimate)

    @cached_property
    def _voice(self) -> Voice:
        return Voice(self.derivation)


def in_brief(voice: Voice) -> tuple[Section, ...]:
    """The model, its E-step and its M-step."""
    both = (
        Section(said("E-step, at @", voice.old), tuple(brief_e_step(voice))),
        Section(said("M-step"), tuple(brief_m_step(voice))),
    )
    return (brief_model(voice), *(section for section in both if section.blocks))


def index(cards: Sequence[Card], shared: str) -> str:
    """The page that leads to all others; `shared` is the stem of style and script."""
    context: dict[str, Any] = {"groups": dict(_groups(cards)), "count": len(cards), "here": here}
    return web.framed("gallery.html.j2", shared=shared, back=None, title="EM algorithms", **context)


def _groups(cards: Sequence[Card]) -> Iterator[tuple[str, list[Card]]]:
    """The cards of each group, the largest first."""
    names = dict.fromkeys(card.group for card in cards)
    groups = [(name, [card for card in cards if card.group == name]) for name in names]
    yield from sorted(groups, key=lambda group: (-len(group[1]), group[0]))


def here(name: str) -> str:
    """The address of a file in the same folder, whatever its name.

    >>> here("javascript:alert(1).html")
    './javascript%3Aalert%281%29.html'
    """
    return f"./{quote(name)}"
