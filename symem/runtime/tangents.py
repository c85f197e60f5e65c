"""Parameters as one vector: the directions in which they may move, how far, and the scales on which they have no ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.checks import _infimum_supremum
from symem.runtime.description import Array, Model

#: Steps of a derivative: this share of a standard error, and at most that of the way to an end.
_OF_ERROR, _OF_ROOM = 1e-2, 1e-2


class _Move(NamedTuple):
    """A direction, and the entries whose derivative is that along it: two across the diagonal of a symmetric matrix."""

    way: Any
    entries: list[int]


def _flat(theta: Any) -> Any:
    """All entries, in the order of the parameters."""
    return np.concatenate([np.ravel(np.asarray(value, dtype=float)) for value in theta])


def _unflat(theta: Any, flat: Any) -> Any:
    """Parameters in the shapes of theta."""
    found, start = [], 0
    for value in theta:
        size = int(np.size(value))
        found.append(flat[start : start + size].reshape(np.shape(value))[()])
        start += size
    return type(theta)(*found)


def _entry_names(theta: Any) -> tuple[str, ...]:
    """mu[1, 0], s: every entry, as it is read in Python."""
    return tuple(entry for name, value in theta._asdict().items() for entry in _entries_of(name, value))


def _entries_of(name: str, value: Any) -> list[str]:
    """The entries of one array in the order of the flat array; of a number its name."""
    return [
        f"{name}[{', '.join(map(str, place))}]" if place else name for place in np.ndindex(np.shape(value))
    ]


def _places(theta: Any) -> Iterator[tuple[str, Any]]:
    """Of each parameter the numbers of its entries in the vector, in its shape."""
    start = 0
    for name, value in theta._asdict().items():
        size = int(np.size(value))
        yield name, np.arange(start, start + size).reshape(np.shape(value))
        start += size


def _basis(model: Model, theta: Any, held: Any = None) -> Any:
    """The directions that keep sums of 1 and symmetry, and what is held, as the columns of (entries, directions)."""
    places, columns = dict(_places(theta)), list[Any]()
    together = {name for names in model.simplexes for name in names}
    held = np.zeros(len(_flat(theta)), dtype=bool) if held is None else held
    for name, place in places.items():
        spec = model.parameters[name]
        if name not in together:
            columns += _of_kind(spec, place, held)
    for names in model.simplexes:
        columns += _sums_of_0(np.array([int(places[name]) for name in names]), held)
    return np.array(columns).T.reshape(len(held), -1)


def _of_kind(spec: Array, place: Any, held: Any) -> list[Any]:
    """The directions of one parameter; a matrix of which an entry is held stays."""
    if spec.kind == "simplex" and place.ndim:
        simplexes = place.reshape(-1, math.prod(place.shape[-spec.simplex_axes :]))
        return [each for one in simplexes for each in _sums_of_0(one, held)]
    if spec.kind in {"symmetric", "definite"}:
        moves = (move for move in _symmetric(place, len(held)) if not np.any(held[move.entries]))
        return [2 * move.way if len(move.entries) > 1 else move.way for move in moves]
    return [_unit(each, len(held)) for each in place.ravel() if not held[each]]


def _unit(entry: int, size: int) -> Any:
    found = np.zeros(size)
    found[entry] = 1.0
    return found


def _sums_of_0(entries: Any, held: Any) -> list[Any]:
    """One entry against the last: shares keep their sum."""
    entries = entries[~held[entries]]
    return [_unit(each, len(held)) - _unit(entries[-1], len(held)) for each in entries[:-1]]


def _symmetric(place: Any, size: int) -> Iterator[_Move]:
    for matrix in place.reshape(-1, *place.shape[-2:]):
        for row, column in zip(*np.tril_indices(len(matrix)), strict=True):
            entries = [*dict.fromkeys((int(matrix[row, column]), int(matrix[column, row])))]
            yield _Move(sum(_unit(each, size) for each in entries) / len(entries), entries)


def _moves(model: Model, theta: Any) -> list[_Move]:
    """A direction for every entry; matrices stay symmetric."""
    found, size = list[_Move](), len(_flat(theta))
    for name, place in _places(theta):
        if model.parameters[name].kind in {"symmetric", "definite"}:
            found += _symmetric(place, size)
        else:
            found += [_Move(_unit(each, size), [int(each)]) for each in place.ravel()]
    return found


def _bounds(model: Model, theta: Any) -> Any:
    """The ends of every entry, (entries, 2): of a definite matrix 0 for what stands on its diagonal."""
    found = np.empty((len(_flat(theta)), 2))
    for name, place in _places(theta):
        spec = model.parameters[name]
        found[place.ravel()] = _infimum_supremum(spec)
        if spec.kind == "definite":
            found[np.diagonal(place, 0, -2, -1).ravel()] = 0.0, np.inf
    return found


def _way_to_end(model: Model, theta: Any) -> Any:
    """How far every entry is from the end of its support; of a definite matrix, its smallest eigenvalue."""
    flat, bounds = _flat(theta), _bounds(model, theta)
    found = np.minimum(flat - bounds[:, 0], bounds[:, 1] - flat)
    for (name, place), value in zip(_places(theta), theta, strict=True):
        if model.parameters[name].kind == "definite":
            least = np.linalg.eigvalsh(value)[..., 0]
            found[place] = np.broadcast_to(least[..., None, None], place.shape)
    return found


def _derivative(function: Callable[[Any], Any], at: Any, moves: list[_Move], steps: Any) -> Any:
    """The derivatives of a vector in every entry, its columns: central differences, extrapolated once (Richardson 1911)."""
    columns = np.zeros((len(at), len(at)))
    for move in moves:
        step = steps[move.entries[0]]
        coarse, fine = (
            (function(at + share * step * move.way) - function(at - share * step * move.way))
            / (2 * share * step)
            for share in (1.0, 0.5)
        )
        columns[:, move.entries] = ((4 * fine - coarse) / 3)[:, None]
    return columns


def _first_steps(at: Any, room: Any) -> Any:
    """Steps before anything is known of the size of errors."""
    return np.minimum(1e-3 * np.where(at == 0, 1.0, np.abs(at)), _OF_ROOM * room)


def _steps(curvature: Any, before: Any, room: Any) -> Any:
    """Steps from minus the second derivatives."""
    known = np.isfinite(curvature) & (curvature > 0)
    error = np.where(known, 1 / np.sqrt(np.where(known, curvature, 1.0)), np.inf)
    return np.minimum(np.where(known, _OF_ERROR * error, before), _OF_ROOM * room)


def _scale_slope(value: Any, bounds: Any) -> Any:
    """The derivative of log(v - low) - log(high - v), each as far as there is that end; 1 where there is none."""
    low, high = bounds[:, 0], bounds[:, 1]
    bounded = np.isfinite(low) | np.isfinite(high)
    return np.where(bounded, 1 / (value - low) + 1 / (high - value), 1.0)


def _moved_on_scale(value: Any, by: Any, bounds: Any) -> Any:
    """The value whose place on that scale is so much further."""
    low, high = bounds[:, 0], bounds[:, 1]
    below, above, factor = value - low, high - value, np.exp(by)
    inside = low + (high - low) * below * factor / (above + below * factor)
    one_sided = np.where(np.isfinite(low), low + below * factor, high - above / factor)
    ended = np.where(np.isfinite(low) & np.isfinite(high), inside, one_sided)
    return np.where(np.isfinite(low) | np.isfinite(high), ended, value + by)
