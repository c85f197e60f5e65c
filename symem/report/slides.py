"""A report cut into slides: a step each, and of a long step as much as a slide holds.

Heights are estimates in lines of text; each form sees to it that what is higher is set smaller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import ceil

from symem.report.document import (
    Algorithm,
    Block,
    Code,
    Display,
    Exercise,
    Figure,
    Instruction,
    Items,
    Lines,
    Link,
    Mark,
    Prose,
    Section,
    Table,
)
from symem.report.line_breaking import LINE, width
from symem.report.media.medium import wording

#: Lines of text that a slide holds below its title.
ROOM = 15.0
#: Lines of words that end a slide rather than begin one.
FEW = 2.0
#: Lines of text that fill a slide, and how much smaller and larger than text a slide is set.
FULL, SMALLEST, LARGEST = 17.0, 0.6, 1.35
#: What is left out: it is read, not shown.
LEFT_OUT = frozenset({"cost", "information", "certificates", "module", "references"})


def cut(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The slides, each a section of its own; words that only lead to a step stand on its first."""
    told = [section for section in sections if section.anchor not in LEFT_OUT]
    found: list[Section] = []
    leading: tuple[Block, ...] = ()
    for section, following in zip(told, [*told[1:], None], strict=True):
        leads = all(isinstance(block, tuple) for block in section.blocks)
        if leads and following is not None and following.level > section.level:
            leading += section.blocks
        else:
            found += _slides(replace(section, blocks=(*leading, *section.blocks)))
            leading = ()
    return tuple(replace(each, level=1) for each in found if each.blocks)


def _slides(section: Section) -> Iterator[Section]:
    """A section's slides; what is to be found begins a new one, behind its task if that is an exercise."""
    waiting: list[Block] = []
    for block in section.blocks:
        if not isinstance(block, Exercise):
            waiting.append(block)
        elif block.number:
            task = Section((f"Exercise {block.number}",), (block.task,))
            asked = replace(section, blocks=tuple(waiting))
            yield from (*_filled(asked), task, *_filled(replace(section, blocks=block.solution)))
            waiting = []
        else:
            yield from _filled(replace(section, blocks=(*waiting, *block.solution)))
            waiting = []
    yield from _filled(replace(section, blocks=tuple(waiting)))


def _filled(section: Section) -> Iterator[Section]:
    """Slides of one title, filled in the order of the blocks; a last line of words is no reason for another."""
    slide: list[Block] = []
    used = 0.0
    for unit in _units(section.blocks):
        needed = sum(map(height, unit))
        few = needed <= FEW and all(isinstance(block, tuple) for block in unit)
        if slide and used + needed > ROOM + (FEW if few else 0):
            yield replace(section, blocks=tuple(map(_unlinked, slide)))
            slide, used = [], 0.0
        slide += unit
        used += needed
    yield replace(section, blocks=tuple(map(_unlinked, slide)))


def _units(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """What stays together: words with the display that they lead to, of a long one with its first lines."""
    words: list[Block] = []
    for block in blocks:
        if isinstance(block, Display):
            first, *rest = _pieces(block, ROOM - sum(map(height, words)))
            yield [*words, first]
            for each in rest:
                yield [each]
            words = []
        elif isinstance(block, tuple):
            if words:
                yield words
            words = [block]
        elif isinstance(block, Algorithm):
            for box in _boxes(block):
                yield [*words, box]
                words = []
        else:
            yield [*words, block]
            words = []
    if words:
        yield words


def _boxes(algorithm: Algorithm) -> Iterator[Algorithm]:
    """An algorithm in parts that fit, numbered on."""
    start = 0
    used = 2.0
    for place, line in enumerate(algorithm.lines):
        needed = _instruction(line)
        if place > start and used + needed > ROOM:
            yield replace(algorithm, lines=algorithm.lines[start:place], start=start + 1)
            start, used = place, 2.0
        used += needed
    yield replace(algorithm, lines=algorithm.lines[start:], start=start + 1)


def _pieces(display: Display, room: float) -> Iterator[Display]:
    """A display in parts that fit."""
    part: list[Lines] = []
    used = 0.0
    for equation in _equations(display):
        needed = sum(map(line_height, equation))
        if part and used + needed > room:
            yield Display(tuple(part))
            part, used, room = [], 0.0, ROOM
        part.append(equation)
        used += needed
    yield Display(tuple(part))


def _equations(display: Display) -> Iterator[Lines]:
    """Its equations; one that is higher than a slide line by line."""
    for equation in display.equations:
        if sum(map(line_height, equation)) <= ROOM:
            yield equation
        else:
            yield from ((line,) for line in equation)


# heights --------------------------------------------------------------------------------------------------


def height(block: Block) -> float:
    """Of a block, in lines of text."""
    match block:
        case Display():
            return 1 + sum(line_height(line) for equation in block.equations for line in equation)
        case Table():
            return 3 + 1.2 * len(block.rows)
        case Figure():
            return ROOM
        case Items():
            return sum(_prose(entry) + 0.5 for entry in block.entries)
        case Algorithm():
            return 2 + sum(map(_instruction, block.lines))
        case Code():
            return float(block.text.count("\n"))
        case Exercise():
            return _prose(block.task)
        case _:
            return _prose(block) + 0.5


def _instruction(line: Instruction) -> float:
    return 1.2 + sum(line_height(each) for equation in line.equations for each in equation)


def _prose(prose: Prose) -> float:
    return float(ceil(width(wording(prose)) / LINE))


def line_height(line: str) -> float:
    """Of a line of a display: fractions and sums are high, more so within each other."""
    high = 1.4
    if r"\frac" in line or r"\sum" in line or r"\prod" in line:
        high = 2.3
    nested = r"\displaystyle" in line or (
        r"\frac" in line and (r"\sum" in line or line.count(r"\frac{\frac"))
    )
    return high + 0.8 if nested else high


# marks ----------------------------------------------------------------------------------------------------


def _unlinked(block: Block) -> Block:
    """Words without links to what no slide shows."""
    if not isinstance(block, tuple):
        return block
    return tuple(
        replace(part, anchor="") if isinstance(part, Mark) else part.words if isinstance(part, Link) else part
        for part in block
    )


# how large a slide may be set -----------------------------------------------------------------------------


def largest(section: Section) -> float:
    """How many times as large as text a slide may be set, by the width of its displays and by its height."""
    widest = max(map(_across, section.blocks), default=0.0) or LINE / LARGEST
    down = (FULL / max(1.0, sum(map(height, section.blocks)))) ** 0.5
    return float(max(SMALLEST, min(0.96 * LINE / widest, down, LARGEST)))


def _across(block: Block) -> float:
    """The width of what cannot be broken, 0 of words."""
    match block:
        case Display():
            return _joint(block.equations)
        case Algorithm():
            return max(12 + _joint(each.equations) for each in block.lines)
        case Figure() | Table():
            return LINE
        case _:
            return 0.0


def _joint(equations: Iterable[Lines]) -> float:
    """Of equations aligned at their signs: the widest left side and the widest right side beside each other."""
    sides = [line.partition("&") for equation in equations for line in equation]
    left = max((width(before) for before, _, _ in sides), default=0.0)
    return left + max((width(after) for _, _, after in sides), default=0.0)
