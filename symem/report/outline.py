"""A derivation as a story, in the textbook's order: model, E-step, likelihood, surrogate, M-step, algorithm.

The story derives nothing: it reads the records and writes them down, at one of three lengths. The brief one keeps
the formulas that are computed, the paper gives the argument, the teaching one the lines between.
"""

from __future__ import annotations

from collections.abc import Iterator

from symem.derivation import Derivation
from symem.report.document import Block, Code, Section, said
from symem.report.options import PLAIN, Level, Options
from symem.report.sections.algorithm import algorithm, cost
from symem.report.sections.certificates import certificates
from symem.report.sections.e_step_section import brief_e_step, e_step
from symem.report.sections.fit_section import this_fit
from symem.report.sections.m_step_section import brief_m_step, m_step
from symem.report.sections.model_section import brief_model, model
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
    return tuple(told)


def _brief(voice: Voice) -> Iterator[Section]:
    yield brief_model(voice)
    yield _updates(voice)
    yield algorithm(voice)
    yield from _numbers(voice)


def _whole(voice: Voice) -> Iterator[Section]:
    yield model(voice)
    yield from e_step(voice)
    yield observed(voice)
    yield surrogate(voice)
    yield from m_step(voice)
    yield ascent(voice)
    yield algorithm(voice)
    yield cost(voice)
    yield from _numbers(voice)
    proof = certificates(voice)
    if proof is not None:
        yield proof
    yield from _appendix(voice)


def _updates(voice: Voice) -> Section:
    """Both steps on half a page."""
    blocks: list[Block] = [said("E-step, at the current @:", voice.old), *brief_e_step(voice)]
    statistics = voice.derivation.surrogate.statistics
    if statistics:
        blocks += [said("With the expected sufficient statistics"), voice.definitions(statistics, voice.now)]
    blocks += [said("the M-step is" if statistics else "M-step:"), *brief_m_step(voice)]
    return Section(said("The updates"), tuple(blocks), anchor="updates")


def _numbers(voice: Voice) -> Iterator[Section]:
    if voice.options.worked is not None:
        yield from worked(voice.options.worked, voice)
    if voice.options.fitted is not None:
        yield this_fit(voice.options.fitted, voice)


def _appendix(voice: Voice) -> Iterator[Section]:
    if voice.options.code is not None:
        words = said(
            "The stand-alone module that runs this algorithm; it needs NumPy, and SciPy where it says so. Its "
            "arrays count from 0 what the formulas count from 1."
        )
        yield Section(
            ("The module",), (words, Code("python", voice.options.code, "solver.py")), anchor="module"
        )
