"""Statements as lines: what is read once stands where it is read, as far as that still fits a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sympy import Symbol

from symem.codegen.ir.alike import with_axes
from symem.codegen.ir.instructions import (
    Assign,
    Entry,
    Normalise,
    Statement,
    Weigh,
    nodes_of,
    reads,
    with_nodes,
)
from symem.codegen.ir.nodes import Axes, DiagonalOf, Item, Load, Node, Take
from symem.codegen.ir.program import Program
from symem.codegen.numpy.matrix_spelling import transposed
from symem.codegen.numpy.spelling import Spelling
from symem.codegen.numpy.wrapping import WIDTH, fitted, listed, short, tupled

Line = Statement | Entry

#: Stands for the name of a part while lines are counted.
_PART = "t_0"


@dataclass(frozen=True)
class Given:
    """What a function gives: nodes with the order of their dimensions, as text put together by `flat`."""

    values: tuple[tuple[Node, Axes], ...]
    #: From the spelt values to what stands on one line.
    flat: Callable[[list[str]], str]
    #: Whether values may be written out in it, rather than by their names.
    open: bool = True
    #: From the spelt values to the lines that they take where one line is too short for them, if several may be had.
    on_lines: Callable[[list[str]], int] | None = None


class Lines:
    """Writes the lines of one program's functions."""

    def __init__(self, program: Program, indent: int = 4) -> None:
        self.program, self.indent = program, indent
        self.spell = Spelling(program.rank)

    def part_name(self) -> str:
        """A name for a part of a long line."""
        return self.program.names.numbered("t")

    def fitted(self, start: str, text: str) -> list[str]:
        return fitted(start, text, self.part_name, self.indent)

    def assign(self, line: Assign) -> list[str]:
        return self.fitted(f"{line.name} = ", self.text(line.node, line.axes))

    def entry(self, line: Entry) -> list[str]:
        shape = tupled(self.spell(size) for size in line.fresh or ())
        made = [f"{line.name} = np.empty({shape})"] if line.fresh else []
        places = ", ".join(":" if isinstance(place, Symbol) else str(place) for place in line.place)
        return [*made, *self.fitted(f"{line.name}[{places}] = ", self.text(line.node, _axes_of(line)))]

    def update(self, line: Line) -> list[str]:
        """A statement that is no more than a formula."""
        if isinstance(line, Entry):
            return self.entry(line)
        assert isinstance(line, Assign)
        return self.assign(line)

    def text(self, node: Node, axes: Axes) -> str:
        """The node with its dimensions in the wanted order."""
        return self.spell.tight(node) + transposed(node.axes, axes) if node.axes != axes else self.spell(node)

    def texts(self, given: Given) -> list[str]:
        return [self.text(node, axes) for node, axes in given.values]

    def returned(self, texts: Sequence[str], call: str = "") -> list[str]:
        """The lines that return these values: as they are, or as arguments of a call."""
        if len(texts) == 1 and not call:
            return self.fitted("return ", texts[0])
        before, items = self.items(texts)
        flat = f"return {', '.join(items)}"
        if not call and self.indent + len(flat) <= WIDTH:
            return [*before, flat]
        return [*before, *listed(f"return {call}(", items, ")")]

    def items(self, texts: Iterable[str]) -> tuple[list[str], list[str]]:
        """Values that fit a line each, and the lines that must stand before."""
        pairs = [short(text, self.part_name) for text in texts]
        return [line for before, _ in pairs for line in before], [text for _, text in pairs]

    # -- what is read once ------------------------------------------------------------------------------

    def compact(
        self, lines: Sequence[Line], given: Given, named: Collection[str] = ()
    ) -> tuple[list[Line], Given]:
        """The lines without those that only give a name to what is read once, or to another array; `named` are read by
        another function besides.
        """
        kept = list(lines)
        for name in _by_length(kept, lambda line: self.text(line.node, line.axes)):
            if name in named:
                continue
            place = next(d for d, each in enumerate(kept) if isinstance(each, Assign) and each.name == name)
            found = self._without(kept, place, given)
            if found is not None:
                kept, given = found
        return kept, given

    def _without(self, lines: list[Line], place: int, given: Given) -> tuple[list[Line], Given] | None:
        line, later = lines[place], lines[place + 1 :]
        assert isinstance(line, Assign)
        last = [node for node, _ in given.values]
        readers = [each for each in later if line.name in _read_by(each)]
        count = sum(_count(line.name, node) for each in readers for node in _nodes(each))
        count += sum(_count(line.name, node) for node in last)
        alias = isinstance(line.node, Load)
        if count == 0 or (count > 1 and not alias) or any(_writes(each, line) for each in later):
            return None
        try:
            changed = [_put(each, line) if each in readers else each for each in later]
            ended = replace(given, values=tuple((_replaced(node, line), axes) for node, axes in given.values))
        except _Fixed:
            return None
        in_end = any(line.name in reads(node) for node in last)
        if (
            (in_end and not (alias or given.open))
            or not self._fits(line, changed, later)
            or (in_end and not self._ends(ended, given))
        ):
            return None
        return [*lines[:place], *changed], ended

    def _fits(self, line: Assign, changed: Sequence[Line], before: Sequence[Line]) -> bool:
        """Whether there are fewer lines, and none that names a part of another, with the line's text in its readers."""
        pairs = [(new, old) for new, old in zip(changed, before, strict=True) if new is not old]
        count = len(self._drafted(line)) + sum(len(self._drafted(old)) for _, old in pairs)
        drafts = [self._drafted(new) for new, _ in pairs]
        return sum(map(len, drafts)) < count and not any(each[0].startswith(f"{_PART} = ") for each in drafts)

    def _drafted(self, line: Line) -> list[str]:
        """The lines of a statement, without names taken for its parts."""
        if isinstance(line, Normalise):
            return [""]
        if isinstance(line, Weigh):
            widths = (8 + len(line.name) + len(self.spell(node)) for node in nodes_of(line))
            return ["", *("" for width in widths if self.indent + width > WIDTH)]
        axes = _axes_of(line) if isinstance(line, Entry) else line.axes
        return fitted(f"{line.name} = ", self.text(line.node, axes), lambda: _PART, self.indent)

    def _ends(self, given: Given, before: Given) -> bool:
        """Whether what a function gives fits a line, or takes no more of them than before."""
        if self.indent + len(given.flat(self.texts(given))) <= WIDTH:
            return True
        return given.on_lines is not None and given.on_lines(self.texts(given)) <= self._end_lines(before)

    def _end_lines(self, given: Given) -> int:
        texts = self.texts(given)
        fits = self.indent + len(given.flat(texts)) <= WIDTH or given.on_lines is None
        return 1 if fits or given.on_lines is None else given.on_lines(texts)


