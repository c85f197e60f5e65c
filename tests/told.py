"""Each report is told, and each iteration worked, once a session."""

from __future__ import annotations

from functools import cache

from symem.report.document import Section
from symem.report.iteration import Worked, work
from symem.report.media.latex import LatexMedium
from symem.report.media.medium import pages
from symem.report.options import Level, Options
from symem.report.outline import tell
from symem.templating import render
from tests.derived import em, solver
from tests.models import BY_NAME


@cache
def told(name: str, level: Level) -> tuple[Section, ...]:
    """The report of that row."""
    return tell(em(name).derivation, Options(level=level))


@cache
def fragment(name: str) -> str:
    """Its longest report in LaTeX."""
    return render("fragment.tex.j2", pages=pages(told(name, Level.TEACHING), LatexMedium()))


@cache
def worked(name: str) -> Worked:
    """Its report's iteration in numbers, from the start of its file."""
    row = BY_NAME[name]
    return work(em(name).derivation, solver(name), row.data, row.theta(row.file["start"]))
