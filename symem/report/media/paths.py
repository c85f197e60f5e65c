"""Paths of SVG as paths of PDF: lines stay lines, arcs become Bézier curves.

Of SVG's commands there are M, L, H, V, C, A and Z, absolute and relative; arcs after the implementation notes of
SVG 1.1, F.6.5.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import acos, ceil, copysign, cos, hypot, pi, sin, sqrt, tan

Point = tuple[float, float]
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
_COMMAND = re.compile(r"([A-Za-z])([^A-DF-Za-df-z]*)")
_TAKEN = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "A": 7, "Z": 0}


def numbers(text: str) -> list[float]:
    """Numbers in a row.

    >>> numbers("1.5,-2 3e1")
    [1.5, -2.0, 30.0]
    """
    return [float(each) for each in _NUMBER.findall(text)]


def operators(path: str) -> Iterator[str]:
    """The operators m, l, c and h of PDF.

    >>> list(operators("M 1 2 h 3 v -1 l 1 1 z"))
    ['1 2 m', '4 2 l', '4 1 l', '5 2 l', 'h']
    >>> list(operators("M 0 0 c 0 1 1 2 2 2"))
    ['0 0 m', '0 1 1 2 2 2 c']

    Raises:
        KeyError: a command that is not among those above.
    """
    pen = Pen()
    for command, text in _COMMAND.findall(path):
        count, found = _TAKEN[command.upper()], numbers(text)
        for start in range(0, max(len(found), 1), max(count, 1)):
            yield from pen.move(command, found[start : start + count])
            command = {"M": "L", "m": "l"}.get(command, command)  # noqa: PLW2901  more pairs are lines


@dataclass
class Pen:
    """Where the path has come to."""

    x: float = 0.0
    y: float = 0.0
    first: Point = (0.0, 0.0)

    def move(self, command: str, values: Sequence[float]) -> Iterator[str]:
        """One command on from here."""
        kind = command.upper()
        origin = (self.x, self.y) if command.islower() else (0.0, 0.0)
        if kind == "Z":
            self.x, self.y = self.first
            yield "h"
            return
        yield from _MOVES[kind](self, origin, values)
        if kind == "M":
            self.first = (self.x, self.y)

    def to(self, x: float, y: float, operator: str) -> str:
        self.x, self.y = x, y
        return f"{x:g} {y:g} {operator}"

    def point(self, origin: Point, values: Sequence[float], operator: str = "l") -> Iterator[str]:
        yield self.to(origin[0] + values[0], origin[1] + values[1], operator)

    def start(self, origin: Point, values: Sequence[float]) -> Iterator[str]:
        yield from self.point(origin, values, "m")

    def across(self, origin: Point, values: Sequence[float]) -> Iterator[str]:
        yield self.to(origin[0] + values[0], self.y, "l")

    def down(self, origin: Point, values: Sequence[float]) -> Iterator[str]:
        yield self.to(self.x, origin[1] + values[0], "l")

    def curve(self, origin: Point, values: Sequence[float]) -> Iterator[str]:
        *handles, x, y = (value + origin[place % 2] for place, value in enumerate(values))
        yield " ".join(f"{each:.5g}" for each in handles) + " " + self.to(x, y, "c")

    def arc(self, origin: Point, values: Sequence[float]) -> Iterator[str]:
        rx, ry, turn, large, sweep, x, y = values
        end = (origin[0] + x, origin[1] + y)
        for curve in arcs((self.x, self.y), end, (rx, ry), turn * pi / 180, flags=(bool(large), bool(sweep))):
            yield from self.curve((0.0, 0.0), curve)


_MOVES: dict[str, Callable[[Pen, Point, Sequence[float]], Iterator[str]]] = {
    "M": Pen.start, "L": Pen.point, "H": Pen.across, "V": Pen.down, "C": Pen.curve, "A": Pen.arc,
}  # fmt: skip


def arcs(
    start: Point, end: Point, radii: Point, turn: float, *, flags: tuple[bool, bool]
) -> Iterator[tuple[float, ...]]:
    """An elliptical arc as Bézier curves of at most a quarter turn; `flags` are SVG's large-arc and sweep.

    >>> [[round(value, 3) for value in each] for each in arcs((0, -1), (0, 1), (1, 1), 0.0, flags=(True, False))]
    [[-0.552, -1.0, -1.0, -0.552, -1.0, -0.0], [-1.0, 0.552, -0.552, 1.0, -0.0, 1.0]]
    """
    rx, ry, x, y = _grown(start, end, radii, turn)
    sign = 1.0 if flags[0] != flags[1] else -1.0
    factor = sign * sqrt(max(0.0, (rx * ry) ** 2 / ((rx * y) ** 2 + (ry * x) ** 2) - 1.0))
    cx, cy = factor * rx * y / ry, -factor * ry * x / rx
    first = _angle((1.0, 0.0), ((x - cx) / rx, (y - cy) / ry))
    swept = _angle(((x - cx) / rx, (y - cy) / ry), ((-x - cx) / rx, (-y - cy) / ry))
    swept += 2 * pi * ((flags[1] and swept < 0) - (not flags[1] and swept > 0))
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)

    def placed(a: float, b: float) -> Point:
        u, v = cx + rx * a, cy + ry * b
        return middle[0] + cos(turn) * u - sin(turn) * v, middle[1] + sin(turn) * u + cos(turn) * v

    parts = max(1, ceil(abs(swept) / (pi / 2) - 1e-9))
    step = swept / parts
    reach = 4 / 3 * tan(step / 4)
    for a in (first + step * part for part in range(parts)):
        b = a + step
        handles = placed(cos(a) - reach * sin(a), sin(a) + reach * cos(a))
        yield *handles, *placed(cos(b) + reach * sin(b), sin(b) - reach * cos(b)), *placed(cos(b), sin(b))


def _grown(start: Point, end: Point, radii: Point, turn: float) -> tuple[float, float, float, float]:
    """Radii that reach from end to end, and half the way between them in the ellipse's own directions."""
    across, down = (start[0] - end[0]) / 2, (start[1] - end[1]) / 2
    x, y = cos(turn) * across + sin(turn) * down, -sin(turn) * across + cos(turn) * down
    grown = max(1.0, hypot(x / radii[0], y / radii[1]))
    return radii[0] * grown, radii[1] * grown, x, y


def _angle(u: Point, v: Point) -> float:
    cosine = (u[0] * v[0] + u[1] * v[1]) / (hypot(*u) * hypot(*v))
    return copysign(acos(max(-1.0, min(1.0, cosine))), u[0] * v[1] - u[1] * v[0])
