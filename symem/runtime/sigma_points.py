"""A few rows with the mean and the covariance of many: sigma points (Julier & Uhlmann 1997), exact for quadratics.

Of n rows with mean m they are m + √(p/n) H R: R is the triangular factor of the centred rows, so that no square is ever
formed, and the p rows of H have orthonormal columns that sum to 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

#: Data further from 0 than so many of their spreads would lose digits, from the twelfth on, when they are put together
#: again.
_FAR = 3e4


def _sigma_points(rows: Any, counts: Any, starts: Any) -> tuple[Any, Any, Any]:
    """Rows (n, D) that count so often, in groups that start so; by fewer of each group where there are any.

    Returns:
        the group of each, they themselves, and how often each counts.
    """
    sizes = np.diff(starts, append=len(rows))
    group = np.repeat(np.arange(len(starts)), sizes)
    total = np.add.reduceat(counts, starts)
    first = rows[starts]
    apart = rows - first[group]
    varies = np.logical_or.reduceat(apart != 0, starts, axis=0)
    mean = first + np.add.reduceat(apart * counts[:, None], starts, axis=0) / total[:, None]
    apart = (rows - mean[group]) * np.sqrt(counts)[:, None]
    spread = np.sqrt(np.add.reduceat(apart**2, starts, axis=0) / total[:, None])
    far = (varies & (np.abs(mean) > _FAR * spread)).any(axis=1)
    kept = far | (sizes <= varies.sum(axis=1) + 1)
    own = kept[group]
    found = [(group[own], rows[own], counts[own])]
    for alike in _of_one_shape(np.flatnonzero(~kept), varies, sizes):
        moved = varies[alike[0]]
        places = np.repeat(np.arange(len(alike)), sizes[alike])
        inside = np.arange(len(places)) - np.repeat(np.cumsum(sizes[alike]) - sizes[alike], sizes[alike])
        centred = np.zeros((len(alike), sizes[alike].max(), moved.sum()))
        centred[places, inside] = apart[np.repeat(starts[alike], sizes[alike]) + inside][:, moved]
        points = _around(mean[alike], moved, centred, total[alike])
        each = points.shape[1]
        found.append(
            (np.repeat(alike, each), points.reshape(-1, len(moved)), np.repeat(total[alike] / each, each))
        )
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))  # type: ignore[return-value]


def _of_one_shape(groups: Any, varies: Any, sizes: Any) -> Iterator[Any]:
    """Groups with the same columns that vary and about as many rows."""
    if not len(groups):
        return
    shape = np.column_stack([varies[groups], np.ceil(np.log2(sizes[groups]))])
    _, which = np.unique(shape, axis=0, return_inverse=True)
    which = which.reshape(-1)
    order = np.argsort(which, kind="stable")
    yield from np.split(groups[order], np.flatnonzero(np.diff(which[order])) + 1)


def _around(mean: Any, moved: Any, centred: Any, total: Any) -> Any:
    """The points of groups (g, p, D) about their means, from centred rows (g, n, r) of the columns that vary."""
    width = centred.shape[-1]
    points = np.repeat(mean[:, None], width + 1, axis=1)
    if width:
        factor: Any = np.linalg.qr(centred, mode="r")
        points[:, :, moved] += np.sqrt((width + 1) / total)[:, None, None] * (_contrasts(width) @ factor)
    return points


def _contrasts(width: int) -> Any:
    """A matrix (width + 1, width) of orthonormal columns that sum to 0 (Helmert 1876)."""
    place, column = np.arange(width + 1)[:, None], np.arange(width)
    found = np.where(place <= column, 1.0, np.where(place == column + 1, -1.0 - column, 0.0))
    return found / np.sqrt((column + 1.0) * (column + 2.0))
