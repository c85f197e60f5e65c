"""Claims evaluated at random attainable points: derivatives of Q by differences, the sizes being small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symem.calculus.trials import Trial
from symem.derivation import Conditional, Derivation, Update
from symem.errors import UnknownSymbolError
from symem.evaluation.arithmetic import Arithmetic, Arrays
from symem.evaluation.coordinates import Coordinates, total_defect
from symem.evaluation.differences import gradient, hessian, units
from symem.evaluation.points import Moving
from symem.evaluation.stacks import Array
from symem.language.leaves import name_of

#: How far an update may be from its support, and a slope from zero, relative to 1 + |Q|, by rounding.
ROUNDING, SLOPE = 1e-6, 1e-6


class Trials:
    """A few random situations, and what is true at all of them; None where Q cannot be evaluated."""

    def __init__(self, derivation: Derivation, points: int) -> None:
        self._derivation, self._count = derivation, points
        self._blocks: dict[tuple[Update, ...], bool | None] = {}

    @cached_property
    def _trials(self) -> list[Trial]:
        return [Trial(self._derivation, seed) for seed in range(self._count)]

    def stationary(self, update: Update) -> bool | None:
        """Whether the slopes of Q along the support vanish at the update, which is a point of a simplex if need be."""
        return self._everywhere(lambda trial: Top(self._derivation, trial, (update,)).is_flat)

    def maximal(self, update: Update) -> bool | None:
        """Whether Q over the block is stationary with a negative definite Hessian along the support."""
        same = (u for u in self._derivation.updates if u.block == update.block)
        block = (update,) if isinstance(update, Conditional) else tuple(same)
        if block not in self._blocks:
            self._blocks[block] = self._everywhere(
                lambda trial: Top(self._derivation, trial, block).is_bent_down
            )
        return self._blocks[block]

    def feasible(self, update: Update) -> bool | None:
        """Whether the update lies in its support."""
        return self._everywhere(lambda trial: Top(self._derivation, trial, (update,)).defect <= ROUNDING)

    def _everywhere(self, claim: Callable[[Trial], bool]) -> bool | None:
        try:
            with np.errstate(all="ignore"):
                return all(claim(trial) for trial in self._trials)
        except (UnknownSymbolError, ArithmeticError, np.linalg.LinAlgError):
            return None


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

    def _surrogate(self, points: Array) -> Array:
        moved = {name: Moving(values) for name, values in self._coordinates.point(points).items()}
        return Arithmetic({**self._arrays, **moved}).numbers(self.derivation.surrogate.value)

    @cached_property
    def _units(self) -> Array:
        return units(self._surrogate, self._coordinates.free())

    @property
    def is_flat(self) -> bool:
        at = self._coordinates.free()
        slopes = _finite(gradient(self._surrogate, at, self._units))
        (height,) = self._surrogate(at[None])
        return self.defect <= ROUNDING and bool(np.all(np.abs(slopes) < SLOPE * (1 + abs(height))))

    @property
    def is_bent_down(self) -> bool:
        if not self.is_flat:
            return False
        bent = _finite(hessian(self._surrogate, self._coordinates.free(), self._units))
        return bool(np.linalg.eigvalsh(bent)[-1] < -ROUNDING * np.abs(bent).max())


def _finite(values: Array) -> Array:
    """The values.

    Raises:
        ArithmeticError: Q was not finite on the way to one of them.
    """
    if not np.all(np.isfinite(values)):
        raise ArithmeticError
    return values
