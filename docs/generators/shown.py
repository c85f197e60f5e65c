"""Examples as the gallery shows them: what each is, its M-step, and its whole derivation as a page beside."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sphinx.application import Sphinx

from symem.em import EM, derive
from symem.files import ModelFile, load_file
from symem.report.report import formulas

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
    """A section for each example."""
    return "\n\n".join(map(_section, SHOWN))


def _section(name: str) -> str:
    file, em = _derived(name)
    page = f'<a href="gallery/{name}.html">The whole derivation</a>'
    told = formulas(em.derivation)
    return f"## {file.title}\n\n{told}\n\n{page}; the model is `examples/{name}.py`."


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
