"""A chart on axes of matplotlib."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symem.report.figures.chart import BLACK, Band, Bars, Chart, Dots, Line, Note

#: Points of a circle's area for a radius of 1 on the page; beyond so many points they are a picture of dots.
_AREA, _MANY = 2.0, 1000


def draw_chart(chart: Chart, ax: Any) -> Any:
    """Every mark of the chart, with the names of its axes."""
    for mark in chart.marks:
        _PRINTERS[type(mark)](ax, mark)
    if chart.whole:
        ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel=chart.across, ylabel=chart.up)
    ax.set_ylim(bottom=chart.low, top=chart.high)
    if chart.aside:
        ax.set_title(chart.aside, fontsize="small", loc="right")
    if chart.legend:
        _legend(ax, chart)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _colour(ink: str) -> str:
    return "0.15" if ink == BLACK else ink


def _line(ax: Any, line: Line) -> None:
    ax.plot(
        line.x,
        line.y,
        "--" if line.dashed else "-",
        color=_colour(line.ink),
        linewidth=0.8 * line.width,
        alpha=line.opacity,
    )


def _dots(ax: Any, dots: Dots) -> None:
    style: dict[str, Any] = {"rasterized": len(np.atleast_1d(dots.x)) > _MANY, "linewidths": 0, "zorder": 3}
    ax.scatter(dots.x, dots.y, s=_AREA * dots.radius**2, color=_colour(dots.ink), alpha=dots.opacity, **style)


def _bars(ax: Any, bars: Bars) -> None:
    wide = np.subtract(bars.right, bars.left)
    style: dict[str, Any] = {"color": _colour(bars.ink), "alpha": bars.opacity, "linewidth": 0}
    ax.bar(bars.left, bars.height, wide, bottom=bars.base, align="edge", **style)


def _band(ax: Any, band: Band) -> None:
    ax.fill_between(band.x, band.low, band.high, color=_colour(band.ink), alpha=band.opacity, linewidth=0)


def _note(ax: Any, note: Note) -> None:
    ax.annotate(note.words, (note.x, note.y), xytext=(4, 4), textcoords="offset points", fontsize="small")


_PRINTERS: dict[type, Callable[[Any, Any], None]] = {
    Line: _line,
    Dots: _dots,
    Bars: _bars,
    Band: _band,
    Note: _note,
}


def _legend(ax: Any, chart: Chart) -> None:
    """Above the axes if names are few, else beside them."""
    from matplotlib.lines import Line2D  # noqa: PLC0415  an optional extra

    strokes = [Line2D([], [], color=_colour(ink), linewidth=2.5) for _, ink in chart.legend]
    few = len(strokes) <= 4
    place: dict[str, Any] = (
        {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "ncols": len(strokes)}
        if few and not chart.aside
        else {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
    )
    ax.legend(strokes, [name for name, _ in chart.legend], fontsize="small", frameon=False, **place)
