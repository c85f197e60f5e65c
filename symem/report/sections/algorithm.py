"""The algorithm in a box: every formula that an iteration evaluates, in the order in which it does."""

from __future__ import annotations

from collections.abc import Iterator

from symem.derivation import Causes, Tabulated, defined_by
from symem.derivation import Table as Outcomes
from symem.report.document import (
    Algorithm,
    Exercise,
    Instruction,
    Lines,
    Prose,
    Section,
    said,
)
from symem.report.sections.e_step_section import (
    computed,
    grouped,
    probabilities,
    second_moments,
)
from symem.report.sections.m_step_section import defined_beside, in_statistics
from symem.report.sections.read_by_m_step import needed_at_nodes
from symem.report.writer import Voice


def algorithm(voice: Voice) -> Section:
    """The section with the box."""
    task = said("Write the two steps down as an algorithm, in the order in which they are computed.")
    return Section(said("The algorithm"), (Exercise(task, (box(voice),)),), anchor="algorithm")


def box(voice: Voice) -> Algorithm:
    """The iteration, formula by formula."""
    kind = "MAP-EM" if voice.model.log_prior != 0 else "EM"
    return Algorithm((f"{kind} for this model",), tuple(_lines(voice)))


def _lines(voice: Voice) -> Iterator[Instruction]:
    derivation, counter = voice.derivation, voice.pack.counter
    start = said("Choose @.", voice.at(voice.pack.start))
    yield Instruction((*start[:-1], *said("; set @.", f"{counter} = 0")) if counter else start)
    yield Instruction(("Repeat:",))
    yield Instruction(("E-step. Compute",), 1, tuple(_expectations(voice)))
    statistics = derivation.surrogate.statistics
    if statistics:
        told = "Compute, in this order," if derivation.surrogate.moments else "Add up"
        yield Instruction((told,), 1, voice.definitions(statistics, voice.now).equations)
    if derivation.updates:
        told = "M-step. Set" if len(derivation.updates) == 1 else "M-step. Set, in this order,"
        lines = (
            line
            for update in derivation.updates
            for line in (
                *(defined_beside(each, update, voice) for each in defined_by(update)[:-1]),
                in_statistics(update, voice),
            )
        )
        yield Instruction((told,), 1, tuple(lines))
    for block in derivation.not_derived:
        names = ", ".join(voice.name(each) for each in block.parameters)
        yield Instruction(said("Raise @ in @ by a numerical method: there is no closed form.", "Q", names), 1)
    yield Instruction(_advance(voice), 1)
    yield Instruction(said("until @ no longer rises.", voice.objective(voice.old)))


def _expectations(voice: Voice) -> Iterator[Lines]:
    for posteriors in grouped(voice):
        if posteriors[0].line_by_line:
            yield from voice.definitions(needed_at_nodes(posteriors, voice), voice.now).equations
            continue
        tables = [each for each in posteriors if isinstance(each, Outcomes) and not isinstance(each, Causes)]
        for table in tables[:1]:
            yield from probabilities(table, voice)
        told = {each.probability for each in tables}
        cells = [each for each in posteriors[:1] if isinstance(each, Tabulated) and not tables]
        weights = [part for each in cells for part in (each.log_weight, each.log_normaliser)]
        for definition in (*weights, *computed(posteriors, voice)):
            if definition not in told:
                yield voice.definition(definition, voice.now)
        for each in posteriors:
            yield from second_moments(each, voice)


def _advance(voice: Voice) -> Prose:
    if voice.pack.counter:
        return said("Add 1 to @.", voice.pack.counter)
    return said("Let @ be @.", voice.old, voice.next)
