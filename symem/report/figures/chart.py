"""A picture of numbers as data: what is drawn, in the units of its axes. Two printers set it, as SVG and by matplotlib.

Words are plain, with formulas in LaTeX between dollars, as matplotlib has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

#: Inks that are told apart on white and on black, and by those who see few colours; then they repeat.
INKS = ("#3a86c8", "#d97a1e", "#2f9e74", "#b3569b", "#8a7a2a", "#7a6fd0")
#: The ink of the words of the page.
BLACK = "currentColor"

Ends = tuple[float, float]


def ink(number: int) -> str:
    """The ink of a component.

    >>> ink(0) == ink(6) == INKS[0]
    True
    """
    return INKS[int(number) % len(INKS)]


@dataclass(frozen=True)
class Line:
    """A curve through points, with a gap where a number is NaN."""

    x: Any
    y: Any
    ink: str = BLACK
    width: float = 2.0
    dashed: bool = False
    opacity: float = 1.0

    def extent(self) -> Iterator[tuple[Any, Any]]:
        yield self.x, self.y


@dataclass(frozen=True)
class Dots:
    """Points, of a radius in the units of the page."""

    x: Any
    y: Any
    ink: str = BLACK
    radius: float = 2.6
    opacity: float = 1.0

    def extent(self) -> Iterator[tuple[Any, Any]]:
        yield self.x, self.y


@dataclass(frozen=True)
class Bars:
    """Rectangles that stand on `base`."""

    left: Any
    right: Any
    height: Any
    base: Any
    ink: str = BLACK
    opacity: float = 0.17

    def extent(self) -> Iterator[tuple[Any, Any]]:
        yield self.left, self.base
        yield self.right, np.add(self.base, self.height)


@dataclass(frozen=True)
class Band:
    """What lies between two curves."""

    x: Any
    low: Any
    high: Any
    ink: str = BLACK
    opacity: float = 0.2

    def extent(self) -> Iterator[tuple[Any, Any]]:
        yield self.x, self.low
        yield self.x, self.high


@dataclass(frozen=True)
class Note:
    """Words at a point, a little above it and to its right."""

    x: float
    y: float
    words: str

    def extent(self) -> Iterator[tuple[Any, Any]]:
        yield [self.x], [self.y]


Mark = Line | Dots | Bars | Band | Note


@dataclass(frozen=True)
class Chart:
    """Marks on axes.

    Args:
        marks: what is drawn, the last above all others.
        across, up: what the axes are called.
        title: a short name of the picture; `words` say what it shows.
        legend: names with their inks.
        whole: whether there are no numbers between the whole ones across.
        low, high: ends of the upward axis that are given; the others are where the marks end.
        aside: what is said at the picture's edge.
    """

    marks: Sequence[Mark]
    across: str
    up: str
    title: str
    words: str
    legend: Sequence[tuple[str, str]] = ()
    whole: bool = False
    low: float | None = None
    high: float | None = None
    aside: str = ""
    room: float = 0.05

    @cached_property
    def ends(self) -> tuple[Ends, Ends]:
        """From where to where the axes go, across and up."""
        pairs = [pair for mark in self.marks for pair in mark.extent()]
        across, up = (np.concatenate([np.ravel(pair[k]) for pair in pairs]).astype(float) for k in (0, 1))
        low, high = _wide(up, self.room)
        return _wide(across, self.room), (
            low if self.low is None else self.low,
            high if self.high is None else self.high,
        )


def _wide(values: Any, room: float) -> Ends:
    seen = values[np.isfinite(values)]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 1.0)
    more = room * (high - low) if high > low else 0.5 * (abs(high) or 1.0)
    return low - more, high + more
