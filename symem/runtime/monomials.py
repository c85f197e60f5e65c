"""Features of a chunk, products of arrays of its rows that lie one below the other; their coefficients and moments."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.description import Cut, NaturalForm, Rows
from symem.runtime.kernels import _all, _softmax, _times_counts

#: Coefficients of features, at parameters and about the points of the data.
Expanded = Callable[[Any, Any], tuple[Any, ...]]

#: Log weights whose terms are larger than this would be wrong by more than 1e-9 in the expanded form.
_LOSES_DIGITS = 4.5e6


#: Log weights larger than this are right to a thousandth at best: their differences are lost in their size.
_BLURRED = 1e12


class _Block(NamedTuple):
    """Where a feature lies, the sizes of its entries, and whether it is x_a x_b of one vector, kept for a ≤ b."""

    names: tuple[str, ...]
    start: int
    stop: int
    entries: tuple[int, ...]
    symmetric: bool


def _blocks(natural: NaturalForm, rows: Mapping[str, Any]) -> tuple[_Block, ...]:
    """The features of a chunk in their order."""
    found: list[_Block] = []
    stop = 0
    for feature in natural.features:
        names = tuple(name for name in feature.split() if name != "1")
        entries = tuple(size for name in names for size in rows[name].shape[:-1])
        symmetric = len(entries) == len(names) == 2 and names[0] == names[1]
        start, width = stop, entries[0] * (entries[0] + 1) // 2 if symmetric else math.prod(entries)
        stop = start + width
        found.append(_Block(names, start, stop, entries, symmetric))
    return tuple(found)


def _put_features(rows: Rows) -> Any:
    """The features of a chunk, written into the room that it has, but for those that lie there."""
    for block in rows.blocks:
        if block.names in rows.placed:
            continue
        room = rows.features[block.start : block.stop]
        if block.symmetric:
            _put_pairs(room, rows[block.names[0]])
        else:
            room[...] = _product([rows[name].reshape(-1, rows.length) for name in block.names])
    return rows.features


def _product(arrays: list[Any]) -> Any:
    """Every product of entries of these arrays, which are 1 if there are none."""
    if len(arrays) < 2:
        return arrays[0] if arrays else 1
    first, second, *others = arrays
    return _product([(first[:, None] * second).reshape(-1, first.shape[-1]), *others])


def _put_pairs(room: Any, x: Any) -> None:
    """The products x_a x_b with a ≤ b, for every column of x."""
    start = 0
    for a in range(len(x)):
        np.multiply(x[a], x[a:], out=room[start : start + len(x) - a])
        start += len(x) - a


def _natural(natural: NaturalForm, theta: Any, data: Cut) -> Any:
    """The coefficients of all features side by side, over the labels."""
    return _side_by_side(natural.coefficients(theta, data), data.layout, data.labels.shape[:-1])


def _side_by_side(parts: tuple[Any, ...], blocks: tuple[_Block, ...], labels: tuple[int, ...]) -> Any:
    found = np.empty((*labels, blocks[-1].stop))
    for block, given in zip(blocks, parts, strict=True):
        if not block.entries:
            found[..., block.start] = given
        elif block.symmetric:
            found[..., block.start : block.stop] = _packed(given)
        elif len(block.entries) > 1:
            whole = np.broadcast_to(given, (*labels, *block.entries))
            found[..., block.start : block.stop] = whole.reshape(*labels, -1)
        else:
            found[..., block.start : block.stop] = given
    return found


def _packed(matrix: Any) -> Any:
    """Coefficients of x_a x_b with a ≤ b from those of all a and b."""
    a, b = np.triu_indices(matrix.shape[-1])
    return (matrix[..., a, b] + matrix[..., b, a]) * np.where(a == b, 0.5, 1.0)


def _moments(weight: Any, rows: Rows) -> tuple[Any, ...]:
    """For each feature the sum over rows of weight times feature: one matrix product."""
    return _by_feature(_times_counts(weight, rows) @ rows.features.T, rows.blocks)


def _by_feature(products: Any, blocks: tuple[_Block, ...]) -> tuple[Any, ...]:
    """Products with all features, apart again."""
    return tuple([_moment(products, block) for block in blocks])


def _moment(products: Any, block: _Block) -> Any:
    if not block.entries:
        return products[..., block.start]
    found = products[..., block.start : block.stop]
    if block.symmetric:
        return _unpacked(found, block.entries[0])
    return found.reshape(*products.shape[:-1], *block.entries)


def _unpacked(pairs: Any, size: int) -> Any:
    """Symmetric matrices from their entries with a ≤ b."""
    a, b = np.triu_indices(size)
    matrix = np.empty((*pairs.shape[:-1], size, size))
    matrix[..., a, b] = matrix[..., b, a] = pairs
    return matrix


def _is_exact(natural: Any, rows: Rows, least: float = 0.0) -> bool:
    """Whether a natural form keeps its digits in a chunk: none of its terms is too large at the largest features. `least`
    is what a coefficient counts for at least, as where log-gammas of a feature stand beside the product.
    """
    sizes = np.abs(natural)
    return _all((np.maximum(sizes, least) if least else sizes).dot(rows.peaks) <= _LOSES_DIGITS)


def _weights(natural: Any, rows: Rows) -> Any:
    """Log weights in their natural form: coefficients times features, in the buffer that all chunks share."""
    return np.matmul(natural, rows.features, out=rows.buffer)


def _tell_apart(
    log_normaliser: Any, expanded: Expanded, theta: Any, rows: Rows, *tables: tuple[Any, int]
) -> None:
    """Put right the probabilities of labels in rows so far away that log weights are lost in their size, or have no
    number: from the differences of the coefficients, times features in units of the row. `tables` are those of each
    label and its axis, in the order in which labels are summed out.
    """
    far = np.flatnonzero(~(np.abs(log_normaliser) < _BLURRED))
    names = sorted({name for block in rows.blocks for name in block.names})
    if not len(far) or not names:
        return
    labels = rows.buffer.shape[:-1]
    found, error = _gaps(expanded, theta, _few(rows, far, names), labels, names)
    other, doubt = _gaps(expanded, theta, _from_zero(_few(rows, far, names)), labels, names)
    found = np.where(doubt < error, other, found)
    told = np.isfinite(found).all(axis=0)
    found = found[:, told].reshape(*labels, -1)
    for table, axis in tables:
        share = found.copy()
        found = _softmax(share, axis)
        table[..., far[told]] = share


def _few(rows: Rows, which: Any, names: list[str]) -> Rows:
    """Some rows of a chunk, of what stands in features."""
    few = Rows(rows)
    few.update({name: rows[name][..., which] for name in names})
    few.blocks, few.length, few.references = rows.blocks, len(which), rows.references
    return few


def _from_zero(rows: Rows) -> Rows:
    """The rows measured from 0: where all of them are far, so is the point near them."""
    for each in rows.references:
        if each.about in rows:
            rows[each.about] = rows[each.about] + np.asarray(rows[each.point])[..., None]
        rows[each.point] = np.zeros_like(rows[each.point])
    return rows


def _gaps(
    expanded: Expanded, theta: Any, rows: Rows, labels: tuple[int, ...], names: list[str]
) -> tuple[Any, Any]:
    """By how much the log weights of labels differ from those of the first, and the logarithm of the terms whose rounding
    that has.
    """
    unit = np.max([np.abs(rows[name]).reshape(-1, rows.length).max(axis=0) for name in names], axis=0)
    unit = np.maximum(unit, 1.0)
    rows.update({name: rows[name] / unit for name in names})
    width = rows.blocks[-1].stop
    rows.features = np.empty((width, rows.length))
    features = _put_features(rows)
    natural = _side_by_side(expanded(theta, rows), rows.blocks, labels).reshape(-1, width)
    found, error = np.zeros((len(natural), rows.length)), np.full(rows.length, -np.inf)
    highest = max(len(block.names) for block in rows.blocks)
    for block in rows.blocks:
        place, degree = slice(block.start, block.stop), len(block.names)
        part = (natural - natural[0])[:, place] @ features[place]
        size = np.log(np.abs(part)) + degree * np.log(unit)
        found += np.sign(part) * np.exp(np.minimum(size, 600.0 + 30.0 * degree))
        told = np.abs(natural[:, place]).max(axis=0)
        if degree == highest:  # these are free of the point: where they are equal, they are exactly so
            told = np.where((natural[:, place] == natural[0, place]).all(axis=0), 0.0, told)
        most = told @ np.abs(features[place])
        error = np.logaddexp(error, np.log(most) + degree * np.log(unit))
    return found, error
