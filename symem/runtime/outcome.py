"""What there is to know of where a fit ended: an edge, an empty component, a saddle."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symem.runtime.chunks import _as_parameters
from symem.runtime.description import Model
from symem.runtime.loop import (
    _OVERFLOWS,
    _UNDETERMINED,
    BoundaryWarning,
    DataError,
    EmptyComponentWarning,
    EMWarning,
    LostDigitsWarning,
    SaddleWarning,
    _position,
)
from symem.runtime.monomials import _BLURRED
from symem.runtime.wording import _counted_place


def _warn_of_edges(start: Any, theta: Any, table: Any, objective: Callable[[Any], float]) -> None:
    """A positive parameter that shrinks towards 0 while the objective keeps rising: a collapsing variance.

    Small is measured by the start and by the largest entry of its array.
    """
    for name, before, after in zip(theta._fields, start, theta, strict=True):
        tiny = np.asarray(after) < 1e-6 * np.maximum(before, np.max(after))
        if table[name].kind != "positive" or not np.any(tiny):
            continue
        smaller = theta._replace(**{name: np.where(tiny, 0.1 * np.asarray(after), after)})
        if objective(smaller) > objective(theta) + 0.5:
            warnings.warn(
                f"{_position(name, tiny)} = {np.asarray(after)[tiny].flat[0]!s} has all but vanished, and the likelihood "
                "still rises: it has no maximum there. Start elsewhere, or give the parameter a prior.",
                BoundaryWarning,
                stacklevel=4,
            )


def _warn_of_empty(latent: str, masses: Mapping[int, float]) -> None:
    """A component that holds no observations, given what each holds."""
    least = min(masses, key=lambda outcome: masses[outcome])
    if masses[least] < 1e-6:
        warnings.warn(
            f"No observations are left with {latent} = {least}: ask for fewer components, or start elsewhere.",
            EmptyComponentWarning,
            stacklevel=4,
        )


def _warn_of_undetermined(theta: Any) -> None:
    """An entry that nothing observed determines: 0/0; or one that is infinite."""
    for name, value in zip(theta._fields, theta, strict=True):
        if np.any(np.isinf(value)):
            warnings.warn(
                f"{_position(name, np.isinf(value))} {_OVERFLOWS}.", LostDigitsWarning, stacklevel=4
            )
        if np.any(np.isnan(value)):
            warnings.warn(
                f"After this step {_position(name, np.isnan(value))} {_UNDETERMINED}. Start elsewhere, or give the parameter a prior.",
                EmptyComponentWarning,
                stacklevel=4,
            )


def _say_outside(what: str) -> None:
    warnings.warn(
        f"The fit has left the parameters' supports, so an update is wrong there or has no maximum. {what}",
        BoundaryWarning,
        stacklevel=5,
    )


def _say_saddle(iteration: int) -> None:
    warnings.warn(
        f"EM stood still at iteration {iteration}, but not at a maximum: components that are equal there stay so. It went "
        "on from a point beside it; a start that is not symmetric is better.",
        SaddleWarning,
        stacklevel=4,
    )


def _warn_of_unknown(posterior: list[Any], axes: tuple[Any, ...]) -> None:
    """A posterior that has no number."""
    for array, axis in zip(posterior, axes, strict=True):
        wrong = np.isnan(array)
        if np.any(wrong):
            of_row = axis is not None and np.ndim(array) > axis
            where = f" of {_counted_place('row', np.argwhere(wrong)[0][axis])}" if of_row else ""
            warnings.warn(
                f"The posterior{where} has no floating-point number: what was observed is impossible at these parameters, "
                "or lies too far from what they say.",
                EMWarning,
                stacklevel=5,
            )
            return


def _warn_of_blurred(log_likelihoods: Any) -> None:
    """Rows whose log weights are so large that what tells labels apart is lost in their rounding."""
    wrong = np.abs(log_likelihoods) > _BLURRED
    if np.any(wrong):
        row = int(np.argmax(wrong))
        warnings.warn(
            f"The posterior of {_counted_place('row', row)} may have lost its digits: beside a log-likelihood of {log_likelihoods[row]:.0e} "
            "what tells labels apart is rounding. The row lies too far from what the parameters say: leave it out.",
            LostDigitsWarning,
            stacklevel=5,
        )


def _stays_inside(model: Model, theta: Any) -> bool:
    """Whether the parameters are what they must be; if not it is said, for no start is at fault then."""
    try:
        _as_parameters(model, theta)
    except DataError as error:
        _say_outside(str(error))
        return False
    return True
