"""Examples as the gallery shows them: what each is, its two steps and its plates, its whole derivation as a page beside."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx

from symem.em import EM, derive
from symem.files import ModelFile, load_file
from symem.report.figures.plate_diagram import plate_diagram
from symem.report.media.drawing import inert
from symem.report.media.markdown import MarkdownMedium
from symem.report.media.medium import pages
from symem.report.sections.catalogue import in_brief
from symem.report.sections.kinds_of_latents import kind_of_latents
from symem.report.writer import Voice

ROOT = Path(__file__).parents[2]
SHOWN = (
    "two_coins",
    "old_faithful",
    "linkage",
    "abo",
    "london_times",
    "zero_inflated",
    "exponential_censored",
    "student_t",
    "random_effects",
    "gaussian_mixture_full",
    "missing_normal",
    "factor_analysis",
    "pet",
)


def gallery(_: str) -> str:
    """A group for each kind of latents, in it a section for each example."""
    kinds = {name: kind_of_latents(_derived(name)[1].derivation) for name in SHOWN}
    groups = dict.fromkeys(kinds.values())
    return "\n\n".join(
        "\n\n".join([f"## {kind}", *(_section(name) for name in SHOWN if kinds[name] == kind)])
        for kind in groups
    )


def _section(name: str) -> str:
    file, em = _derived(name)
    source = [f"Source: {file.reference}"] if file.reference else []
    page = f'<a href="gallery/{name}.html">The whole derivation</a>; the model is `examples/{name}.py`.'
    return "\n\n".join([f"### {file.title}", *_told(em), *source, page])


def _told(em: EM) -> Iterator[str]:
    """The model, its E-step, its M-step, and the drawing of the model."""
    voice = Voice(em.derivation)
    for part in pages(in_brief(voice), MarkdownMedium()):
        yield f"**{part.title}**"
        yield part.body
    yield f"<div>{inert(plate_diagram(em.derivation, voice.free), 'The model as plates')}</div>"


@cache
def _derived(name: str) -> tuple[ModelFile, EM]:
    file = load_file(str(ROOT / "examples" / f"{name}.py"))
    return file, derive(file.model)


def write_reports(app: Sphinx, failed: Exception | None) -> None:
    """The derivations, once the pages that lead to them are written."""
    folder = Path(app.outdir) / "gallery"
    if failed is None and app.builder.format == "html":
        folder.mkdir(exist_ok=True)
        for name in SHOWN:
            file, em = _derived(name)
            (folder / f"{name}.html").write_text(em.html(title=file.title or name), encoding="utf-8")
