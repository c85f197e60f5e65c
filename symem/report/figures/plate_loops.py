"""The arrow from a node to itself: a loop on the side where the fewest arrows are, with what it goes from and to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symem.report.figures.svg import breadth, formula, tag

Point = tuple[float, float]
Box = tuple[float, float, float, float]

#: How far a loop reaches from the edge of a node, half its breadth, and the size of its words.
REACH, HALF, SMALL = 21.0, 15.0, 13.0
#: Outward and sideways, by what is tried first.
SIDES = (
    ((0.0, -1.0), (1.0, 0.0)),
    ((1.0, 0.0), (0.0, 1.0)),
    ((-1.0, 0.0), (0.0, -1.0)),
    ((0.0, 1.0), (-1.0, 0.0)),
    ((0.7, 0.7), (-0.7, 0.7)),
    ((-0.7, 0.7), (-0.7, -0.7)),
    ((0.7, -0.7), (0.7, 0.7)),
    ((-0.7, -0.7), (0.7, -0.7)),
)


@dataclass(frozen=True)
class Loop:
    """A loop at a node of that middle, `flat` wider than a circle of that radius to both sides, and its words."""

    middle: Point
    radius: float
    flat: float
    words: str
    outward: Point
    sideways: Point

    def _at(self, out: float, side: float) -> Point:
        (x, y), (u, v), (a, b) = self.middle, self.outward, self.sideways
        return x + self.flat * (u > 0) - self.flat * (u < 0) + out * u + side * a, y + out * v + side * b

    @property
    def _end(self) -> tuple[Point, str]:
        """Where its words stand, and by which end."""
        x, y = self._at(self.radius + REACH, 0.0)
        if self.outward[0]:
            return (x + 5 * self.outward[0], y), "start" if self.outward[0] > 0 else "end"
        return (x, y + 8 * self.outward[1]), "middle"

    @property
    def box(self) -> Box:
        """What it covers, words included."""
        corners = [
            self._at(out, side) for out in (self.radius + 2, self.radius + REACH) for side in (-HALF, HALF)
        ]
        (x, y), anchor = self._end
        wide = breadth(self.words, SMALL) + 4 if self.words else 0.0
        left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
        high = SMALL / 2 + 2 if self.words else 0.0
        xs, ys = [*(c[0] for c in corners), left, left + wide], [*(c[1] for c in corners), y - high, y + high]
        return min(xs), min(ys), max(xs), max(ys)

    def drawn(self) -> Iterator[str]:
        first, last = self._at(self.radius - 2, -10.0), self._at(self.radius + 1, 10.0)
        one, two = self._at(self.radius + 26, -22.0), self._at(self.radius + 26, 22.0)
        numbers = " ".join(f"{x:.1f} {y:.1f}" for x, y in (one, two, last))
        path = f"M {first[0]:.1f} {first[1]:.1f} C {numbers}"
        yield tag("path", d=path, stroke="currentColor", stroke_width=1.3)
        tip = (
            self._at(self.radius - 2, 9.0),
            self._at(self.radius + 7, 9.0),
            self._at(self.radius + 4.5, 15.5),
        )
        yield tag("polygon", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in tip), fill="currentColor")
        if self.words:
            (x, y), anchor = self._end
            yield formula(self.words, x, y, SMALL, anchor)


def overlap(one: Box, other: Box) -> bool:
    """Whether two rectangles meet."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def cuts(start: Point, end: Point, box: Box) -> bool:
    """Whether a segment meets a rectangle, by points along it."""
    steps = [step / 40 for step in range(41)]
    points = ((start[0] + s * (end[0] - start[0]), start[1] + s * (end[1] - start[1])) for s in steps)
    return any(box[0] <= x <= box[2] and box[1] <= y <= box[3] for x, y in points)
