"""One iteration in numbers: the formulas of a derivation evaluated at the reader's data and start.

The E-step, the statistics and the M-step are the records' own formulas, evaluated one after the other; the
likelihood before and after, and the fit that follows, are the emitted solver's.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from sympy import Expr, Symbol

from symem.derivation import Derivation
from symem.errors import DataError
from symem.evaluation.arithmetic import Arithmetic, evaluate
from symem.evaluation.situation import extent_of, situation

Values = Mapping[str, Any]
MOST_ITERATIONS = 200


@dataclass(frozen=True)
class Worked:
    """An iteration from `old` to `new`, and the fit it begins.

    Args:
        derivation: the records whose formulas were evaluated.
        given: data, constants and sizes as the reader gave them.
        old: the start θ⁽⁰⁾ by name.
        new: θ⁽¹⁾.
        fitted: where the fit from this start ended.
        arrays: everything by name: data, sizes, θ⁽⁰⁾, the posteriors' arrays and the statistics.
        history: the objective at θ⁽⁰⁾, θ⁽¹⁾, …: ℓ, in MAP-EM with the log-prior.
        converged: whether the fit settled in `MOST_ITERATIONS`.
        solver: the emitted module.
    """

    derivation: Derivation
    given: Values
    old: Values
    new: Values
    fitted: Values
    arrays: Values
    history: tuple[float, ...]
    converged: bool
    solver: ModuleType

    def table(self, value: Expr, indices: tuple[Symbol, ...], shape: tuple[int, ...]) -> Any:
        """A formula at every position of its indices."""
        with np.errstate(all="ignore"):
            return Arithmetic(self.arrays).table(value, indices, shape)

    def number(self, value: Expr) -> float:
        """A formula without open indices."""
        with np.errstate(all="ignore"):
            return Arithmetic(self.arrays).number(value)

    def size(self, size: Expr) -> int:
        return Arithmetic(self.arrays).integer(size)


def work(derivation: Derivation, solver: ModuleType, data: Values, start: Values | None = None) -> Worked:
    """One iteration, and the fit that follows, in numbers.

    Args:
        derivation: the records; all parameters have an update.
        solver: the module emitted for them.
        data: data, constants and sizes by declared name, as the solver's `fit` takes them.
        start: the parameters to start from; without them the solver's own start with seed 0.

    Raises:
        DataError: data or a start that the solver refuses; the message names the array.
    """
    options: dict[str, Any] = {"seed": 0} if start is None else {"start": dict(start)}
    iterates: list[tuple[Any, float]] = []

    def keep(iteration: int, theta: Any, value: float) -> None:
        del iterates[iteration:]
        iterates.append((theta, value))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = solver.fit(**data, **options, max_iter=MOST_ITERATIONS, callback=keep)
    except solver.DataError as error:
        raise DataError(str(error)) from None
    old, fitted = _by_name(iterates[0][0]), _by_name(fit.parameters)
    arrays = _arrays(derivation, data, old)
    updates = [update.definition for update in derivation.updates]
    with np.errstate(all="ignore"):
        found = evaluate(updates, arrays)
    new = {name: np.asarray(found[name], dtype=float).reshape(old[name].shape) for name in old}
    history = tuple(float(value) for value in fit.history)
    return Worked(derivation, dict(data), old, new, fitted, arrays, history, bool(fit.converged), solver)


def _by_name(theta: Any) -> dict[str, Any]:
    return {name: np.asarray(value, dtype=float) for name, value in theta._asdict().items()}


def _arrays(derivation: Derivation, data: Values, theta: Values) -> dict[str, Any]:
    """The E-step and the statistics at θ, with all that they are made of."""
    arrays = {**situation(derivation.model, data, {**data, **theta}), **theta}
    arrays |= {each.symbol.name: extent_of(each, arrays) for each in derivation.own_extents}
    with np.errstate(all="ignore"):
        return evaluate((*derivation.definitions, *derivation.surrogate.statistics), arrays)
