"""A derivation told as a report, in each of its forms: LaTeX, HTML, Markdown, a notebook, and a terminal's page.

The story comes from `narrative`; a medium knows how to set its words, formulas and blocks; the frames are
templates. Nothing is derived here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from symem.derivation import Derivation
from symem.report.exercises import parted
from symem.report.figures.em_step import em_step
from symem.report.iteration import Worked, work
from symem.report.media import html as web
from symem.report.media import notebook as cells
from symem.report.media import terminal
from symem.report.media.latex import BeamerMedium, LatexMedium
from symem.report.media.markdown import MarkdownMedium
from symem.report.media.medium import Medium, Page, pages
from symem.report.notation.lexicon import Lexicon
from symem.report.options import PLAIN, Level, Options
from symem.report.outline import tell
from symem.report.sections.em_step_figure import iteration
from symem.report.sections.m_step_section import solved
from symem.report.slides import cut, largest
from symem.report.writer import Voice
from symem.templating import render


def latex(derivation: Derivation, options: Options = PLAIN) -> str:
    """The whole derivation as a LaTeX document; needs amsmath, amssymb, geometry, hyperref, no shell escape."""
    medium = LatexMedium()
    return render(
        "report.tex.j2",
        size="10pt" if options.level is Level.BRIEF else "11pt",
        pages=pages(parted(tell(derivation, options)), medium),
        **_titles(derivation, options, medium),
    )


def latex_fragment(derivation: Derivation, options: Options = PLAIN) -> str:
    r"""The sections alone, to be `\input` in a document that loads amsmath and amssymb."""
    return render("fragment.tex.j2", pages=_pages(derivation, options, LatexMedium()))


def markdown(derivation: Derivation, options: Options = PLAIN) -> str:
    """The whole derivation in Markdown, with formulas between dollars."""
    medium = MarkdownMedium()
    return render(
        "report.md.j2", pages=_pages(derivation, options, medium), **_titles(derivation, options, medium)
    )


def html(
    derivation: Derivation, options: Options = PLAIN, *, shared: str | None = None, back: str | None = None
) -> str:
    """The whole derivation as a page that needs nothing but itself.

    `shared` is the stem of a style and a script that lie beside the page instead of in it, `back` the page that
    this one is reached from.
    """
    medium = web.HtmlMedium()
    return web.framed(
        "report.html.j2",
        shared=shared,
        back=back,
        pages=_pages(derivation, options, medium),
        **_titles(derivation, options, medium),
    )


def beamer(derivation: Derivation, options: Options = PLAIN) -> str:
    """The derivation as LaTeX slides; needs beamer, which a full TeX has."""
    medium, told = BeamerMedium(), cut(tell(derivation, options))
    sizes = [f"{10 * largest(each):.1f}" for each in told]
    shown = list(zip(pages(told, medium), sizes, strict=True))
    return render("slides.tex.j2", pages=shown, **_titles(derivation, options, medium))


def slides(derivation: Derivation, options: Options = PLAIN) -> str:
    """The derivation as a page of slides, each of which prints as a sheet of 16 by 9."""
    medium = web.SlideMedium()
    told = pages(cut(tell(derivation, options)), medium)
    titles = _titles(derivation, options, medium)
    return web.framed("slides.html.j2", shared=None, back=None, pages=told, **titles)


def notebook(
    derivation: Derivation,
    options: Options = PLAIN,
    *,
    statement: str | None = None,
    loading: str | None = None,
    data: Mapping[str, Any] | None = None,
    start: Mapping[str, Any] | None = None,
) -> str:
    """The derivation as a Jupyter notebook (nbformat 4.5): the model stated, derived, told, fitted and drawn.

    `statement` is Python that states the model, `loading` Python that reads its data as `data`; `data` (arrays and
    sizes) and `start` are what it is fitted to and from.
    """
    medium = cells.NotebookMedium()
    titles = _titles(derivation, options, medium)
    told = _pages(derivation, replace(options, code=None), medium)
    drawn = None if options.worked is None else _drawn(options.worked)
    script = cells.Script(statement, not derivation.not_derived, data, start, loading, drawn)
    return cells.written(script, told, medium, titles)


def _drawn(found: Worked) -> tuple[Mapping[str, Any], Mapping[str, int]] | None:
    """The estimate, and the sizes with which data like these are drawn; None if numbers must be given for that."""
    draws = found.solver.model.draws
    if isinstance(draws, str) or draws is None or draws.known:
        return None
    return found.fitted, {name: int(found.arrays[name]) for name in draws.sizes}


def first_step(derivation: Derivation, solver: Any, data: Mapping[str, Any], start: Any) -> str | None:
    """A drawing of the first iteration from these parameters; None where its tables are too large for one."""
    given = start if isinstance(start, Mapping) else start._asdict()
    told = iteration(work(derivation, solver, data, given), Voice(derivation))
    return None if told is None else em_step(told)


def text(derivation: Derivation) -> str:
    """Model, E-step, updates and certificates on one page of plain Unicode."""
    return render("report.txt.j2", **terminal.summary(derivation))


def formulas(derivation: Derivation) -> str:
    """The updates as one display, for a notebook: what MathJax can show."""
    lines = [line for update in derivation.updates for line in solved(update, Voice(derivation))]
    return "$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$"


def updates(derivation: Derivation) -> str:
    """The M-step alone, one line for each parameter."""
    return render("updates.txt.j2", updates=tuple(terminal.updates(derivation, Lexicon.of(derivation))))


def _pages(derivation: Derivation, options: Options, medium: Medium) -> tuple[Page, ...]:
    return pages(tell(derivation, options), medium)


def _titles(derivation: Derivation, options: Options, medium: Medium) -> dict[str, Any]:
    """The title, what the document is if the title does not say so, and by whom and of when."""
    kind = "a MAP-EM" if derivation.model.log_prior != 0 else "an EM"
    document = f"Derivation of {kind} algorithm"
    signed = ", ".join(filter(None, (options.author, options.date)))
    titled = (document, "") if options.title is None else (options.title, document)
    return dict(zip(("title", "kicker", "byline"), map(medium.words, (*titled, signed)), strict=True))
