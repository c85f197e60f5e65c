"""One place where a claim is tried: data, θ⁽ᵗ⁾, and what is right there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symem.derivation import Conditional, defined_by
from symem.errors import DataError, UnknownSymbolError
from symem.evaluation.arithmetic import evaluate
from symem.evaluation.situation import situation
from symem.evaluation.stacks import Array
from symem.language.leaves import name_of
from symem.language.supports import Simplex
from symem.verification.enumeration import TooLargeError
from symem.verification.formulas import Expectation
from symem.verification.ground import Ground, Theta
from symem.verification.sampling import draw
from symem.verification.sizes import default_sizes, label_sizes
from symem.verification.verifying import prepare

#: What the same formula in two algebraic forms may differ by, relative to its values.
ROUNDING = 1e-8
#: Components that are asked for where nothing shows how many: two and three, so that what is right for two shows.
_SIZES = (2, 3)
#: Draws of each number of rows.
_DRAWS = 8


@dataclass(frozen=True)
class Trial:
    """Data and θ⁽ᵗ⁾, with the E-step and the M-step there."""

    ground: Ground
    theta: Theta

    @cached_property
    def expectation(self) -> Expectation:
        return self.ground.formulas.at(self.theta)

    @cached_property
    def right(self) -> dict[str, Any]:
        """θ⁽ᵗ⁺¹⁾."""
        return {name: np.asarray(value, dtype=float) for name, value in self.expectation.update().items()}

    @cached_property
    def log_likelihood(self) -> float:
        """ℓ(θ⁽ᵗ⁾)."""
        return float(self.expectation.log_likelihood)

    @cached_property
    def next_log_likelihood(self) -> float:
        """ℓ(θ⁽ᵗ⁺¹⁾)."""
        return float(self.ground.formulas.at(self.right).log_likelihood)

    def scope(self, name: str) -> dict[str, Any]:
        """What the update of a parameter is computed from: the E-step at θ⁽ᵗ⁾, and what is updated before it."""
        arrays = self.expectation.with_statistics
        updates = self.ground.derivation.updates
        turn = next((place for place, each in enumerate(updates) if name_of(each.parameter) == name), 0)
        conditional = any(isinstance(each, Conditional) for each in updates)
        done = updates[:turn] if conditional else updates
        with np.errstate(all="ignore"):
            known = evaluate([each for update in done for each in defined_by(update)], arrays)
        return {**known, **{f"{each}_old": value for each, value in self.theta.items()}}

    @property
    def is_finite(self) -> bool:
        return all(np.all(np.isfinite(value)) for value in self.right.values())


def same(given: Any, right: Any, tolerance: float) -> bool:
    """Whether two arrays agree to a share of the size of the right one."""
    given, right = np.asarray(given, dtype=float), np.asarray(right, dtype=float)
    scale = np.max(np.abs(right), initial=0.0) + 1e-300
    return given.shape == right.shape and bool(np.all(np.abs(given - right) <= tolerance * scale))


def trials(
    em: Any, data: Mapping[str, Any] | None, theta: Any, sizes: Mapping[str, int] | None, seed: int
) -> Iterator[Trial]:
    """Places of different sizes and data, at θs that are no fixed points.

    Raises:
        DataError: no data could be drawn, or those given do not fit.
    """
    labels = label_sizes(em.model) if data is None else []
    for turn, size in enumerate(_SIZES):
        asked = {**(dict.fromkeys(labels, size) if turn else {}), **(sizes or {})}
        ground, _note = prepare(em, data, theta=theta, sizes=asked, seed=seed + turn)
        yield from (each for each in (Trial(ground, point) for point in ground.points) if each.is_finite)


def small_trials(em: Any, sizes: Mapping[str, int] | None, seed: int) -> Iterator[Trial]:
    """Places with few rows and few digits, the fewest rows first."""
    model, labels, widths = em.model, label_sizes(em.model), default_sizes(em.model)
    for rows in (1, 2, 3, 4):
        plates = {each.name: rows for each in model.sizes if each.name not in labels}
        for turn in range(_DRAWS):
            try:
                found = _small(em, {**widths, **plates, **(sizes or {})}, seed + turn)
            except (DataError, UnknownSymbolError, TooLargeError, ArithmeticError, ValueError):
                continue
            if found.is_finite and np.isfinite(found.log_likelihood):
                yield found


def _small(em: Any, sizes: Mapping[str, int], seed: int) -> Trial:
    model = em.model
    drawn = draw(model, np.random.default_rng(seed), sizes)
    data = {name: _plain(model, name, value) for name, value in drawn.data.items()}
    theta = {name: _plain(model, name, value) for name, value in drawn.theta.items()}
    ground = Ground(em.derivation, situation(model, data, {**sizes, **theta}), data, (theta,), seed=seed)
    return Trial(ground, theta)


def _plain(model: Any, name: str, values: Any) -> Any:
    """Values near these with few digits, in the same support."""
    support, array = model.variables[name].support, np.asarray(values, dtype=float)
    if isinstance(support, Simplex):
        return _plain_shares(array) if array.ndim and support.axes == 1 else array
    for digits in (0, 1, 2):
        rounded = np.round(array, digits)
        if not is_off(support, rounded):
            return rounded
    return array


def _plain_shares(shares: Array) -> Array:
    """Tenths that sum to one, none of them zero."""
    tenths = np.maximum(np.round(10 * shares), 1)
    tenths[..., 0] += 10 - tenths.sum(axis=-1)
    return tenths / 10 if np.all(tenths > 0) else shares


def is_off(support: Any, values: Array, margin: float = 0.0) -> bool:
    """Whether values are outside, or at an end that is left out; NaN marks what is missing."""
    seen = values[~np.isnan(values)] if not support.of_matrices else values
    if support.defect(seen) > ROUNDING:
        return True
    low, high = (float(end) if end.is_number else np.nan for end in support.bounds)
    return bool(support.open and (np.any(seen <= low + margin) or np.any(seen >= high - margin)))
