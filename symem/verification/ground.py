"""What the ladder stands on, what a rung returns, and what rounding may cost it.

Numbers are in units in which rounding alone is about 1e-12: log-likelihoods relative to 1 + the sizes of their
terms, gradients per standard error.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symem.derivation import Conditional, Derivation, OfFactor, Update
from symem.language.leaves import name_of
from symem.verification.formulas import Formulas
from symem.verification.oracle import Belief, Oracle

Array = np.ndarray[Any, np.dtype[Any]]
Theta = Mapping[str, Any]

#: Sums of a few hundred terms computed in two orders; quadrature settles to 2e-13.
IDENTITY = 1e-9
#: Richardson differences of functions with relative rounding 1e-13, per standard error.
SLOPE = 1e-6
#: What a function may rise or fall by rounding alone, relative to 1 + |value|.
ROUNDING = 1e-11
#: What a direct maximiser may gain at a converged fixed point: half the square of 4e-4 standard errors.
GAIN = 1e-7


@dataclass(frozen=True)
class Finding:
    """The largest violation of an identity, or None where it could not be checked."""

    number: float | None
    detail: str = ""


@dataclass(frozen=True)
class Ground:
    """A derivation, data, θ⁽ᵗ⁾s, and the emitted module if there is one.

    Args:
        derivation: the records to check.
        arrays: data, masks, sizes and extents by name (`situation`).
        data: what the emitted functions take.
        points: θ⁽ᵗ⁾s that are no fixed points.
        solver: the emitted module, loaded.
        seed: of the random moves.
        arbitrary: whether the data are not draws from the model, so that an update may leave its support.
        others: grounds of other sizes, on which the identities must hold too.
        error: by how much the approximations of the derivation are known to be off.
    """

    derivation: Derivation
    arrays: Mapping[str, Any]
    data: Mapping[str, Any]
    points: Sequence[Theta]
    solver: Any = None
    seed: int = 0
    arbitrary: bool = False
    others: Sequence[Ground] = ()
    error: float = 0.0

    @property
    def model(self) -> Any:
        return self.derivation.model

    @cached_property
    def oracle(self) -> Oracle:
        return Oracle(self.model, self.arrays)

    @cached_property
    def formulas(self) -> Formulas:
        return Formulas(self.derivation, self.arrays, self.oracle)

    @property
    def fixed(self) -> frozenset[str]:
        """Parameters for which no update was derived."""
        updated = {name_of(update.parameter) for update in self.derivation.updates}
        return frozenset(each.name for each in self.model.parameters if each.name not in updated)

    @cached_property
    def asked(self) -> dict[str, Any]:
        """The data as the emitted functions take them, with the sizes that no array shows."""
        shaped = (*self.model.data, *self.model.known, *self.model.parameters)
        shown = {
            symbol.name
            for each in shaped
            for size in (*each.sizes, *each.shape)
            for symbol in size.free_symbols
        }
        hidden = (each.name for each in self.model.sizes if each.name not in shown)
        nodes = (each.extent.symbol.name for each in self.derivation.approximated)
        return {**self.data, **{name: self.arrays[name] for name in (*hidden, *nodes) if name in self.arrays}}

    def step(self, theta: Theta) -> dict[str, Any]:
        """One EM step by the formulas of the derivation."""
        return self.formulas.at(theta).update()

    def stages(self, before: Theta, after: Theta) -> Iterator[tuple[Theta, frozenset[str]]]:
        """Where an update should have raised Q to the top, and the parameters held there.

        That is θ⁽ᵗ⁺¹⁾ with nothing held. If some updates are conditional maximisers (ECM; Meng & Rubin 1993), it is one
        point for each of them: what is updated up to it new, what follows old, and all the rest held.
        """
        updates = self.derivation.updates
        if not any(isinstance(update, Conditional) for update in updates):
            yield after, self.fixed
            return
        names = frozenset(each.name for each in self.model.parameters)
        here = dict(before)
        for _key, together in itertools.groupby(updates, self._turn):
            moved = {name_of(update.parameter) for update in together}
            here |= {name: after[name] for name in moved}
            yield dict(here), names - moved

    def _turn(self, update: Update) -> tuple[Any, ...]:
        """What is the same of updates that maximise together: the block, which the arguments of a factor are, or of conditional ones the parameter."""
        if not isinstance(update, Conditional) or isinstance(update, OfFactor):
            return ("block", update.block)
        name = name_of(update.parameter)
        return next((group for group in self.model.simplexes if name in group), (name,))

    def fast_step(self, theta: Theta) -> dict[str, Any]:
        """One EM step, by the emitted module where there is one."""
        if self.solver is None:
            return self.step(theta)
        after = self.solver.em_step(dict(theta), **self.asked)
        return {name: np.asarray(getattr(after, name), dtype=float) for name in theta}

    def log_prior(self, theta: Theta) -> float:
        return self.oracle.log_prior(theta)

    def beliefs(self) -> Iterator[tuple[Theta, Belief]]:
        for theta in self.points:
            yield theta, self.oracle.at(theta)

    def objective(self, belief: Belief) -> Callable[[Theta], Array]:
        """Q(·|θ⁽ᵗ⁾) of the declared model, with the log-prior, at each of several θs."""
        return lambda thetas: belief.surrogates(thetas) + self.oracle.log_priors(thetas)


def relative(value: float, truth: float, size: float) -> float:
    """The distance of two sums relative to 1 + the sizes of their terms; what is no finite number is infinitely far."""
    gap = abs(value - truth) / (1.0 + size)
    return gap if np.isfinite(gap) and np.isfinite(size) else np.inf


def apart(values: Mapping[str, Any], truth: Mapping[str, Any]) -> float:
    """The largest relative distance between arrays of the same names."""
    worst = 0.0
    for name, expected in truth.items():
        left, right = np.asarray(values[name], dtype=float), np.asarray(expected, dtype=float)
        if left.shape != right.shape:
            return np.inf
        gap = or_infinite(np.abs(left - right) / (1.0 + np.abs(right)))
        worst = max(worst, float(np.max(gap, initial=0.0)))
    return worst


def or_infinite(values: Array) -> Array:
    """Values with infinity for what is not a number."""
    return np.where(np.isnan(values), np.inf, values)
