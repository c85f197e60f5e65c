"""What the data say of the parameters: the score, row by row, and complete, missing and observed information."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from symem.derivation import Step
from symem.report.document import Block, Lines, Section, Typed, said
from symem.report.line_breaking import LINE, SLACK, width
from symem.report.sentence import told
from symem.report.writer import Voice

#: Of more lines than these no block of the information is shown, and none with one that is too wide.
_LONG = 4


def information(voice: Voice) -> Iterator[Section]:
    """The section, where the derivation has the slopes of Q."""
    blocks = tuple(_information(voice))
    if blocks:
        yield Section(said("The information"), blocks, anchor="information")


def _information(voice: Voice) -> Iterator[Block]:
    for _law, group in groupby(voice.steps("information"), key=lambda step: step.law.name):
        alike = list(group)
        lines = [_lines(step, voice) for step in alike]
        long = [
            step for step, each in zip(alike, lines, strict=True) if len(step.about) == 2 and _is_long(each)
        ]
        shown = [each for step, each in zip(alike, lines, strict=True) if each and step not in long]
        yield from told(alike, shown, voice)
        if long:
            yield _left_out(long, voice)
        if alike[0].law.name == "observed information" and not any(
            each.law.name == "share missing" for each in voice.steps("information")
        ):
            yield said(
                "Near the estimate each iteration leaves the share @ of the distance (Dempster, Laird & Rubin 1977, section 3).",
                rf"i_{{Y}}({voice.theta})^{{-1}}\, i_{{Z \mid X}}({voice.theta})",
            )


def _is_long(lines: Lines) -> bool:
    return len(lines) > _LONG or any(width(line) > LINE + SLACK for line in lines)


def _left_out(steps: Sequence[Step], voice: Voice) -> Block:
    """Which formulas are too long for a page, and what has them."""
    pairs = [" and ".join("@" for _ in step.about) for step in steps]
    letters = [voice.name(each) for step in steps for each in step.about]
    how = "complete_information" if "complete" in steps[0].law.name else "missing_information"
    words = said(f"That of {', of '.join(pairs)} is longer: ", *letters)
    return (*words, Typed(f"em.{how}"), " has it." if len(pairs) == 1 else " has them.")


def _lines(step: Step, voice: Voice) -> Lines:
    """What is displayed of a step."""
    match step.law.name:
        case "Fisher's identity" | "score of all data":
            return voice.slope(step.defines[0], step.about[0], len(step.axes))
        case "complete information" | "complete information along":
            return voice.information("i_{Y}", step.defines[0], step.about[::-1])
        case "missing information" | "missing information along":
            return voice.information(r"i_{Z \mid X}", step.defines[0], step.about)
        case "observed information":
            theta = voice.theta
            return (rf"i_{{X}}({theta}) &= i_{{Y}}({theta}) - i_{{Z \mid X}}({theta})",)
        case "share missing":
            return voice.share(step.defines[0])
        case _:
            return ()
