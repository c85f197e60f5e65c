"""Lines of equal height on a grid: marching squares (Lorensen & Cline 1987, in the plane)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Edge = tuple[int, int, int]  # row and column of a corner, and whether the edge leaves it upward


def isoline(x: Any, y: Any, heights: Any, level: float) -> tuple[Any, Any]:
    """The line at which a function has that height, its parts one after the other with NaN between them.

    Args:
        x: places across (c).
        y: places up (r).
        heights: the function there (r, c); cells with a corner that is not finite are left out.
        level: the height.

    >>> across, up = isoline([0, 1], [0, 1], np.array([[0.0, 0.0], [1.0, 1.0]]), 0.25)
    >>> across.tolist(), up.tolist()
    ([1.0, 0.0, nan], [0.25, 0.25, nan])
    """
    points: list[tuple[float, float]] = []
    for chain in _chained(list(_segments(heights, level))):
        points += [*(_point(x, y, heights, level, edge) for edge in chain), (np.nan, np.nan)]
    found = np.array(points, dtype=float).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _segments(heights: Any, level: float) -> Iterator[tuple[Edge, Edge]]:
    """In each cell the edges that the line joins; of a saddle those that keep its high corners apart."""
    high = np.asarray(heights) > level
    whole = np.isfinite(heights)
    number = high[:-1, :-1] + 2 * high[:-1, 1:] + 4 * high[1:, 1:] + 8 * high[1:, :-1]
    sound = whole[:-1, :-1] & whole[:-1, 1:] & whole[1:, 1:] & whole[1:, :-1]
    for row, column in np.argwhere(sound & (number > 0) & (number < 15)):
        sides: tuple[Edge, ...] = (
            (row, column, 0), (row, column + 1, 1), (row + 1, column, 0), (row, column, 1),
        )  # fmt: skip
        corners = [bool(number[row, column] & bit) for bit in (1, 2, 4, 8)]
        crossed = [sides[k] for k in range(4) if corners[k] != corners[(k + 1) % 4]]
        if len(crossed) == 4 and corners[0]:
            crossed = [crossed[-1], *crossed[:-1]]
        yield from zip(crossed[::2], crossed[1::2], strict=True)


def _chained(segments: list[tuple[Edge, Edge]]) -> Iterator[list[Edge]]:
    """Segments that meet, joined."""
    meeting: dict[Edge, list[int]] = {}
    for number, ends in enumerate(segments):
        for end in ends:
            meeting.setdefault(end, []).append(number)
    left = set(range(len(segments)))

    def follow(end: Edge) -> Iterator[Edge]:
        while further := [number for number in meeting[end] if number in left]:
            left.discard(further[0])
            a, b = segments[further[0]]
            end = b if a == end else a
            yield end

    while left:
        first = min(left)
        left.discard(first)
        start, end = segments[first]
        ahead = [end, *follow(end)]
        yield [*reversed(list(follow(start))), start, *ahead]


def _point(x: Any, y: Any, heights: Any, level: float, edge: Edge) -> tuple[float, float]:
    """Where the line crosses an edge, by the heights at its ends."""
    row, column, up = edge
    other = (row + 1, column) if up else (row, column + 1)
    a, b = heights[row, column], heights[other]
    share = (level - a) / (b - a)
    return (
        float(x[column] + share * (x[other[1]] - x[column])),
        float(y[row] + share * (y[other[0]] - y[row])),
    )
