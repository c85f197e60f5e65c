"""Where the model is from, and the works that hold the laws by which it was derived."""

from __future__ import annotations

import re
from collections.abc import Sequence

from symem.report.document import Block, Items, Prose, Section, Term
from symem.report.literature import WORKS, Work, cited
from symem.report.sections.exponential_section import sources
from symem.report.writer import Voice


def references(voice: Voice) -> Section:
    """The section on what can be read elsewhere."""
    found = cited([*(step.law.source for step in voice.derivation.steps), *sources(voice)])
    works = Items(tuple(_work(WORKS[name], places) for name, places in found.items()))
    return Section(("References",), (*origin(voice), works), anchor="references")


def origin(voice: Voice) -> tuple[Block, ...]:
    """Where the model is from, if that is said."""
    told = voice.options.reference
    if not told:
        return ()
    signed = re.sub(r"(?<![\w.])-(?=[.\d])", "−", told)
    return ((f"The model: {signed.rstrip('.')}.",),)


def _work(work: Work, places: Sequence[str]) -> Prose:
    here = f" Used here: {', '.join(places)}." if places else ""
    return (f"{work.authors} ({work.year}). ", Term(work.title), f". {work.place}.{here}")
