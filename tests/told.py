"""Each report is told, and each iteration worked, once a session."""

from __future__ import annotations

from functools import cache

from symem.derivation import Derivation
from symem.report.document import Section
from symem.report.iteration import Worked, work
from symem.report.media.latex import LatexMedium
from symem.report.media.medium import pages
from symem.report.options import Level, Notation, Options
from symem.report.outline import tell
from symem.templating import render
from symem.workings.every_line import line_by_line
from tests.derived import em, solver
from tests.models import BY_NAME, MODELS


@cache
def told(name: str, level: Level) -> tuple[Section, ...]:
    """The report of that row."""
    return tell(
        in_lines(name) if level is Level.TEACHING else em(name).derivation.informed, Options(level=level)
    )


@cache
def in_lines(name: str) -> Derivation:
    """The derivation of that row with every line."""
    return line_by_line(em(name).derivation.informed)


#: Each row in one school's letters, the next row in the next school's.
SCHOOL = {row.name: list(Notation)[place % len(Notation)] for place, row in enumerate(MODELS)}


@cache
def told_in_its_school(name: str) -> tuple[Section, ...]:
    """The longest report of that row in the letters of its school."""
    return tell(in_lines(name), Options(level=Level.TEACHING, notation=SCHOOL[name]))


@cache
def fragment_in_its_school(name: str) -> str:
    """The same in LaTeX."""
    return render("fragment.tex.j2", pages=pages(told_in_its_school(name), LatexMedium()))


@cache
def fragment(name: str) -> str:
    """Its longest report in LaTeX."""
    return render("fragment.tex.j2", pages=pages(told(name, Level.TEACHING), LatexMedium()))


@cache
def worked(name: str) -> Worked:
    """Its report's iteration in numbers, from the start of its file."""
    row = BY_NAME[name]
    return work(em(name).derivation, solver(name), row.data, row.theta(row.file["start"]))
