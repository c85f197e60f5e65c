"""What a reader is to find: shown as it is derived, folded away, or moved behind the tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count

from symem.report.document import Anchor, Block, Exercise, Section


def shown(sections: Iterable[Section]) -> Iterator[Section]:
    """Sections with the solutions in the places of the tasks."""
    for section in sections:
        yield replace(section, blocks=tuple(_shown(section.blocks)))


def _shown(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        yield from block.solution if isinstance(block, Exercise) else (block,)


def numbered(sections: Iterable[Section]) -> Iterator[Section]:
    """Sections with their tasks numbered from 1."""
    numbers = count(1)
    for section in sections:
        blocks = (
            replace(block, number=next(numbers)) if isinstance(block, Exercise) else block
            for block in section.blocks
        )
        yield replace(section, blocks=tuple(blocks))


def parted(sections: Iterable[Section]) -> tuple[Section, ...]:
    """The tasks first, and the solutions, numbered alike, as the last sections: for paper, where nothing folds."""
    told = tuple(sections)
    found = [block for section in told for block in section.blocks if isinstance(block, Exercise)]
    if not found:
        return told
    tasks = (replace(section, blocks=tuple(map(_task, section.blocks))) for section in told)
    head = Section(("Solutions",), (), anchor="solutions")
    return (*tasks, head, *map(_solution, found))


def _task(block: Block) -> Block:
    return replace(block, solution=()) if isinstance(block, Exercise) else block


def _solution(block: Exercise) -> Section:
    title = (f"Exercise {block.number}",)
    return Section(title, (block.task, *block.solution), level=2, anchor=f"solution-{block.number}")


def place_of(block: Exercise) -> Anchor:
    """Where a task stands."""
    return Anchor(f"exercise-{block.number}")
