"""An exponential family in numbers, sizes being small: in how many directions it varies, and what holds at updates.

log p(y; θ) - log p(y; θ₀) - log p(y₀; θ) + log p(y₀; θ₀) = (η(θ) - η(θ₀)) · (s(y) - s(y₀)) is a product of matrices over points θ and
draws y: its rank is the number of statistics that a minimal representation has, and the rank with ∂η/∂θ in the place of the
first is the number of directions in which θ moves it. (Barndorff-Nielsen 1978, chapter 8.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Expr

from symem.calculus.count_totals import with_totals
from symem.calculus.trials import Trial
from symem.derivation import Definition, Derivation, Spans, SufficientStatistic
from symem.evaluation.arithmetic import Arithmetic, Arrays, evaluate
from symem.evaluation.coordinates import Coordinates
from symem.evaluation.members import random_parameters, shape_of
from symem.evaluation.points import Moving
from symem.evaluation.stacks import Array
from symem.language.matrices import is_matrix, shape
from symem.language.model import Model, Variable

#: The step of a difference in free coordinates, and the share of the largest below which a singular value is none.
STEP, NONE = 1e-4, 1e-7
#: How many points are drawn for each number of the statistics, and how many more.
TIMES, MORE = 2, 6


@dataclass(frozen=True)
class FamilyNumbers:
    """Statistics, natural parameters and means of one trial, as rows of numbers."""

    derivation: Derivation
    law: Model
    statistics: tuple[SufficientStatistic, ...]
    trial: Trial

    def values(self, formulas: Sequence[Expr], arrays: Mapping[str, Any]) -> Array:
        """One row for each point, all entries of all formulas: those of matrices that are numbers are multiples of I."""
        rows = []
        for each, formula in zip(self.statistics, formulas, strict=True):
            scope = Arithmetic(arrays)
            lengths = tuple(scope.integer(axis.size) for axis in each.axes)
            found = scope.table(formula, tuple(axis.index for axis in each.axes), lengths)
            values = found.values if isinstance(found, Moving) else np.asarray(found)[None]
            if is_matrix(each.function) and not is_matrix(formula):
                height, width = map(scope.integer, shape(each.function))
                values = values[..., None, None] * np.eye(height, width)
            rows.append(
                np.broadcast_to(values, (scope.points or 1, *values.shape[1:])).reshape(scope.points or 1, -1)
            )
        return np.concatenate(rows, axis=1)

    def at(self, definitions: Sequence[Definition], theta: Mapping[str, Any]) -> Arrays:
        """All names at some θ, the laws of labels along chains among them."""
        return evaluate(definitions, {**self.trial.arrays, **theta})

    @cached_property
    def drawn(self) -> Array:
        """Statistics of complete data drawn anywhere in their supports, less those of the first draw: a row a draw."""
        draws = [self._complete() for _ in range(self._count)]
        moved = {name: Moving(np.stack([draw[name] for draw in draws])) for name in draws[0]}
        found = self.values([each.function for each in self.statistics], {**self.trial.arrays, **moved})
        apart = found[1:] - found[0]
        return np.asarray(apart / np.maximum(np.abs(apart).max(axis=0), 1e-300))

    def _complete(self) -> Arrays:
        drawn = {each.name: self._anywhere(each) for each in self.law.latents}
        whole = with_totals(self.law, {**self.trial.arrays, **drawn}, drawn.keys(), self._rng)
        return {name: whole[name] for name in drawn}

    def _anywhere(self, variable: Variable) -> Array:
        """A label may be any, where a trial gives each of them to somebody."""
        if not variable.support.finite:
            return self.trial.given(variable)
        number = Arithmetic(self.trial.arrays).integer(variable.support.number)
        return self._rng.integers(0, number, shape_of(variable, self.trial.arrays))

    @cached_property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(0)

    @cached_property
    def _count(self) -> int:
        return MORE + TIMES * int(self._natural(self.trial.arrays).shape[1])

    def _natural(self, arrays: Mapping[str, Any]) -> Array:
        return self.values([each.natural for each in self.statistics], arrays)

    @property
    def spans(self) -> Spans:
        """The rank of the family, and that of ∂η/∂θ."""
        rng, model = np.random.default_rng(0), self.derivation.model
        points = [random_parameters(model, rng, self.trial.arrays) for _ in range(self._count)]
        moved = {name: Moving(np.stack([point[name] for point in points])) for name in points[0]}
        natural = self._natural({**self.trial.arrays, **moved})
        sizes = {each.name: int(self.trial.arrays[each.name]) for each in model.sizes}
        whole = _rank((natural[1:] - natural[0]) @ self.drawn.T)
        return Spans(natural.shape[1], whole, _rank(self.slopes(points[0]) @ self.drawn.T), sizes)

    def slopes(self, theta: Mapping[str, Any]) -> Array:
        """∂η/∂θ in the free coordinates of θ: a row for each.

        Raises:
            ArithmeticError: θ lies at an end of its support.
        """
        return self.differences(theta, self._natural)

    def differences(self, theta: Mapping[str, Any], function: Callable[[Arrays], Array]) -> Array:
        """The derivatives of a function of θ in its free coordinates, extrapolated from two steps (Richardson 1911)."""
        own = {each.name: theta[each.name] for each in self.derivation.model.parameters}
        coordinates = Coordinates(self.derivation.model, own)
        if not coordinates.are_inside:
            raise ArithmeticError
        here = coordinates.free()
        coarse, fine = (self._central(coordinates, here, step, function) for step in (STEP, STEP / 2))
        return (4 * fine - coarse) / 3

    def _central(
        self, coordinates: Coordinates, here: Array, step: float, function: Callable[[Arrays], Array]
    ) -> Array:
        moves = step * np.eye(len(here))
        points = coordinates.point(np.concatenate([here + moves, here - moves]))
        found = function({**self.trial.arrays, **{name: Moving(each) for name, each in points.items()}})
        return (found[: len(here)] - found[len(here) :]) / (2 * step)


def _rank(matrix: Array) -> int:
    found = np.linalg.svd(matrix, compute_uv=False)
    return int(np.sum(found > NONE * found.max(initial=0.0))) if np.all(np.isfinite(found)) else 0
