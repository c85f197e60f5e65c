"""Runs from several starts, and the best of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from symem.runtime.loop import Accelerator, DataError, NotConvergedWarning, Run, Supports, Tell, _iterate
from symem.runtime.wording import _Option, _Words


class _Counted:
    """A step, and how often it was made."""

    def __init__(self, step: Callable[[Any], tuple[Any, float]]) -> None:
        self._step, self.number = step, 0

    def __call__(self, theta: Any) -> tuple[Any, float]:
        self.number += 1
        return self._step(theta)


def _best(  # noqa: PLR0913  what runs need
    step: Callable[[Any], tuple[Any, float]],
    starts: list[Any],
    *,
    scale: int,
    tol: float,
    max_iter: int,
    tell: Tell | None = None,
    supports: Supports | None = None,
    accelerator: Callable[[], Accelerator | None] = lambda: None,
) -> tuple[Run, tuple[float, ...]]:
    """The run with the highest objective of those from all starts, and where each ended: nan where it failed, which
    counts only if all do. Where one is stopped, no other begins.
    """
    runs: list[Run] = []
    ends: list[float] = []
    failure: DataError | None = None
    for theta in starts:
        counted = _Counted(step)
        asked: Any = {"scale": scale, "tol": tol, "max_iter": max_iter, "tell": tell, "supports": supports}
        try:
            run = _iterate(counted, theta, **asked, jumps=accelerator())
        except DataError as error:
            failure = error
            ends.append(np.nan)
            continue
        runs.append(run._replace(n_evaluations=counted.number))
        ends.append(run.history[-1])
        if run.stopped:
            break
    if failure is not None and not runs:
        raise failure
    best = max(runs, key=lambda run: run.history[-1])
    if not best.converged and len(best.history) > max_iter:
        warnings.warn(
            _Words(
                f"EM has not converged after {max_iter} iterations: raise ",
                _Option("max_iter", ""),
                ", loosen ",
                _Option("tol", ""),
                ", or jump ahead by ",
                _Option("accelerate", "auto"),
                ".",
            ),
            NotConvergedWarning,
            stacklevel=4,
        )
    stopped = any(run.stopped for run in runs)
    return (best._replace(converged=False, stopped=True) if stopped else best), tuple(ends)


def _random_starts(
    draw: Callable[[np.random.Generator], Any],
    step: Callable[[Any], tuple[Any, float]],
    seed: int | None,
    n_init: int,
    supports: Supports | None = None,
    blamed: Callable[[Any], str] = lambda _theta: "",
) -> list[Any]:
    """For each restart, the best of several draws after a few EM steps; where there is none, `blamed` says what has no
    value there.
    """
    rng = np.random.default_rng(seed)
    return [_promising([draw(rng) for _ in range(6)], step, supports, blamed) for _ in range(n_init)]


def _promising(
    candidates: list[Any],
    step: Callable[[Any], tuple[Any, float]],
    supports: Supports | None,
    blamed: Callable[[Any], str],
) -> Any:
    best, highest = None, -np.inf
    for theta in candidates:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run = _iterate(step, theta, scale=0, tol=0.0, max_iter=5, supports=supports)
        except DataError:
            continue
        if run.history[-1] > highest:
            best, highest = run.theta, run.history[-1]
    if best is None:
        raise DataError(
            _Words(
                "No start was found from which the log-likelihood is finite",
                blamed(candidates[-1]),
                ": give ",
                _Option("start"),
                ".",
            )
        )
    return best
