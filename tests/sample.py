"""A story that holds every kind of block and every part of a line, in kind words or in hostile ones."""

from __future__ import annotations

from symem.derivation import Status
from symem.report.document import (
    Algorithm,
    Anchor,
    Code,
    Display,
    Figure,
    Instruction,
    Items,
    Link,
    Mark,
    Maths,
    Section,
    Table,
    Term,
    Typed,
    said,
)

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 120" width="320" height="120">'
    '<path d="M20 10V100H300" fill="none" stroke="currentColor"/>'
    '<polyline points="20,100 100,50 180,25 300,20" fill="none" stroke="#1f5c99"/>'
    '<text x="160" y="116" text-anchor="middle" fill="currentColor">iteration</text></svg>'
)


def sample(words: str = "Heads and tails") -> tuple[Section, ...]:
    """The story; `words` stand wherever words may stand."""
    table = Table(
        header=((words,), said("@", r"\gamma_{iA}"), said("@", r"\gamma_{iB}")),
        rows=(
            (("1",), ("0.45",), ("0.55",)),
            ((words,), ("0.80",), ("0.20",)),
            (("total",), ("1.25",), ("0.75",)),
        ),
        caption=(words, ", attributed to each coin."),
        note=("Rounded; ", words),
        align="lrr",
        totals=1,
    )
    certificate = (
        "Stationarity: ",
        Mark(Status.PROVED, anchor="certificate"),
        ", ",
        Mark(Status.CHECKED, 12, "x"),
    )
    prose = (
        words, " in ", Maths(r"x_{i} < 1"), ", by ", Term(words), ", see ", Link(words, "certificate"), ", ",
        Typed(words), ".",
    )  # fmt: skip
    lines = (
        Instruction(said("Choose @.", r"\theta^{(0)}")),
        Instruction((words,), depth=1, equations=((r"w_{k} &= \frac{S_{0k}}{n}",),)),
    )
    blocks = (
        prose,
        Display(((r"a &= b", r"&\quad + c"), (r"d &= e",))),
        Items((certificate, (words,)), ordered=True),
        table,
        Figure(DRAWING, (words,), words, table),
        Code("python", f"x = 1  # {words!r}\nprint(x)\n", words),
        Code("text", words),
        Algorithm((words,), lines),
        (Anchor("certificate"), Mark(Status.OPEN), " ", words),
    )
    return (
        Section((words, " ", Maths(r"\mu_{k}")), blocks, anchor="start"),
        Section((words,), (prose,), level=2),
        Section((words,), (prose,), level=2),
    )
