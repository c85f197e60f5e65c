"""One iteration in numbers: the formulas of a derivation evaluated at the reader's data and start.

The E-step, the statistics and the M-step are the records' own formulas, evaluated one after the other; the
likelihood before and after, and the fit that follows, are the emitted solver's.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from sympy import Expr, Symbol

from symem.derivation import Derivation
from symem.errors import DataError
from symem.evaluation.arithmetic import Arithmetic, evaluate
from symem.evaluation.situation import as_arrays, extent_of, situation
from symem.evaluation.updating import stepped
from symem.report.fitted import Fitted, Values, by_name
from symem.report.notation.by_label import by_label
from symem.report.notation.plain_statistics import plainly

MOST_ITERATIONS = 200


@dataclass(frozen=True, kw_only=True)
class Worked(Fitted):
    """An iteration from `old` to `new`, and the fit it begins, of at most `MOST_ITERATIONS`.

    Args:
        old: the start θ⁽⁰⁾ by name.
        new: θ⁽¹⁾.
        arrays: everything by name: data, sizes, θ⁽⁰⁾, the posteriors' arrays and the statistics.
        path: the parameters at every iterate, the start's first.
    """

    old: Values
    new: Values
    arrays: Values
    path: tuple[Any, ...]

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
    old = by_name(iterates[0][0])
    data = as_arrays(derivation.model, data)
    arrays = _arrays(derivation, data, old)
    with np.errstate(all="ignore"):
        found = stepped(derivation.updates, arrays)
    new = {name: np.asarray(found[name], dtype=float).reshape(old[name].shape) for name in old}
    path = tuple(theta for theta, _ in iterates)
    return Worked(
        derivation=derivation,
        fit=fit,
        solver=solver.SOLVER,
        given=dict(data),
        old=old,
        new=new,
        arrays=arrays,
        path=path,
    )


def _arrays(derivation: Derivation, data: Values, theta: Values) -> dict[str, Any]:
    """The E-step and the statistics at θ, with all that they are made of."""
    arrays = {**situation(derivation.model, data, {**data, **theta}), **theta}
    arrays |= {each.symbol.name: extent_of(each, arrays) for each in derivation.own_extents}
    with np.errstate(all="ignore"):
        told = by_label(plainly(derivation)).surrogate.statistics
        return evaluate((*derivation.definitions, *derivation.surrogate.statistics, *told), arrays)
