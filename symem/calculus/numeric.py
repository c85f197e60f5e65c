"""Claims evaluated at random attainable points: derivatives of Q by differences, the sizes being small."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from symem.calculus.matrix_trials import places_within
from symem.calculus.trials import Numbers, Trial, name_of
from symem.derivation import Conditional, Derivation, Update
from symem.language.matrices import MatrixEntry
from symem.language.supports import PositiveDefinite, Simplex, Symmetric

Vector = np.ndarray[Any, np.dtype[np.float64]]
Key = tuple[str, tuple[int, ...]]
FAR = 1e-5
#: Directions beyond which the Hessian is seen along random ones only.
MANY = 6


class Trials:
    """A few random situations, and what is true at all of them; None where Q cannot be evaluated."""

    def __init__(self, derivation: Derivation, points: int) -> None:
        self._derivation, self._count = derivation, points
        self._blocks: dict[tuple[Update, ...], bool | None] = {}

    @cached_property
    def points(self) -> list[Point]:
        return [Point(self._derivation, trial.numbers, trial) for trial in self._trials]

    @cached_property
    def _trials(self) -> list[Trial]:
        return [Trial(self._derivation, seed) for seed in range(self._count)]

    def stationary(self, update: Update) -> bool | None:
        """Whether the slopes of Q along the support vanish at the update, which is a point of a simplex if need be."""
        return self._everywhere(lambda point: point.whole(update) and _flat(point.at(update), [update]))

    def maximal(self, update: Update) -> bool | None:
        """Whether Q over the block is stationary with a negative definite Hessian along the support."""
        same = (u for u in self._derivation.updates if u.block == update.block)
        block = (update,) if isinstance(update, Conditional) else tuple(same)
        if block not in self._blocks:
            self._blocks[block] = self._everywhere(lambda point: _curved(point.at(update), list(block)))
        return self._blocks[block]

    def feasible(self, update: Update) -> bool | None:
        """Whether the update lies in its support."""
        return self._everywhere(lambda point: point.inside(update))

    def _everywhere(self, claim: Callable[[Point], bool]) -> bool | None:
        try:
            return all(claim(point) for point in self.points)
        except (
            KeyError,
            ValueError,
            TypeError,
            AttributeError,
            ZeroDivisionError,
            OverflowError,
            np.linalg.LinAlgError,
        ):
            return None


class Point:
    """Q as a function of some of its parameters, all else as in a trial."""

    def __init__(self, derivation: Derivation, numbers: Numbers, trial: Trial) -> None:
        self.derivation, self.numbers, self._trial = derivation, numbers, trial

    def at(self, update: Update) -> Point:
        """The point at which an update should maximise: of a conditional one, before those that follow it."""
        if not isinstance(update, Conditional):
            return self
        return Point(self.derivation, self._trial.upto(update), self._trial)

    def keys(self, update: Update) -> list[Key]:
        places = self.numbers.places(update.definition)
        indices, symbol = getattr(update.parameter, "indices", ()), update.parameter
        within = places_within(symbol, self.numbers) if isinstance(symbol, MatrixEntry) else [()]
        plates = [tuple(int(self.numbers(p, s)) for p in indices) for s in places]
        return [(name_of(symbol), (*plate, *place)) for plate in plates for place in within]

    def value(self, keys: list[Key], values: list[float]) -> float:
        kept = {key: self.numbers.entries[key] for key in keys}
        self.numbers.entries.update(zip(keys, values, strict=True))
        found = float(self.numbers(self.derivation.surrogate.value))
        self.numbers.entries.update(kept)
        return found

    def directions(self, updates: list[Update], keys: list[Key]) -> Iterator[Vector]:
        """Along the support: single entries, of symmetric matrices two, and on a simplex from one to the next."""
        for update in updates:
            own = self.keys(update)
            if self._is_symmetric(update):
                yield from (self._both(keys, key) for key in own if key[1][-2] >= key[1][-1])
                continue
            groups = self._groups(update, own)
            for group in groups:
                if len(group) == 1:
                    yield self._towards(keys, group[0], None)
                for one, other in itertools.pairwise(group):
                    yield self._towards(keys, one, other)

    def _groups(self, update: Update, own: list[Key]) -> list[list[Key]]:
        model = self.derivation.model
        support = model.variables[name_of(update.parameter)].support
        group = next((g for g in model.simplexes if str(update.parameter) in g), None)
        if group:
            return [[(name, ()) for name in group]]
        if isinstance(support, Simplex):
            rows = itertools.groupby(sorted(own), key=lambda key: key[1][: -support.axes])
            return [list(row) for _, row in rows]
        return [[key] for key in own]

    def _is_symmetric(self, update: Update) -> bool:
        support = self.derivation.model.variables[name_of(update.parameter)].support
        return isinstance(support, PositiveDefinite | Symmetric)

    @staticmethod
    def _both(keys: list[Key], one: Key) -> Vector:
        """An entry and its mirror image together."""
        *plate, row, column = one[1]
        pair = {one, (one[0], (*plate, column, row))}
        step = np.array([float(key in pair) for key in keys])
        return np.asarray(step / np.linalg.norm(step))

    @staticmethod
    def _towards(keys: list[Key], one: Key, other: Key | None) -> Vector:
        step = np.array([float(key == one) - float(key == other) for key in keys])
        return np.asarray(step / np.linalg.norm(step))

    def inside(self, update: Update) -> bool:
        support = self.derivation.model.variables[name_of(update.parameter)].support
        if self._is_symmetric(update):
            return self._definite(update, strictly=isinstance(support, PositiveDefinite))
        low, high = (float(end) for end in support.bounds)
        values = [self.numbers.entries[key] for key in self.keys(update)]
        return self.whole(update) and all(low <= value <= high for value in values)

    def _definite(self, update: Update, *, strictly: bool) -> bool:
        side = int(self.numbers(update.parameter.dimensions[0]))
        values = np.array([self.numbers.entries[key] for key in self.keys(update)]).reshape(-1, side, side)
        alike = np.allclose(values, values.transpose(0, 2, 1))
        return bool(alike and (not strictly or np.all(np.linalg.eigvalsh(values) > 0)))

    def whole(self, update: Update) -> bool:
        """Whether the shares of each simplex sum to one."""
        if not isinstance(self.derivation.model.variables[name_of(update.parameter)].support, Simplex):
            return True
        groups = self._groups(update, self.keys(update))
        return bool(np.allclose([sum(self.numbers.entries[key] for key in row) for row in groups], 1))

    def all_keys(self, updates: list[Update]) -> list[Key]:
        grouped = [key for u in updates for row in self._groups(u, self.keys(u)) for key in row]
        return list(dict.fromkeys(grouped))


def _flat(point: Point, updates: list[Update]) -> bool:
    keys = point.all_keys(updates)
    centre = np.array([point.numbers.entries[key] for key in keys], float)
    here = abs(point.value(keys, list(centre))) + 1
    for direction in point.directions(updates, keys):
        step = FAR * direction
        ahead, behind = (point.value(keys, list(centre + way * step)) for way in (1, -1))
        if not abs(ahead - behind) / (2 * FAR) < 1e-5 * here:
            return False
    return True


def _curved(point: Point, updates: list[Update]) -> bool:
    """Second differences on a wider stencil than the first, so that rounding does not decide."""
    if not all(map(point.whole, updates)) or not _flat(point, updates):
        return False
    keys = point.all_keys(updates)
    centre = np.array([point.numbers.entries[key] for key in keys], float)
    ways, far = _few(list(point.directions(updates, keys))), 1e-3
    bent = np.array([[_mixed(point, keys, centre, far * a, far * b) for b in ways] for a in ways]) / far**2
    highest = float(np.linalg.eigvalsh((bent + bent.T) / 2)[-1])
    return highest < -1e-6 * float(np.abs(bent).max())


def _few(ways: list[Vector]) -> list[Vector]:
    """The directions, or as many random combinations of them as can be tried in a second."""
    if len(ways) <= MANY:
        return ways
    mixed = np.random.default_rng(0).normal(size=(MANY, len(ways))) @ np.array(ways)
    return list(mixed / np.linalg.norm(mixed, axis=1, keepdims=True))


def _mixed(point: Point, keys: list[Key], centre: Vector, a: Vector, b: Vector) -> float:
    corners = [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]
    return sum(sign * point.value(keys, list(centre + (p * a + q * b) / 2)) for p, q, sign in corners)
