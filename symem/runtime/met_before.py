"""Values along places, of which each follows from the one before and from the kind of its place: none is computed twice.

Covariances of states forget what lies far behind: along a run of places of one kind they settle, and after a gap they go the
same way as after the last one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _met_before(
    kinds: Any, following: Callable[[Any, int], Any], has_settled: Callable[[Any, Any], bool]
) -> tuple[list[Any], Any]:
    """The values that differ, in the order in which they are met, and which of them each place has.

    Args:
        kinds: of each place a number.
        following: the value at a place after another, that before the first being None.
        has_settled: whether a value is as good as the one before.
    """
    found: list[Any] = []
    known: dict[tuple[int, int], int] = {}
    which, last = np.empty(len(kinds), dtype=int), -1
    if len(kinds) == 0:
        return found, which
    ends = [*(np.flatnonzero(kinds[1:] != kinds[:-1]) + 1).tolist(), len(kinds)]
    for start, stop in zip([0, *ends[:-1]], ends, strict=True):
        kind = int(kinds[start])
        for place in range(start, stop):
            value = known.get((last, kind), -1)
            if value < 0:
                new = following(found[last] if last >= 0 else None, place)
                value = last if place > start and has_settled(new, found[last]) else len(found)
                found += [new] if value == len(found) else []
                known[last, kind] = value
            which[place] = value
            if value == last:
                which[place:stop] = value
                break
            last = value
    return found, which


def _kinds_along(values: Any) -> Any:
    """Of each entry along the first axis a number, the same of entries that are the same."""
    if len(values) < 2:
        return np.zeros(len(values), dtype=int)
    starts = np.concatenate([[True], (values[1:] != values[:-1]).reshape(len(values) - 1, -1).any(axis=1)])
    met: dict[bytes, int] = {}
    own = [met.setdefault(values[start].tobytes(), len(met)) for start in np.flatnonzero(starts)]
    return np.array(own)[np.cumsum(starts) - 1]
