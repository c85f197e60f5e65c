"""Entries of an estimate that lie at an end of their support, so nearly that the data do not tell, or wholly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.description import Model
from symem.runtime.tangents import _bounds, _flat, _places, _unit

#: What the objective may gain on the way to an end that counts as none; the share of that way which an EM step goes
#: where it is bound for the end; a slope in standard errors, and the rounding of a second derivative and of a slope as shares of their terms.
_HARDLY, _BOUND, _STEEPLY, _ROUNDS, _NOISE = 1e-2, 1e-2, 0.05, 1e-7, 2e-14


class _Outward(NamedTuple):
    """A direction to an end, of which a length of `room` leads there, and the entries that lie there then."""

    way: Any
    room: float
    entries: list[int]


def _at_ends(room: Any, ends: Any) -> Any:
    """The entries no further from an end of their support than rounding of its width."""
    width = ends[:, 1] - ends[:, 0]
    return ~(room > np.where(np.isfinite(width), np.finfo(float).eps * width, 0.0))


def _nearly_at_ends(model: Model, theta: Any, held: Any, bends: tuple[Any, Any, Any]) -> Any:
    """The entries from which what is raised still rises towards an end that is all but reached.

    There is hardly anything to gain on the way, and the maximum lies there: an EM step of what lies between two ends goes on,
    a step of Newton's method leads beyond, or ℓ rises where complete data show that it is so near that ℓ bends by rounding alone. `bends` are the complete and the observed information and the score.
    """
    complete, observed, score = bends
    width = np.ptp(_bounds(model, theta), axis=1)
    found = np.zeros(len(held), dtype=bool)
    for way, room, entries in _outward(model, theta, held):
        moved = np.flatnonzero(way)
        slope = float(way[moved] @ score[moved])
        if not 0 < slope * room <= _HARDLY:
            continue
        ours, theirs = (
            float(way[moved] @ each[np.ix_(moved, moved)] @ way[moved]) for each in (complete, observed)
        )
        steep = slope**2 > _STEEPLY**2 * max(theirs, _ROUNDS * ours)
        bound = math.isfinite(width[entries[0]]) and slope >= _BOUND * ours * room
        hidden = theirs <= _ROUNDS * ours and slope > _NOISE * ours * room
        if bound or (ours * room**2 > _BOUND and (hidden or (steep and slope >= theirs * room))):
            found[entries] = True
    return found


def _outward(model: Model, theta: Any, held: Any) -> Iterator[_Outward]:
    """The directions to the ends of what is not held."""
    at, ends, places = _flat(theta), _bounds(model, theta), dict(_places(theta))
    together = {name for names in model.simplexes for name in names}
    for names in model.simplexes:
        yield from _smaller(np.array([int(places[name]) for name in names]), at, held)
    for name, place in places.items():
        spec = model.parameters[name]
        if spec.kind == "simplex" and place.ndim:
            for one in place.reshape(-1, math.prod(place.shape[-spec.simplex_axes :])):
                yield from _smaller(one, at, held)
        elif spec.kind == "definite":
            for matrix in place.reshape(-1, *place.shape[-2:]):
                yield from _flatter(matrix, at, held)
        elif name not in together:
            yield from _nearer(place.ravel(), at, held, ends)


def _smaller(entries: Any, at: Any, held: Any) -> Iterator[_Outward]:
    """A share goes to 0, and the others grow in proportion."""
    left = entries[~held[entries]]
    for each in left if len(left) > 1 else ():
        way = np.zeros(len(at))
        way[left] = at[left] / (at[left].sum() - at[each])
        way[each] = -1.0
        yield _Outward(way, at[each], [int(each)])


def _flatter(matrix: Any, at: Any, held: Any) -> Iterator[_Outward]:
    """The least eigenvalue of a matrix goes to 0."""
    if np.any(held[matrix]):
        return
    values, vectors = np.linalg.eigh(at[matrix])
    way = np.zeros(len(at))
    way[matrix] = -np.outer(vectors[:, 0], vectors[:, 0])
    yield _Outward(way, values[0], [int(each) for each in matrix.ravel()])


def _nearer(entries: Any, at: Any, held: Any, ends: Any) -> Iterator[_Outward]:
    """A number goes to the end that is nearer."""
    for each in entries[~held[entries]]:
        below, above = at[each] - ends[each, 0], ends[each, 1] - at[each]
        if math.isfinite(min(below, above)):
            yield _Outward(
                (1.0 if above < below else -1.0) * _unit(each, len(at)), min(below, above), [int(each)]
            )
