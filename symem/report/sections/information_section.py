"""What the data say of the parameters: the score, row by row, and complete, missing and observed information."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from symem.report.document import Block, Display, Section, said
from symem.report.sentence import sentence, told
from symem.report.writer import Voice


def information(voice: Voice) -> Iterator[Section]:
    """The section, where the derivation has the slopes of Q."""
    blocks = tuple(_information(voice))
    if blocks:
        yield Section(said("The information"), blocks, anchor="information")


def _information(voice: Voice) -> Iterator[Block]:
    steps = voice.steps("information")
    for _law, group in groupby((step for step in steps if step.defines), key=lambda step: step.law.name):
        alike = list(group)
        lines = [voice.slope(step.defines[0], step.about[0], len(step.axes)) for step in alike]
        yield from told(alike, lines, voice)
    for step in steps:
        if not step.defines:
            yield sentence([step], voice)
            yield _principle(voice)
            yield said(
                "Near the estimate each iteration leaves the share @ of the distance (Dempster, Laird & Rubin 1977, section 3).",
                rf"i_{{Y}}({voice.theta})^{{-1}}\, i_{{Z \mid X}}({voice.theta})",
            )


def _principle(voice: Voice) -> Display:
    theta = voice.theta
    left = rf"i_{{X}}({theta}) &= i_{{Y}}({theta}) - i_{{Z \mid X}}({theta})"
    return Display(((left,),))
