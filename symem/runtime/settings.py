"""What a fit is asked for, checked: every refusal names the keyword and says what to write."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.loop import DataError
from symem.runtime.wording import _Option, _Words

#: How a fit may be accelerated.
_WAYS = ("anderson", "squarem", "auto")


class Settings(NamedTuple):
    """The options of a fit."""

    tol: float
    max_iter: int
    n_init: int
    seed: Any
    callback: Callable[[int, Any, float], Any] | None
    verbose: bool
    accelerate: str | None = None

    def told(self) -> dict[str, Any]:
        """Those that decide what is found; a generator as such has no value."""
        seed = None if self.seed is None else self.seed if isinstance(self.seed, int) else "a generator"
        found = {"tol": self.tol, "max_iter": self.max_iter, "n_init": self.n_init, "seed": seed}
        return {**found, "accelerate": self.accelerate}


def _checked_settings(
    tol: Any, max_iter: Any, n_init: Any, seed: Any, callback: Any, verbose: Any, accelerate: Any = None
) -> Settings:
    """The options, each of its kind."""
    number = _as_number(tol)
    if number is None or not math.isfinite(number):
        raise DataError(
            _Words(
                _given_as("tol", tol),
                ", but it must be a finite number, such as ",
                _Option("tol", "1e-10"),
                "; below 0, no run ends early.",
            )
        )
    if callback is not None and not callable(callback):
        raise DataError(
            f"callback = {callback!r}, but it must be a function of (iteration, parameters, objective), or None."
        )
    if not isinstance(verbose, (bool, int, np.bool_)):
        raise DataError(f"verbose = {verbose!r}, but it must be True or False.")
    if accelerate is not None and accelerate not in _WAYS:
        ways = " or ".join(filter(None, [", ".join(map(repr, _WAYS[:-1])), repr(_WAYS[-1])]))
        raise DataError(
            _Words(_given_as("accelerate", accelerate), f", but it must be {ways}, or not be given.")
        )
    if not isinstance(seed, np.random.Generator) and seed is not None:
        seed = _whole("seed", seed, 0, ", or not be given")
    return Settings(
        number,
        _whole("max_iter", max_iter, 0),
        _whole("n_init", n_init, 1),
        seed,
        callback,
        bool(verbose),
        accelerate,
    )


def _whole(name: str, value: Any, least: int, otherwise: str = "", *, of: str = "setting") -> int:
    """A whole number of at least that."""
    number = _as_number(value)
    if number is None or not math.isfinite(number) or number != int(number) or number < least:
        raise DataError(
            _Words(
                _given_as(name, value, of), f", but it must be a whole number of at least {least}{otherwise}."
            )
        )
    return int(value)


def _given_as(name: str, value: Any, of: str = "setting") -> _Option:
    """An option with what was given."""
    return _Option(name, repr(value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value), of)


def _as_number(value: Any) -> float | None:
    """A number as such; None for text, truth values, arrays and all else."""
    if isinstance(value, (str, bytes, bool, np.bool_)) or np.ndim(value):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
