"""A derivation as a story, in the textbook's order: model, E-step, likelihood, surrogate, M-step, algorithm.

The story derives nothing: it reads the records and writes them down, at one of three lengths. The brief one keeps
the formulas that are computed, the paper gives the argument, the teaching one the lines between.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symem.derivation import Derivation
from symem.report.document import Code, Section, Typed, said
from symem.report.exercises import numbered, shown
from symem.report.options import PLAIN, Level, Options
from symem.report.sections.algorithm import algorithm
from symem.report.sections.certificates import certificates, summary
from symem.report.sections.cost_section import cost
from symem.report.sections.e_step_section import brief_e_step, e_step
from symem.report.sections.exponential_section import exponential_family
from symem.report.sections.fit_section import this_fit
from symem.report.sections.identifiability_section import identifiability
from symem.report.sections.information_section import information
from symem.report.sections.m_step_section import brief_m_step, m_step
from symem.report.sections.model_section import brief_model, model
from symem.report.sections.read_by_m_step import approximated
from symem.report.sections.references import origin, references
from symem.report.sections.surrogate_section import ascent, observed, surrogate
from symem.report.sections.worked_section import worked
from symem.report.writer import Voice


def tell(derivation: Derivation, options: Options = PLAIN) -> tuple[Section, ...]:
    """The whole story.

    Raises:
        NotationError: a renamed symbol's name is refused, or prints as another's does.
    """
    voice = Voice(derivation, options)
    told = _brief(voice) if options.level is Level.BRIEF else _whole(voice)
    if options.exercise:
        return tuple(numbered(told))
    return tuple(told if options.slides else shown(told))


def _brief(voice: Voice) -> Iterator[Section]:
    yield brief_model(voice)
    yield _expectations(voice)
    yield _updates(voice)
    yield _conditions(voice)
    if voice.options.fitted is not None:
        yield this_fit(voice.options.fitted, voice)
    yield from _appendix(voice)


def _whole(voice: Voice) -> Iterator[Section]:
    yield model(voice)
    yield from e_step(voice)
    yield observed(voice)
    yield surrogate(voice)
    yield from m_step(voice)
    yield ascent(voice)
    if not voice.options.exercise:
        yield from exponential_family(voice)
        yield from information(voice)
    if voice.options.identifiability is not None:
        yield identifiability(voice.options.identifiability, voice)
    if voice.options.cost is None or voice.options.exercise:
        yield _ended(algorithm(voice), voice)
    else:
        yield algorithm(voice)
        yield _ended(cost(voice.options.cost, voice), voice)
    yield from _numbers(voice)
    proof = certificates(voice)
    if proof is not None:
        yield proof
    yield references(voice)
    yield from _appendix(voice)


def _expectations(voice: Voice) -> Section:
    """What is computed at the current parameters."""
    blocks = (*approximated(voice), said("At the current @,", voice.old), *brief_e_step(voice))
    return Section(said("The E-step"), blocks, anchor="e-step")


def _updates(voice: Voice) -> Section:
    return Section(said("The M-step"), tuple(brief_m_step(voice)), anchor="m-step")


def _conditions(voice: Voice) -> Section:
    """How far the updates are established and what they need; when to stop, and what to read."""
    rise = said(
        "The two steps in turn never lower @; they are repeated until it no longer rises.",
        voice.objective(voice.theta),
    )
    blocks = (*summary(voice), rise, *origin(voice))
    return _ended(Section(said("Conditions"), blocks, anchor="conditions"), voice)


def _numbers(voice: Voice) -> Iterator[Section]:
    if voice.options.worked is not None:
        yield from worked(voice.options.worked, voice)
    if voice.options.fitted is not None:
        yield this_fit(voice.options.fitted, voice)


def _appendix(voice: Voice) -> Iterator[Section]:
    if voice.options.code is not None and voice.options.listing:
        words = (f"This is {_MODULE}. Its arrays count from 0 what the formulas count from 1.",)
        listing = Code("python", voice.options.code, "solver.py")
        yield Section(("The module",), (words, listing), anchor="module")


_MODULE = "a module that runs this algorithm with NumPy, and SciPy where it says so, alone"


def _ended(section: Section, voice: Voice) -> Section:
    """The section, and where the module is to be had, if it is not listed."""
    if voice.options.code is None or voice.options.listing:
        return section
    python, shell = Typed('em.write("solver.py")'), Typed("symem emit FILE -o solver.py")
    words = (python, ", or ", shell, f", writes {_MODULE}; ", Typed("listing=True"), " shows it here.")
    return replace(section, blocks=(*section.blocks, words))
