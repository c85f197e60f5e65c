"""A frame with ticks in which numbers are drawn: the scale of a plot, and its ink."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from symem.report.figures.svg import breadth, drawing, formula, tag, words
from symem.report.notation.digits import fixed

WIDTH, HEIGHT = 520.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 14.0, 30.0, 44.0
#: Inks that are told apart on white and on black, and by those who see few colours; then they repeat.
INKS = ("#3a86c8", "#d97a1e", "#2f9e74", "#b3569b", "#8a7a2a", "#7a6fd0")


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from low to high.

    >>> ticks(0, 10), ticks(-11.3, -9.8, most=3)
    ([0.0, 2.0, 4.0, 6.0, 8.0, 10.0], [-11.0, -10.5, -10.0])
    """
    step = _step((high - low) / most)
    return [round(k * step, 10) for k in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _step(least: float) -> float:
    power = 10.0 ** floor(log10(least))
    return next(
        factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= least * (1 - 1e-9)
    )


@dataclass(frozen=True)
class Axes:
    """Ranges of the numbers across and up, and what they are called (in LaTeX)."""

    across: tuple[float, float]
    up: tuple[float, float]
    name_across: str
    name_up: str
    whole: bool = False

    def x(self, value: float) -> float:
        low, high = self.across
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        low, high = self.up
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def plot(self, parts: Sequence[str], *, title: str, description: str) -> str:
        return drawing(
            WIDTH, HEIGHT, [*self._frame(), *parts], title=title, description=description, of="plot"
        )

    def _frame(self) -> Iterator[str]:
        floor_, left = HEIGHT - BOTTOM, LEFT
        places = _places(ticks(*self.up, most=5))
        for value in ticks(*self.up, most=5):
            yield _line(left, self.y(value), WIDTH - RIGHT, self.y(value), opacity=0.12)
            yield words(fixed(value, places), left - 7, self.y(value) + 4, anchor="end")
        marks = [value for value in ticks(*self.across) if not self.whole or value == round(value)]
        for value in marks:
            yield _line(self.x(value), floor_, self.x(value), floor_ + 5, opacity=0.6)
            yield words(fixed(value, _places(marks)), self.x(value), floor_ + 18)
        yield _line(left, floor_, WIDTH - RIGHT, floor_, opacity=0.6)
        yield formula(self.name_across, (left + WIDTH - RIGHT) / 2, HEIGHT - 9, 14.0)
        yield formula(self.name_up, 4.0, 12.0, 14.0, "start")

    def curve(
        self, points: Sequence[tuple[float, float]], ink: str, *, wide: float = 2.0, dashed: bool = False
    ) -> str:
        path = " ".join(f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in points)
        return tag(
            "polyline",
            points=path,
            stroke=ink,
            stroke_width=wide,
            stroke_linejoin="round",
            stroke_dasharray="6 4" if dashed else None,
        )

    def bar(self, low: float, high: float, height: float, ink: str, opacity: float, base: float = 0.0) -> str:
        return tag(
            "rect",
            x=self.x(low),
            y=self.y(base + height),
            width=max(self.x(high) - self.x(low), 0.5),
            height=max(self.y(base) - self.y(base + height), 0.0),
            fill=ink,
            fill_opacity=f"{opacity:g}",
        )

    def dot(self, a: float, b: float, ink: str, radius: float = 2.6) -> str:
        return tag("circle", cx=self.x(a), cy=self.y(b), r=radius, fill=ink)


def _places(values: Sequence[float]) -> int:
    return next((k for k in range(7) if all(abs(round(v, k) - v) < 1e-9 for v in values)), 6)


def _line(x1: float, y1: float, x2: float, y2: float, *, opacity: float) -> str:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke="currentColor", stroke_opacity=f"{opacity:g}")


def legend(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A short stroke of each ink with its name, from the right of the top."""
    x = WIDTH - RIGHT
    for latex, ink in reversed(entries):
        yield formula(latex, x, 12.0, 13.0, "end")
        x -= 6 + breadth(latex, 13.0)
        yield tag("line", x1=x - 20, y1=13.0, x2=x - 2, y2=13.0, stroke=ink, stroke_width=3.0)
        x -= 34
