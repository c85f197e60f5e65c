"""One iteration as a picture that leads the eye: data, posterior, what each row adds, the new estimate, and round again
(after Do & Batzoglou 2008, figure 1).

The picture is drawn of tables of words; who fills them is `sections.em_step_figure`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot

from symem.report.figures.chart import ink
from symem.report.figures.svg import breadth, drawing, formula, tag, words

ROW, HEAD, TEXT, SMALL = 25.0, 28.0, 14.0, 12.0
GAP, PAD, EDGE = 40.0, 8.0, 8.0
TOP = 24.0  # room for the names of the tables
DOWN = 40.0  # from the totals to the new estimate


@dataclass(frozen=True)
class Column:
    """A formula over the rows: its head in LaTeX, a number a row in words, its total if it is summed; shares have the
    strength of their ink, a number from 0 to 1 a row, and the number of their component.
    """

    head: str
    cells: Sequence[str]
    total: str = ""
    strength: Sequence[float] | None = None
    component: int = 0

    @property
    def width(self) -> float:
        widest = max(breadth(each.replace("−", "-"), TEXT) for each in (*self.cells, self.total, "0.00"))
        return max(widest, breadth(self.head, TEXT)) + 2 * PAD


@dataclass(frozen=True)
class Iteration:
    """What an iteration reads, computes and finds.

    Args:
        start: the parameters that it starts from, each an equation in LaTeX.
        data, posterior, added: columns over the same rows.
        new: the new estimates, each an equation in LaTeX.
        theta: the letters of the parameters before and after.
        limit: where the iterations that follow end, in words and equations.
    """

    start: Sequence[str]
    data: Sequence[Column]
    posterior: Sequence[Column]
    added: Sequence[Column]
    new: Sequence[str]
    theta: tuple[str, str]
    limit: tuple[str, Sequence[str]]
    words: str


@dataclass(frozen=True)
class _Box:
    left: float
    right: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


def em_step(told: Iteration) -> str:
    """The drawing."""
    return _Sheet(told).svg()


class _Sheet:
    """Where everything stands: the start and three tables beside one another, the new estimate below."""

    def __init__(self, told: Iteration) -> None:
        self.told = told
        widths = [_list_width(told.start), *(_wide(each) for each in (told.data, told.posterior, told.added))]
        self.boxes: list[_Box | None] = []
        x = EDGE
        for place, width in enumerate(widths):
            self.boxes.append(_Box(x, x + width) if width else None)
            x += (width + (GAP + 20 if place == 1 else GAP)) if width else 0.0  # "E-step" stands in that gap
        self.top = TOP + HEAD
        self.foot = self.top + max(len(told.data[0].cells), len(told.start)) * ROW
        self.middle = (self.top + self.foot) / 2
        self.new_top = self.foot + ROW + DOWN
        self.new_foot = self.new_top + len(told.new) * ROW + 8
        self.new = self._below(x - GAP)
        self.width = max(x - GAP, self.new.right) + EDGE
        self.height = self.new_foot + (ROW if told.limit[1] else 0) + EDGE

    def _below(self, right: float) -> _Box:
        """The new estimate, under the tables whose totals it is made of."""
        start, wide = self.boxes[0], _list_width(self.told.new)
        summed = [box for box in self.boxes[2:] if box is not None]
        assert start is not None
        middle = min((summed[0].left + summed[-1].right) / 2, right - wide / 2)
        left = max(middle - wide / 2, start.right + 90)  # the name of the way back stands before it
        return _Box(left, left + wide)

    def svg(self) -> str:
        parts = [
            *self.lists(),
            *(part for place in (1, 2, 3) for part in self.table(place)),
            *self.arrows(),
        ]
        return drawing(
            self.width, self.height, parts, title="One iteration", description=self.told.words, of="plot"
        )

    # the parameters before and after ------------------------------------------------------------

    def lists(self) -> Iterator[str]:
        start = self.boxes[0]
        assert start is not None
        yield from self.named("start", start)
        yield from self.listed(self.told.start, start, self.middle - len(self.told.start) * ROW / 2 - 4)
        yield from self.listed(self.told.new, self.new, self.new_top)
        if self.told.limit[1]:
            end = r",\ \ ".join(self.told.limit[1])
            told = rf"\mathrm{{{self.told.limit[0].replace(' ', chr(92) + ' ')}:}}\ \ {end}"
            yield formula(told, self.new.left, self.new_foot + 0.6 * ROW, SMALL + 1, "start")

    def listed(self, equations: Sequence[str], box: _Box, top: float) -> Iterator[str]:
        yield tag(
            "rect",
            x=box.left,
            y=top,
            width=box.right - box.left,
            height=len(equations) * ROW + 8,
            rx=7.0,
            stroke="currentColor",
            stroke_opacity=0.55,
            stroke_width=1.2,
        )
        for place, equation in enumerate(equations):
            yield formula(equation, box.left + PAD, top + 4 + (place + 0.5) * ROW, TEXT, "start")

    def named(self, text: str, box: _Box) -> Iterator[str]:
        yield words(text, box.middle, TOP - 8, SMALL, fill_opacity="0.75")

    # tables -------------------------------------------------------------------------------------

    def table(self, place: int) -> Iterator[str]:
        """One of data, posterior, and what rows add."""
        box = self.boxes[place]
        if box is None:
            return
        columns = (self.told.data, self.told.posterior, self.told.added)[place - 1]
        names = ("data", "posterior", "what each row adds")
        yield from self.named(names[place - 1], box)
        yield _rule(box.left, self.top, box.right, self.top)
        x = box.left
        for column in columns:
            yield formula(column.head, x + column.width / 2, self.top - 14, TEXT)
            yield from self.cells(column, x)
            x += column.width
        if any(column.total for column in columns):
            yield _rule(box.left, self.foot, box.right, self.foot)
            yield formula(r"\sum", box.left - 9, self.foot + ROW / 2, TEXT)

    def cells(self, column: Column, x: float) -> Iterator[str]:
        for row, cell in enumerate(column.cells):
            y = self.top + row * ROW
            if column.strength is not None:
                yield tag(
                    "rect",
                    x=x + 2,
                    y=y + 2,
                    width=column.width - 4,
                    height=ROW - 4,
                    rx=4.0,
                    fill=ink(column.component),
                    fill_opacity=f"{0.08 + 0.6 * column.strength[row]:.3g}",
                )
            yield words(cell, x + column.width / 2, y + ROW / 2 + 5, TEXT)
        if column.total:
            total = words(
                column.total, x + column.width / 2, self.foot + ROW / 2 + 5, TEXT, font_weight="bold"
            )
            yield total

    # the way ------------------------------------------------------------------------------------

    def arrows(self) -> Iterator[str]:
        tables = [box for box in self.boxes if box is not None]
        for place in range(2, len(tables)):
            before, box = tables[place - 1], tables[place]
            yield from _arrow(
                before.right + 6, self.middle, box.left - 18, self.middle
            )  # before the sign of the sum
        estep = (tables[1].right + tables[2].left) / 2 - 5
        yield words("E-step", estep, self.middle - 9, SMALL, font_weight="bold")
        down = min(max((tables[2].left + tables[-1].right) / 2, self.new.left + 20), self.new.right - 20)
        yield from _arrow(down, self.foot + ROW + 6, down, self.new_top - 4)
        y = self.foot + ROW + DOWN / 2 + 4
        yield words("M-step", down + 9, y, SMALL, "start", font_weight="bold")
        yield from self.back(tables[0])

    def back(self, start: _Box) -> Iterator[str]:
        """From the new estimate to the start."""
        low, high = (self.new_top + self.new_foot) / 2, self.middle + len(self.told.start) * ROW / 2 + 10
        path = (
            f"M {self.new.left - 4:.1f} {low:.1f} H {start.middle + 8:.1f} a 8 8 0 0 1 -8 -8 V {high + 7:.1f}"
        )
        yield tag("path", d=path, stroke="currentColor", stroke_width=1.4)
        yield from _arrow(start.middle, high + 8, start.middle, high)
        yield formula(
            rf"\mathrm{{again\ from\ }}{self.told.theta[1]}", start.middle + 14, low - 12, SMALL + 1, "start"
        )


def _wide(columns: Sequence[Column]) -> float:
    return sum(column.width for column in columns)


def _list_width(equations: Sequence[str]) -> float:
    return max((breadth(each, TEXT) for each in equations), default=0.0) + 2 * PAD + 4


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke="currentColor", stroke_opacity=0.5)


def _arrow(x1: float, y1: float, x2: float, y2: float) -> Iterator[str]:
    """A straight arrow."""
    long = hypot(x2 - x1, y2 - y1)
    across, down = (x2 - x1) / long, (y2 - y1) / long
    foot = (x2 - 7 * across, y2 - 7 * down)
    yield tag("line", x1=x1, y1=y1, x2=foot[0], y2=foot[1], stroke="currentColor", stroke_width=1.4)
    wings = [(foot[0] + s * 3.2 * down, foot[1] - s * 3.2 * across) for s in (1, -1)]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in ((x2, y2), *wings))
    yield tag("polygon", points=points, fill="currentColor")
