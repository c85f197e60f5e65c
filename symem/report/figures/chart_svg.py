"""A chart as SVG: its frame with round numbers, its marks, its legend."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, log10
from typing import Any

import numpy as np

from symem.report.figures.chart import Band, Bars, Chart, Dots, Line, Note
from symem.report.figures.svg import breadth, drawing, formula, tag, words
from symem.report.notation.digits import fixed

WIDTH, HEIGHT = 520.0, 270.0
LEFT, RIGHT, TOP, BOTTOM = 62.0, 14.0, 30.0, 44.0


def svg(chart: Chart) -> str:
    """The drawing."""
    page = _Page(chart)
    return drawing(
        WIDTH,
        HEIGHT,
        [*page.frame(), *page.marks(), *_legend(chart.legend)],
        title=chart.title,
        description=chart.words,
        of="plot",
    )


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
class _Page:
    chart: Chart

    @cached_property
    def _scales(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return self.chart.ends

    def x(self, value: Any) -> Any:
        low, high = self._scales[0]
        return LEFT + (np.asarray(value, dtype=float) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: Any) -> Any:
        low, high = self._scales[1]
        return (
            HEIGHT - BOTTOM - (np.asarray(value, dtype=float) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
        )

    def frame(self) -> Iterator[str]:
        floor_, chart = HEIGHT - BOTTOM, self.chart
        across, up = self._scales
        marks = ticks(*up, most=5)
        for value in marks:
            yield _rule(LEFT, float(self.y(value)), WIDTH - RIGHT, float(self.y(value)), opacity=0.12)
            yield words(fixed(value, _places(marks)), LEFT - 7, float(self.y(value)) + 4, anchor="end")
        marks = [value for value in ticks(*across) if not chart.whole or value == round(value)]
        for value in marks:
            yield _rule(float(self.x(value)), floor_, float(self.x(value)), floor_ + 5, opacity=0.6)
            yield words(fixed(value, _places(marks)), float(self.x(value)), floor_ + 18)
        yield _rule(LEFT, floor_, WIDTH - RIGHT, floor_, opacity=0.6)
        yield label(chart.across, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 9, 14.0)
        yield label(chart.up, 4.0, 12.0, 14.0, "start")
        if chart.aside:
            yield words(chart.aside, WIDTH - RIGHT, HEIGHT - 5, 11.0, "end")

    def marks(self) -> Iterator[str]:
        for mark in self.chart.marks:
            yield from _PRINTERS[type(mark)](self, mark)

    def line(self, line: Line) -> Iterator[str]:
        for part in _runs(self.x(line.x), self.y(line.y)):
            yield tag(
                "polyline",
                points=" ".join(f"{a:.1f},{b:.1f}" for a, b in part),
                stroke=line.ink,
                stroke_width=float(line.width),
                stroke_linejoin="round",
                stroke_opacity=None if line.opacity == 1 else f"{line.opacity:g}",
                stroke_dasharray="6 4" if line.dashed else None,
            )

    def dots(self, dots: Dots) -> Iterator[str]:
        thin = None if dots.opacity == 1 else f"{dots.opacity:g}"
        for a, b in zip(self.x(dots.x), self.y(dots.y), strict=True):
            if np.isfinite(a) and np.isfinite(b):
                yield tag(
                    "circle",
                    cx=float(a),
                    cy=float(b),
                    r=float(dots.radius),
                    fill=dots.ink,
                    fill_opacity=thin,
                )

    def bars(self, bars: Bars) -> Iterator[str]:
        base, top = np.broadcast_to(bars.base, np.shape(bars.height)), np.add(bars.base, bars.height)
        for a, b, low, high in zip(
            self.x(bars.left), self.x(bars.right), self.y(base), self.y(top), strict=True
        ):
            yield tag(
                "rect",
                x=float(a),
                y=float(high),
                width=max(float(b - a), 0.5),
                height=max(float(low - high), 0.0),
                fill=bars.ink,
                fill_opacity=f"{bars.opacity:g}",
            )

    def band(self, band: Band) -> Iterator[str]:
        x = self.x(band.x)
        there = [*zip(x, self.y(band.high), strict=True)]
        back = [*zip(x, self.y(band.low), strict=True)][::-1]
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in there + back if np.isfinite(a) and np.isfinite(b))
        yield tag("polygon", points=points, fill=band.ink, fill_opacity=f"{band.opacity:g}")

    def note(self, note: Note) -> Iterator[str]:
        yield label(note.words, float(self.x(note.x)) + 5, float(self.y(note.y)) - 9, 12.0, "start")


_PRINTERS: dict[type, Callable[[_Page, Any], Iterator[str]]] = {
    Line: _Page.line,
    Dots: _Page.dots,
    Bars: _Page.bars,
    Band: _Page.band,
    Note: _Page.note,
}


def _runs(x: Any, y: Any) -> Iterator[list[tuple[float, float]]]:
    """The parts of a curve between its gaps."""
    part: list[tuple[float, float]] = []
    for a, b in [*zip(x, y, strict=True), (np.nan, np.nan)]:
        if np.isfinite(a) and np.isfinite(b):
            part.append((float(a), float(b)))
        elif part:
            yield part
            part = []


def label(text: str, x: float, y: float, size: float, anchor: str = "middle") -> str:
    """Words in which formulas stand between dollars, set as one formula, its middle at the height y."""
    return formula(in_latex(text), x, y, size, anchor)


def in_latex(text: str) -> str:
    r"""Words with formulas as one formula.

    >>> in_latex("iteration $t$")
    '\\mathrm{iteration\\ }t'
    """
    parts = text.split("$")
    return "".join(
        part if place % 2 else rf"\mathrm{{{_escaped(part)}}}" for place, part in enumerate(parts) if part
    )


def _escaped(part: str) -> str:
    return re.sub(r"[ _^{}]", lambda found: rf"\{found[0]}", part)


def _places(values: Sequence[float]) -> int:
    return next((k for k in range(7) if all(abs(round(v, k) - v) < 1e-9 for v in values)), 6)


def _rule(x1: float, y1: float, x2: float, y2: float, *, opacity: float) -> str:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke="currentColor", stroke_opacity=f"{opacity:g}")


def _legend(entries: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A short stroke of each ink with its name, from the right of the top."""
    x = WIDTH - RIGHT
    for name, colour in reversed(entries):
        yield label(name, x, 12.0, 13.0, "end")
        x -= 6 + breadth(in_latex(name), 13.0)
        yield tag("line", x1=x - 20, y1=13.0, x2=x - 2, y2=13.0, stroke=colour, stroke_width=3.0)
        x -= 34
