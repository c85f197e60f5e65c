"""Examples as the gallery shows them: what each is, its two steps and its plates, its whole derivation as a page beside."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx

from symem.em import EM, derive
from symem.files import ModelFile, load_file
from symem.report.extracts import card

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
    kinds = {name: card(_derived(name)[1].derivation)[0] for name in SHOWN}
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
    _, parts, drawing = card(em.derivation)
    for title, body in parts:
        yield f"**{title}**"
        yield body
    yield f"<div>{drawing}</div>"


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
