"""The loop that a solver runs: convergence, the monotonicity guard, restarts and the record of a fit.

NumPy only, and copied into every solver. A solver hands over one EM step, which also gives the objective at the
point it started from, and a way to draw starts.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from symem.runtime.convergence import _Distance
from symem.runtime.falls import _decided_by_last_digits


class Supports(Protocol):
    """Where the parameters may be."""

    def hold(self, theta: Any) -> bool:
        """Whether every entry surely is inside."""

    def left(self, name: str, value: Any, least: float | None) -> Any:
        """Where a parameter of that name and value has collapsed, to this share of the largest of its entries or to less:
        over its entries, or over the matrices of an array. With None, entries outside alone; False for nowhere.
        """


#: Below this share of the largest of its array, or of what the others leave of it, a spread has lost its digits.
_LOST = 1e-6

#: A fall by that share of the objective is the rounding of the number itself.
_ULP = 1e-15


class Accelerator(Protocol):
    """What proposes jumps in one run, from the EM steps that it is shown."""

    #: How far the last jump would have led, as a share of the parameters: what is left, as far as it can tell.
    distance: float

    def proposed(self, theta: Any, following: Any) -> Any:
        """A point beyond the EM step from `theta` to `following`; None for none."""

    def refused(self) -> None:
        """The last jump was not taken."""

    def forget(self) -> None:
        """A parameter keeps its value: the steps so far tell nothing of those that follow."""


class DataError(ValueError):
    """Data, sizes or a start that the model cannot take; the message names the array and the row."""


class EMWarning(UserWarning):
    """Something to know about a fit that was not refused."""


class NotConvergedWarning(EMWarning):
    """The loop reached max_iter before the log-likelihood settled."""


class LikelihoodFellWarning(EMWarning):
    """The log-likelihood fell by more than rounding, which EM never does."""


class EmptyComponentWarning(EMWarning):
    """An outcome has no observations left, so its parameters have nothing to be estimated from."""


class LostDigitsWarning(EMWarning):
    """A parameter is a small difference of large sums, so that its digits are rounding."""


class BoundaryWarning(EMWarning):
    """A parameter has reached the edge of its support: a collapsing variance, an unbounded likelihood."""


class SaddleWarning(EMWarning):
    """The run stood still where the objective has no maximum: in a symmetric start, as a rule."""


class QuadratureWarning(EMWarning):
    """Twice as many nodes change a quadrature: the approximation has an error that can be seen."""


class Run(NamedTuple):
    """One run from one start: `history[t]` is the objective at the t-th iterate, the start included, after so
    many EM steps tried, those from jumps that were not taken among them.
    """

    theta: Any
    history: list[float]
    converged: bool
    stopped: bool = False
    n_evaluations: int = 0


#: What is done after every iteration, with the objective and the distance to its end; whether the run is to stop.
Tell = Callable[[int, Any, float, float], bool]


def _iterate(  # noqa: PLR0913  what a run needs
    step: Callable[[Any], tuple[Any, float]],
    theta: Any,
    *,
    scale: int,
    tol: float,
    max_iter: int,
    tell: Tell | None = None,
    supports: Supports | None = None,
    jumps: Accelerator | None = None,
) -> Run:
    """Repeat `step` until the objective changes by at most tol * scale, and the distance that is left is short.

    `step(theta)` gives (next theta, objective at theta). `supports` tell where a
    parameter is at 0, or a matrix singular, though it must not be; `jumps` lead ahead where that does not lower the objective.
    The run ends at the last theta whose objective is known. It has not converged beside a parameter that keeps its
    value. EM ends where the objective falls by far more than rounding or, beside such a parameter, by more.
    """
    history: list[float] = []
    kept, left = _Kept(), _Distance()
    following, value = step(theta)
    if not np.isfinite(value):
        raise DataError(f"The log-likelihood is {value} at the start: start elsewhere, or scale the data.")
    for iteration in range(max_iter + 1):
        history.append(value)
        if tell is not None and tell(iteration, theta, value, left.objective):
            return Run(theta, history, converged=False, stopped=True)
        if iteration > 0 and _settled(history, scale, tol, left, kept, jumps):
            return Run(theta, history, not kept.now)
        if iteration < max_iter:
            last = theta
            ahead = None if jumps is None else _jump(step, theta, following, value, supports, jumps)
            theta, following, value = ahead or _advance(step, theta, following, value, supports, kept)
            if ahead is None:
                left.moved(value - history[-1], last, theta)
            else:
                left = _Distance()
            if kept.now and jumps is not None:
                jumps.forget()
            if value < history[-1] - (_rounding(history[-1], scale) if kept.said else _far(history[-1])):
                _say_fallen(history[-1] - value, iteration + 1, kept, _decided_by_last_digits(step, theta))
                return Run(last, history, converged=False)
    return Run(theta, history, converged=False)


def _jump(
    step: Callable[[Any], tuple[Any, float]],
    theta: Any,
    following: Any,
    before: float,
    supports: Supports | None,
    jumps: Accelerator,
) -> tuple[Any, Any, float] | None:
    """On by a jump, unless the objective falls or has no value there; None if none is taken."""
    try:
        ahead = jumps.proposed(theta, following)
    except np.linalg.LinAlgError:
        jumps.forget()
        return None
    if ahead is None:
        return None
    try:
        if supports is None or supports.hold(ahead):
            after, value = step(ahead)
            if value >= before - _ULP * abs(before):
                return ahead, after, value
    except DataError:
        pass
    jumps.refused()
    return None


class _Kept:
    """What keeps its value in a run: the entries that have collapsed, and the places that were named.

    `now` tells whether any did in the last step.
    """

    def __init__(self) -> None:
        self.fallen: dict[str, Any] = {}
        self.said: set[str] = set()
        self.now = False


def _advance(
    step: Callable[[Any], tuple[Any, float]],
    theta: Any,
    following: Any,
    before: float,
    supports: Supports | None,
    kept: _Kept,
) -> tuple[Any, Any, float]:
    """One step on. A parameter that is undetermined (0/0) or at 0 where it must not be keeps its value, and is named:
    where the objective has no value, or falls by far more than rounding because all digits are lost. It keeps it for
    as long as it would fall there again.
    """
    kept.now = False
    if kept.fallen:
        following = _repaired(theta, following, supports, _LOST, kept, again=True)
    if supports is not None and not supports.hold(following):
        following = _repaired(theta, following, supports, None, kept)
    after, value = step(following)
    floor = before - _far(before)
    for least in (0.0, _LOST):
        if not value > floor:
            following = _repaired(theta, following, supports, least, kept)
            after, value = step(following)
    if not math.isfinite(value):
        return _held_back(step, theta, following, value, kept)
    return following, after, value


def _held_back(
    step: Callable[[Any], tuple[Any, float]], theta: Any, following: Any, value: float, kept: _Kept
) -> tuple[Any, Any, float]:
    """The step without the first parameter that alone takes the objective where it has no value; it is named."""
    names = theta._fields
    for name in names if len(names) > 1 else ():
        without = following._replace(**{name: getattr(theta, name)})
        after, found = step(without)
        if np.isfinite(found):
            what = f"moves to where the log-likelihood is {value}, as if it had no upper bound there"
            _say_kept(name, getattr(theta, name), np.True_, BoundaryWarning, what, kept)
            return without, after, found
    raise DataError(
        f"The log-likelihood became {value} at the next {', '.join(names)}: start elsewhere, scale the data, or give "
        "the parameters priors."
    )


#: What is the matter with an update that is no number.
_UNDETERMINED = "is undetermined (0/0): no observations are left for it, or data that stand beside it are constant or repeat others"
#: What is the matter with an update that is infinite.
_OVERFLOWS = (
    "is infinite: a sum in it has vanished or has no floating-point number, as exponentials of data far from 0 have; measure "
    "the data from a point near them, or scale them"
)


def _repaired(
    theta: Any,
    following: Any,
    supports: Supports | None,
    least: float | None,
    kept: _Kept,
    *,
    again: bool = False,
) -> Any:
    """The step with what is undetermined or has collapsed at its old value; `again`: only what collapsed before."""
    repaired = []
    for name, old, new in zip(theta._fields, theta, following, strict=True):
        empty = ~np.isfinite(new)
        fallen = False if supports is None else supports.left(name, new, least)
        fallen = np.zeros(np.shape(new), dtype=bool) if fallen is False else fallen
        if again:
            fallen = fallen & kept.fallen.get(name, False)
        elif np.any(fallen):
            kept.fallen[name] = fallen | kept.fallen.get(name, False)
        unknown, far = np.isnan(new), np.isinf(new)
        _say_kept(name, old, unknown, EmptyComponentWarning, _UNDETERMINED, kept)
        _say_kept(name, old, far, LostDigitsWarning, _OVERFLOWS, kept)
        matrices = np.ndim(fallen) < np.ndim(new)
        what = (
            "became singular: too few observations, or columns that are constant or repeat"
            if matrices
            else "fell to 0, the edge of its support"
            if np.all(np.abs(np.asarray(new)[fallen]) <= np.abs(np.asarray(old)[fallen]))
            else "would leave its support: Q has no maximum inside"
        )
        _say_kept(name, old, fallen, BoundaryWarning, what, kept)
        bad = empty | (np.asarray(fallen)[..., None, None] if matrices else fallen)
        repaired.append(np.where(bad, old, new) if np.ndim(new) else (old if bad else new))
    return type(theta)(*repaired)


def _say_kept(name: str, old: Any, bad: Any, kind: type[EMWarning], what: str, kept: _Kept) -> None:
    """Once a run for each entry."""
    kept.now = kept.now or bool(np.any(bad))
    if np.any(bad) and _position(name, bad) not in kept.said:
        kept.said.add(_position(name, bad))
        value = (
            f" {np.asarray(old)[bad].flat[0] if np.ndim(old) else old!s}"
            if np.ndim(old) == np.ndim(bad)
            else ""
        )
        warnings.warn(
            f"{_position(name, bad)} {what}. It keeps its value{value}: ask for fewer components, start "
            "elsewhere, or give the parameter a prior.",
            kind,
            stacklevel=8,
        )


def _rounding(value: float, scale: int) -> float:
    return 1e-9 * (1.0 + abs(value)) + 1e-12 * scale


def _far(value: float) -> float:
    """Far more than rounding."""
    return 1e-6 * (1.0 + abs(value))


def _settled(
    history: list[float],
    scale: int,
    tol: float,
    left: _Distance,
    kept: _Kept,
    jumps: Accelerator | None,
) -> bool:
    change = history[-1] - history[-2]
    if change < 0 and change < -_rounding(history[-2], scale):
        _say_fallen(-change, len(history) - 1, kept)
    if abs(change) > tol * scale:
        return False
    return (jumps is not None and jumps.distance <= math.sqrt(tol)) or left.is_short(tol, scale)


def _say_fallen(by: float, iteration: int, kept: _Kept, sensitive: tuple[str, float] = ("", 0.0)) -> None:
    """Once a run, and not beside a parameter that was named as losing its digits; or what the objective is sensitive to."""
    name, rounding = sensitive
    if not kept.said and rounding > by / 4:
        kept.said.add(name)
        warnings.warn(
            f"{name} has no maximum in reach of floating-point numbers: the likelihood rises towards where the last digits of {name} "
            f"move it by {rounding:.3g}, as where rows have no spread or are too few. A prior on it gives it one.",
            BoundaryWarning,
            stacklevel=6,
        )
    if not kept.said:
        kept.said.add("")
        warnings.warn(
            f"The log-likelihood fell by {by:.3g} in iteration {iteration}: EM never does this, so the "
            "statistics have lost their digits or the derivation is wrong.",
            LikelihoodFellWarning,
            stacklevel=6,
        )


def _position(name: str, wrong: np.ndarray, origin: int = 0) -> str:
    """The first wrong entry, as it is written: x[3]."""
    place = np.argwhere(np.atleast_1d(wrong))[0] if np.ndim(wrong) else ()
    return f"{name}[{', '.join(str(int(p) + origin) for p in place)}]" if len(place) else name
