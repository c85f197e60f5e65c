"""Claims evaluated at random attainable points: derivatives of Q by differences, the sizes being small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from symem.calculus.trials import Trial, places_in
from symem.derivation import Conditional, Derivation, Update
from symem.errors import UnknownSymbolError
from symem.evaluation.arithmetic import Arithmetic, Arrays
from symem.evaluation.coordinates import Coordinates, total_defect
from symem.evaluation.differences import gradient, hessian, units
from symem.evaluation.points import Moving
from symem.evaluation.stacks import Array
from symem.language.leaves import name_of

#: How far an update may be from its support, and a slope from zero, relative to 1 + |Q|, by rounding; a slope that is
#: certainly none.
ROUNDING, SLOPE, STEEP = 1e-6, 1e-6, 1e-4
#: Situations that are drawn for one in which what is climbed has a maximum.
_DRAWS = 5


class Trials:
    """A few random situations: True for what is right at all of them, False for what is wrong at one, else None."""

    def __init__(self, derivation: Derivation, points: int) -> None:
        self._derivation, self._count = derivation, points
        self._blocks: dict[tuple[Update, ...], bool | None] = {}

    @cached_property
    def _trials(self) -> list[Trial]:
        trials = (Trial(self._derivation, seed) for seed in range(_DRAWS * self._count))
        return list(islice((trial for trial in trials if trial.has_maximum), self._count))

    def stationary(self, update: Update) -> bool | None:
        """Whether the slopes of Q along the support vanish at the update, which is a point of a simplex if need be."""
        return self._everywhere((update,), lambda top: top.is_flat, lambda top: top.is_steep)

    def maximal(self, update: Update) -> bool | None:
        """Whether Q over the block is stationary with a negative definite Hessian along the support."""
        same = (u for u in self._derivation.updates if u.block == update.block)
        block = (update,) if isinstance(update, Conditional) else tuple(same)
        if block not in self._blocks:
            self._blocks[block] = self._everywhere(
                block, lambda top: top.is_bent_down, lambda top: top.is_steep or top.is_bent_up
            )
        return self._blocks[block]

    def feasible(self, update: Update) -> bool | None:
        """Whether the update lies in its support."""
        return self._everywhere(
            (update,),
            lambda top: top.defect <= ROUNDING,
            lambda top: top.exists and top.defect > ROUNDING,
        )

    def _everywhere(
        self, updates: tuple[Update, ...], right: Callable[[Top], bool], wrong: Callable[[Top], bool]
    ) -> bool | None:
        with np.errstate(all="ignore"):
            try:
                tops = [Top(self._derivation, trial, updates) for trial in self._trials]
            except (UnknownSymbolError, ArithmeticError, np.linalg.LinAlgError):
                return None
            if len(tops) == self._count and all(_holds(right, top) for top in tops):
                return True
            return False if any(_holds(wrong, top) for top in tops) else None


def _holds(claim: Callable[[Top], bool], top: Top) -> bool:
    """Whether a claim is true; not so where it cannot be evaluated."""
    try:
        return claim(top)
    except (UnknownSymbolError, ArithmeticError, np.linalg.LinAlgError):
        return False


@dataclass(frozen=True)
class Top:
    """The place in a trial where updates should maximise Q together, all else being held."""

    derivation: Derivation
    trial: Trial
    updates: tuple[Update, ...]

    @cached_property
    def _arrays(self) -> Arrays:
        return self.trial.at(self.updates[0])

    @cached_property
    def _theta(self) -> Arrays:
        """The parameters that move: those of the updates, with the others of their simplexes."""
        names = {name_of(update.parameter) for update in self.updates}
        groups = (group for group in self.derivation.model.simplexes if names & set(group))
        return {name: self._arrays[name] for name in names.union(*groups)}

    @property
    def defect(self) -> float:
        """How far the updates are from their supports."""
        return total_defect(self.derivation.model, self._theta)

    @cached_property
    def _coordinates(self) -> Coordinates:
        if not self.defect < np.inf:
            raise ArithmeticError
        found = Coordinates(self.derivation.model, self._theta)
        if not found.are_inside:
            raise ArithmeticError
        return found

    @cached_property
    def _own(self) -> Array:
        """The coordinates that move: a conditional maximiser holds the other entries of its array, such as mu[1]."""
        entries = {name: np.zeros(np.shape(value), dtype=bool) for name, value in self._theta.items()}
        for update in self.updates:
            entries[name_of(update.parameter)][places_in(update.parameter)] = True
        if not isinstance(self.updates[0], Conditional):
            entries = {name: np.ones_like(value) for name, value in entries.items()}
        return self._coordinates.among(entries)

    @property
    def _at(self) -> Array:
        return self._coordinates.free()[self._own]

    def _surrogate(self, points: Array) -> Array:
        """Q at points that differ in what the updates are of."""
        free = np.broadcast_to(self._coordinates.free(), (len(points), len(self._own))).copy()
        free[:, self._own] = points
        moved = {name: Moving(values) for name, values in self._coordinates.point(free).items()}
        return Arithmetic({**self._arrays, **moved}).numbers(self.derivation.surrogate.value)

    @cached_property
    def _units(self) -> Array:
        return units(self._surrogate, self._at)

    @property
    def exists(self) -> bool:
        """Whether the updates are numbers at all."""
        return all(np.all(np.isfinite(value)) for value in self._theta.values())

    @cached_property
    def _slope(self) -> float:
        """The steepest slope, relative to 1 + |Q|."""
        at = self._at
        slopes = _finite(gradient(self._surrogate, at, self._units))
        (height,) = self._surrogate(at[None])
        return float(np.max(np.abs(slopes), initial=0.0) / (1 + abs(height)))

    @cached_property
    def _bends(self) -> Array:
        """The curvatures of Q along its principal directions, from the least to the largest, by the size of the largest."""
        bent = _finite(hessian(self._surrogate, self._at, self._units))
        return np.asarray(np.linalg.eigvalsh(bent) / np.abs(bent).max())

    @property
    def is_flat(self) -> bool:
        return self.defect <= ROUNDING and self._slope < SLOPE

    @property
    def is_steep(self) -> bool:
        return self.exists and (ROUNDING < self.defect < np.inf or self._slope > STEEP)

    @property
    def is_bent_down(self) -> bool:
        return self.is_flat and bool(self._bends[-1] < -ROUNDING)

    @property
    def is_bent_up(self) -> bool:
        return self.is_flat and bool(self._bends[-1] > STEEP)


def _finite(values: Array) -> Array:
    """The values.

    Raises:
        ArithmeticError: Q was not finite on the way to one of them.
    """
    if not np.all(np.isfinite(values)):
        raise ArithmeticError
    return values
