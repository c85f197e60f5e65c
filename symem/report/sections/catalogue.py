"""The index of a gallery: of each model its title, its updates, and where its report and module are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from symem.derivation import Derivation
from symem.report.document import Code, Maths
from symem.report.media import html as web
from symem.report.media.medium import slug
from symem.report.sections.m_step_section import at_length
from symem.report.writer import Voice


@dataclass(frozen=True)
class Card:
    """One model; `verified` is what the ladder showed, `module` None where nothing could be emitted, `estimate` empty where
    there is no fit.
    """

    title: str
    page: str
    module: str | None
    derivation: Derivation
    verified: str
    estimate: tuple[tuple[str, str], ...] = ()
    statement: str | None = None

    @property
    def anchor(self) -> str:
        return slug(self.page.removesuffix(".html"))

    @property
    def updates(self) -> str:
        """The update formulas as one display, written out where they fit."""
        voice = Voice(self.derivation)
        equations = tuple(at_length(update, voice)[1] for update in self.derivation.updates)
        return web.displayed("aligned", equations) if equations else ""

    @property
    def stated(self) -> str:
        """The model's statement as its author wrote it."""
        return web.HtmlMedium().code(Code("python", self.statement or ""))

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """The estimate, its parameters by their letters."""
        voice, medium = Voice(self.derivation), web.HtmlMedium()
        variables = self.derivation.model.variables
        letters = {
            name: medium.maths(Maths(voice.name(v.symbol.label if v.sizes else v.symbol)))
            for name, v in variables.items()
        }
        return tuple((letters.get(name, name), value.replace("-", "−")) for name, value in self.estimate)

    @property
    def refused(self) -> str:
        """The parameters without an update."""
        return ", ".join(str(each) for block in self.derivation.not_derived for each in block.parameters)


def index(cards: Sequence[Card], shared: str) -> str:
    """The page that leads to all others; `shared` is the stem of style and script."""
    return web.framed(
        "gallery.html.j2", shared=shared, back=None, title="EM algorithms", cards=cards, here=here
    )


def here(name: str) -> str:
    """The address of a file in the same folder, whatever its name.

    >>> here("javascript:alert(1).html")
    './javascript%3Aalert%281%29.html'
    """
    return f"./{quote(name)}"
