"""Rows that stand for all: where the data enter through their mean and covariance alone, and where a start is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symem.runtime.chunks import _cut
from symem.runtime.description import Data, Model

#: Data further from 0 than so many of their spreads would lose digits when they are put together again.
_FAR = 1e7


#: Starts are drawn on at most so many rows.
_ENOUGH = 20_000


def _sampled(model: Model, data: Data) -> Data:
    """Some of the rows, chosen at random, on which starts are drawn; the data where these are held and not many."""
    rows = model.plates.rows
    if rows is None or (data.held and data[rows] <= _ENOUGH):
        return data
    few = min(data[rows], _ENOUGH)
    chosen = np.sort(np.random.default_rng(0).choice(data[rows], few, replace=False))
    some = Data(data)
    some.update(data.taken(chosen))
    some[rows] = some.scale = few
    return _cut(model, some)


def _condensed(model: Model, data: Data) -> Data:
    """Two rows for every column of the data, of the same mean and covariance; the data where these are few themselves.

    The rows are m ± √(D/n) R_j, R the triangular factor of the centred data, so that no square is ever formed.
    """
    rows = model.plates.rows
    slots = data.slots
    tables = {name: np.moveaxis(data.given[name], slot, 0) for name, slot in slots.items()}
    if model.averages is None or rows is None:
        return data
    columns = np.concatenate([table.reshape(data[rows], -1) for table in tables.values()], axis=1)
    count, width = columns.shape
    mean = columns[0] + np.mean(columns - columns[0], axis=0)
    if count <= 2 * width:
        return data
    factor: Any = np.linalg.qr(columns - mean, mode="r")
    spread = np.sqrt((factor**2).sum(axis=0) / count)
    if np.any((np.abs(mean) > _FAR * spread) & (spread > 0)):
        return data
    half = np.sqrt(width / count) * factor
    few, found = Data(data), mean + np.concatenate([half, -half])
    few.update(_apart(tables, slots, found))
    few[rows] = len(found)
    few = _cut(model, few)
    few[rows], few.scale, few.weight = count, data.scale, count / len(found)
    return few


def _apart(tables: dict[str, Any], slots: Mapping[str, int], columns: Any) -> dict[str, Any]:
    """Columns side by side as the arrays that they are of, in the order in which these were given."""
    found, start = {}, 0
    for name, table in tables.items():
        stop = start + int(np.prod(table.shape[1:]))
        found[name] = np.moveaxis(columns[:, start:stop].reshape(-1, *table.shape[1:]), 0, slots[name])
        start = stop
    return found
