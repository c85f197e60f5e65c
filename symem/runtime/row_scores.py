"""The score of each row, and rows that are the same once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symem.runtime.chunks import _cut
from symem.runtime.collapse import _collapsed, _weighing
from symem.runtime.description import Cut, Data, Model
from symem.runtime.em_steps import _coefficients, _e_step, _slopes
from symem.runtime.loop import DataError
from symem.runtime.tangents import _flat


def _few_rows(model: Model, data: Data, counts: Any) -> Cut:
    """Data that were checked, rows that are the same once, cut."""
    return _collapsed(model, data if counts is None else _weighing(model, data, counts))


def _times(model: Model, data: Data, counts: Any) -> Any:
    """How often each row counts, (n)."""
    weights = [data.given[name] for name in model.weights]
    return np.prod([np.ones(data[str(model.plates.rows)]) if counts is None else counts, *weights], axis=0)


def _row_scores(model: Model, theta: Any, data: Data) -> tuple[Any, Any]:
    """The score of each row, (n, p), the slopes of Q at the statistics of that row alone; and what belongs to no row, such as
    the slope of the log-prior, (p), which stands in each of these slopes.
    """
    if model.plates.rows is None or model.slopes is None:
        raise DataError(
            "The data of this model are not cut into independent rows, so no row has a score of its own."
        )
    singly = _by_single_rows(model, theta, data)
    found = np.array([_flat(_slopes(model, theta, theta, each, data, one)) for one, each in singly])
    whole = _total_score(model, theta, _cut(model, data))
    beside = (found.sum(axis=0) - whole) / max(len(found) - 1, 1)
    beside = np.where(np.abs(beside) > 1e-8 * np.abs(found).max(axis=0), beside, 0.0)
    return found - beside, beside


def _total_score(model: Model, theta: Any, data: Cut) -> Any:
    """The slopes of ℓ and the log-prior, (p)."""
    return _flat(_slopes(model, theta, theta, _e_step(model, theta, data), data, data))


def _by_single_rows(model: Model, theta: Any, data: Data) -> Iterator[tuple[Cut, Any]]:
    """The statistics of each row, with the data that it is, a chunk of one."""
    rows = str(model.plates.rows)
    for first in range(data[rows]):
        one = Data(data)
        one.update(data.taken([first]))
        one[rows] = one.scale = 1
        cut = _cut(model, one)
        coefficients = _coefficients(model, theta, cut)
        for chunk in cut.chunks:
            _, latents, value = model.steps.e_step(theta, chunk, coefficients)
            yield cut, model.steps.summarise(chunk, latents, value)