class _Fixed(Exception):  # noqa: N818 - no error: the name stays
    """A name at a place where only a name can stand."""


def _by_length(lines: Iterable[Line], text: Callable[[Assign], str]) -> list[str]:
    """The names of assignments, those of short texts first."""
    found = sorted((each for each in lines if isinstance(each, Assign)), key=lambda each: len(text(each)))
    return [each.name for each in found]


def _axes_of(line: Entry) -> Axes:
    return tuple(place for place in line.place if isinstance(place, Symbol))


def _nodes(line: Line) -> list[Node]:
    return [line.node] if isinstance(line, Entry) else nodes_of(line)


def _read_by(line: Line) -> set[str]:
    own = {line.weight} if isinstance(line, Normalise) else set()
    return own.union(*(reads(node) for node in _nodes(line)))


def _writes(line: Line, other: Assign) -> bool:
    """Whether a later line changes what another has read, or the other's own array."""
    names = {other.name, *reads(other.node)}
    changed = (
        {line.weight} if isinstance(line, Normalise) else {line.name} if isinstance(line, Entry) else set()
    )
    return bool(names & changed)


def _count(name: str, node: Node) -> int:
    return Counter(part.name for part in node.walk() if isinstance(part, Load))[name]


def _put(line: Line, other: Assign) -> Line:
    if isinstance(line, Entry):
        return replace(line, node=_replaced(line.node, other))
    return with_nodes(line, lambda node: _replaced(node, other))


def _replaced(node: Node, line: Assign) -> Node:
    """The node with the line's own in the place of its name."""
    if isinstance(node, Load) and node.name == line.name:
        return _at(line, node)
    if isinstance(node, Take | DiagonalOf | Item) and node.base.name == line.name:
        raise _Fixed
    return node.mapped(lambda child: _replaced(child, line))


def _at(line: Assign, load: Load) -> Node:
    """The line's node over the axes of a load."""
    names = {own: other for own, other in zip(line.axes, load.stored, strict=True) if own != other}
    if not names:
        return line.node
    bound = {axis for part in line.node.walk() for axis in part.axes} - set(line.node.axes)
    made = with_axes(line.node, names)
    if bound & set(load.stored) or made.axes != load.axes:
        raise _Fixed
    return made
