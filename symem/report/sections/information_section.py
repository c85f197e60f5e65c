"""What the data say of the parameters: the score, row by row, and complete, missing and observed information."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from symem.derivation import Step
from symem.report.document import Block, Lines, Section, said
from symem.report.sentence import told
from symem.report.writer import Voice


def information(voice: Voice) -> Iterator[Section]:
    """The section, where the derivation has the slopes of Q."""
    blocks = tuple(_information(voice))
    if blocks:
        yield Section(said("The information"), blocks, anchor="information")


def _information(voice: Voice) -> Iterator[Block]:
    for _law, group in groupby(voice.steps("information"), key=lambda step: step.law.name):
        alike = list(group)
        yield from told(alike, [line for step in alike for line in _lines(step, voice)], voice)
        if alike[0].law.name == "observed information":
            yield said(
                "Near the estimate each iteration leaves the share @ of the distance (Dempster, Laird & Rubin 1977, section 3).",
                rf"i_{{Y}}({voice.theta})^{{-1}}\, i_{{Z \mid X}}({voice.theta})",
            )


def _lines(step: Step, voice: Voice) -> Iterator[Lines]:
    """What is displayed of a step."""
    match step.law.name:
        case "Fisher's identity" | "score of all data":
            yield voice.slope(step.defines[0], step.about[0], len(step.axes))
        case "complete information":
            yield voice.information("i_{Y}", step.defines[0], step.about[::-1])
        case "missing information":
            yield voice.information(r"i_{Z \mid X}", step.defines[0], step.about)
        case "observed information":
            theta = voice.theta
            yield (rf"i_{{X}}({theta}) &= i_{{Y}}({theta}) - i_{{Z \mid X}}({theta})",)
