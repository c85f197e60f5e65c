"""A sequence along its places: the data in the colours of the decoded labels, the probabilities of each place's label, and
the band in which a state lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symem.report.figures.chart import Band, Chart, Dots, Line, ink
from symem.report.figures.data_charts import legend
from symem.report.figures.shown import Shown, States

#: The ink of the line that joins data; beyond so many places dots are small.
_JOINED, _MANY = "#9aa0a6", 200


def sequence_chart(shown: Shown) -> Chart | None:
    """The data of a chain over their places, each in the colour of its label on the most probable path."""
    found = shown.sequence
    if found is None or found.values is None:
        return None
    at = np.arange(len(found.path)) + shown.names.first_row
    seen = np.isfinite(found.values)
    marks: list[Any] = [Line(at[seen], found.values[seen], _JOINED, 0.7)]
    radius = 2.4 if len(at) <= _MANY else 1.4
    for place in range(found.table.shape[1]):
        own = seen & (found.path == place)
        marks.append(Dots(at[own], found.values[own], ink(place), radius))
    return Chart(
        marks,
        shown.names.place,
        shown.names.number(found.data),
        title="Decoded",
        words=f"{_which(found.of)}, each datum in the colour of its label on the most probable path.",
        legend=legend(found.called),
        whole=True,
    )


def along_chart(shown: Shown) -> Chart | None:
    """The probabilities of the label of each place, one above the other."""
    found = shown.sequence
    if found is None:
        return None
    at = np.arange(len(found.path)) + shown.names.first_row
    ends = np.hstack([np.zeros((len(at), 1)), np.cumsum(found.table, axis=1)])
    marks = [Band(at, ends[:, k], ends[:, k + 1], ink(k), 0.75) for k in range(found.table.shape[1])]
    return Chart(
        marks,
        shown.names.place,
        shown.names.probability(found.label),
        title="Posterior",
        words=f"{_which(found.of)}: the posterior probabilities of the label {found.label} of each place.",
        legend=legend(found.called),
        whole=True,
        low=-0.02,
        high=1.02,
    )


def states_chart(shown: Shown) -> Chart | None:
    """The mean of each state given all data, two standard deviations to both sides, and the data over it where they lie there."""
    found = shown.states
    if found is None:
        return None
    at = np.arange(len(found.mean)) + shown.names.first_row
    low, high = found.mean - 2 * found.spread, found.mean + 2 * found.spread
    marks: list[Any] = [Band(at, low, high, ink(0)), Line(at, found.mean, ink(0), 1.4)]
    if _lies_there(found):
        seen = np.isfinite(found.values)
        radius = 2.0 if len(at) <= _MANY else 1.2
        marks.append(Dots(at[seen], found.values[seen], _JOINED, radius))
    return Chart(
        marks,
        shown.names.place,
        shown.names.mean(found.name) + " ± 2 sd",
        title="Smoothed",
        words=f"{_which(found.of)}: the mean of {found.name} at each place given all data, with two standard deviations to "
        "both sides" + (", and the data." if _lies_there(found) else "."),
        whole=True,
    )


def data_along_chart(shown: Shown) -> Chart | None:
    """The data beside states over their places."""
    found = shown.states
    if found is None or found.values is None:
        return None
    at, seen = np.arange(len(found.mean)) + shown.names.first_row, np.isfinite(found.values)
    radius = 2.4 if len(at) <= _MANY else 1.4
    return Chart(
        [
            Line(at[seen], found.values[seen], _JOINED, 0.7),
            Dots(at[seen], found.values[seen], ink(0), radius),
        ],
        shown.names.place,
        shown.names.number(found.data),
        title="Data",
        words=f"{_which(found.of)}, datum by datum.",
        whole=True,
    )


def _lies_there(found: States) -> bool:
    """Whether the data are of the size of the states: a loading may stand between them."""
    if found.values is None or not np.isfinite(found.values).any():
        return False
    middle, reach = np.nanmedian(found.values), 4 * float(np.max(found.spread))
    return bool(found.mean.min() - reach <= middle <= found.mean.max() + reach)


def _which(count: int) -> str:
    return "The sequence" if count == 1 else f"The first of {count} sequences"
