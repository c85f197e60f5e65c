"""The score of each row, and rows that are the same once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.chunks import _cut
from symem.runtime.collapse import _collapsed, _weighing
from symem.runtime.description import Cut, Data, Model, Rows
from symem.runtime.distinct import _together
from symem.runtime.em_steps import _coefficients, _e_step, _inferring, _refill, _slopes
from symem.runtime.kernels import _times_counts
from symem.runtime.loop import DataError
from symem.runtime.monomials import _by_feature
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
    together = _scores_of_products(model, theta, data)
    if together is not None:
        return together
    chosen, which = _kinds(data, data[str(model.plates.rows)])
    singly = _by_single_rows(model, theta, data, chosen)
    found = np.array([_flat(_slopes(model, theta, theta, each, data, one)) for one, each in singly])[which]
    whole = _total_score(model, theta, _cut(model, data))
    beside = (found.sum(axis=0) - whole) / max(len(found) - 1, 1)
    beside = np.where(np.abs(beside) > 1e-8 * np.abs(found).max(axis=0), beside, 0.0)
    return found - beside, beside


def _total_score(model: Model, theta: Any, data: Cut) -> Any:
    """The slopes of ℓ and the log-prior, (p)."""
    return _flat(_slopes(model, theta, theta, _e_step(model, theta, data), data, data))


def _scores_of_products(model: Model, theta: Any, data: Data) -> tuple[Any, Any] | None:
    """The same where all statistics are of weights times features, in two passes over the rows, as slopes of Q are linear in these
    products and in the number of rows: the score of a row is that function of its own. None where they are no such function, or
    in few rows.
    """
    if model.moments is None or model.parts.sums is not None or model.rises:
        return None
    every = _cut(model, data)
    products = sum(part @ features.T for _, part, features in _parts_of_products(model, theta, every))
    if products.size > every[str(model.plates.rows)]:
        return None
    found = _linear(_SlopesOf(model, theta, every), products)
    if found is None:
        return None
    by_product, by_row, beside = found
    scores = np.empty((every[str(model.plates.rows)], len(beside)))
    for rows, part, features in _parts_of_products(model, theta, every):
        own = (by_product[:, label] @ features * weight for label, weight in enumerate(part))
        scores[rows.first : rows.first + rows.length] = (sum(own) + by_row[:, None]).T
    return scores, beside


def _parts_of_products(model: Model, theta: Any, data: Cut) -> Iterator[tuple[Rows, Any, Any]]:
    """Each chunk with its weights, (labels, rows), and its features, (F, rows)."""
    assert model.moments is not None
    infer = _inferring(model, theta, data)
    for rows in data.chunks:
        _refill(rows)
        weights = _times_counts(infer(rows)[0][model.moments.weights], rows)
        yield rows, weights.reshape(-1, weights.shape[-1]), rows.features


class _SlopesOf(NamedTuple):
    """The slopes of Q as a function of products of weights and features and of the number of rows."""

    model: Model
    theta: Any
    data: Cut

    @property
    def rows(self) -> int:
        return int(self.data[str(self.model.plates.rows)])

    def __call__(self, products: Any, rows: float) -> Any:
        moments, natural = self.model.moments, self.model.natural
        assert moments is not None
        assert natural is not None
        sized = Data(self.data)
        sized[str(self.model.plates.rows)] = rows
        labels = tuple(self.data[size] if isinstance(size, str) else size for size in natural.labels)
        by_label = products.reshape(*labels, products.shape[-1])
        expected, lost = moments.of_products(_by_feature(by_label, self.data.layout), sized, 0.0)
        if lost and rows == self.rows:
            return np.full(len(_flat(self.theta)), np.nan)
        return _flat(_slopes(self.model, self.theta, self.theta, expected, sized, self.data))


def _linear(slopes: _SlopesOf, products: Any) -> tuple[Any, Any, Any] | None:
    """The slopes as Σ G products + rows g + what is beside: G, g and that; None if they are no such function, to rounding."""
    at, rows = slopes(products, slopes.rows), slopes.rows
    by_row = slopes(products, 2 * rows)
    by_product = np.empty((len(at), *products.shape))
    steps = np.maximum(np.abs(products), np.abs(products).mean(axis=-1, keepdims=True))
    for place in np.ndindex(products.shape):
        moved = products.copy()
        moved[place] += steps[place]
        by_product[(slice(None), *place)] = (slopes(moved, 2 * rows) - by_row) / steps[place]
    by_row = (by_row - at) / rows
    beside = 2 * at - slopes(2 * products, 2 * rows)
    size = np.sum(np.abs(by_product) * np.abs(products), axis=(1, 2)) + np.abs(rows * by_row) + np.abs(beside)
    gap = np.sum(by_product * products, axis=(1, 2)) + rows * by_row + beside - at
    if not np.all(np.abs(gap) <= 1e-9 * size):
        return None
    return by_product, by_row, np.where(np.abs(beside) > 1e-8 * size / rows, beside, 0.0)


def _kinds(data: Data, length: int) -> tuple[Any, Any]:
    """Of the rows that differ one of each kind, and of which kind each row is."""
    columns = [
        np.moveaxis(data.given[name], slot, 0).reshape(length, -1) for name, slot in data.slots.items()
    ]
    found = _together(columns, length)
    if found is None:
        return np.arange(length), np.arange(length)
    order, starts = found
    which = np.empty(length, dtype=int)
    which[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=length))
    return order[starts], which


def _by_single_rows(model: Model, theta: Any, data: Data, chosen: Any) -> Iterator[tuple[Cut, Any]]:
    """The statistics of each of the rows that are chosen, with the data that it is, a chunk of one."""
    rows = str(model.plates.rows)
    for first in chosen:
        one = Data(data)
        one.update(data.taken([first]))
        one[rows] = one.scale = 1
        cut = _cut(model, one)
        coefficients = _coefficients(model, theta, cut)
        for chunk in cut.chunks:
            _, latents, value = model.steps.e_step(theta, chunk, coefficients)
            yield cut, model.steps.summarise(chunk, latents, value)
