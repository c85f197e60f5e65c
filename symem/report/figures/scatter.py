"""Pairs of numbers as points, each in the ink of its most probable label."""

from __future__ import annotations

from typing import Any

import numpy as np

from symem.derivation import Table
from symem.language.model import Variable
from symem.report.figures.plot_axes import INKS, Axes, legend
from symem.report.figures.plots import MOST_COMPONENTS, Plot, first_in_print, only_datum
from symem.report.fitted import Fitted

#: Of more rows than these some are drawn, evenly spread over all.
MOST_POINTS = 1000


def pairs(found: Fitted) -> tuple[Variable, Any] | None:
    """The only array along its plate with its values (n, 2), if they are pairs of numbers."""
    datum = only_datum(found)
    if datum is None or datum.support.discrete:
        return None
    values = np.asarray(found.given[datum.name], dtype=float)
    values = values[..., 0] if values.ndim == 3 and values.shape[-1] == 1 else values
    return (datum, values) if values.ndim == 2 and values.shape[1] == 2 else None


def scatter(found: Fitted, names: tuple[str, str], component: str) -> Plot | None:
    """The points, where data are pairs; those with a missing entry are left out."""
    seen = pairs(found)
    if seen is None:
        return None
    datum, values = seen
    labels, count = _labels(found, len(values))
    whole = np.flatnonzero(np.all(np.isfinite(values), axis=1))
    kept = whole[:: max(1, -(-len(whole) // MOST_POINTS))]
    if not len(kept) or np.any(np.ptp(values[kept], axis=0) == 0):
        return None
    low, high = values[kept].min(axis=0), values[kept].max(axis=0)
    room = 0.05 * (high - low)
    across, up = ((float(a), float(b)) for a, b in zip(low - room, high + room, strict=True))
    axes = Axes(across, up, *names)
    dots = [axes.dot(float(values[row, 0]), float(values[row, 1]), INKS[labels[row]]) for row in kept]
    first = first_in_print(found)
    told = [(rf"{component} = {k + first}", INKS[k]) for k in range(count)] if count > 1 else []
    words = f"{len(kept)} of {len(values)} pairs of {datum.name}" + (
        ", each in the ink of its most probable label." if count > 1 else "."
    )
    return Plot(axes.plot([*dots, *legend(told)], title="Scatter of the data", description=words), words)


def _labels(found: Fitted, rows: int) -> tuple[Any, int]:
    """The most probable label of each row, and how many there are; one for all where that is not told."""
    match found.derivation.posteriors:
        case [Table(axes=[_]) as label, *_]:
            table = found.estimated_shares(label)
            if table.ndim == 2 and len(table) == rows and table.shape[1] <= MOST_COMPONENTS:
                return np.argmax(table, axis=1), table.shape[1]
    return np.zeros(rows, dtype=int), 1
