"""A fit: starts, runs from them, a way off a saddle, and what is to be said of where it ended."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from symem.runtime.acceleration import _ACCELERATORS
from symem.runtime.blocks import _Blocks
from symem.runtime.checks import _Ranges, _refuse_first_unseen
from symem.runtime.chunks import _as_parameters, _cut, _uncut
from symem.runtime.collapse import _collapsed, _sampled, _weighing
from symem.runtime.convergence import _escaped
from symem.runtime.description import Cut, Model, Rows, Unheld
from symem.runtime.draws import _apart_at_random, _far_apart, _mended, _plain, _profiles, _with_zeros_of
from symem.runtime.em_steps import (
    _e_step,
    _first_row,
    _has_cancelled,
    _has_no_bound,
    _lost,
    _masses,
    _maximised,
    _objective,
    _step,
    _summarised,
)
from symem.runtime.loop import Accelerator, DataError, Run, _rounding
from symem.runtime.outcome import _say_saddle, _stays_inside, _warn_of_edges, _warn_of_empty
from symem.runtime.parted import Parted
from symem.runtime.progress import _Progress
from symem.runtime.restarts import _best, _random_starts
from symem.runtime.results import _free_parameters
from symem.runtime.settings import Settings


class _Fitting:
    """One fit of a model to data; `counts` are how often rows count, where no array of the model says it."""

    def __init__(
        self,
        model: Model,
        source: Any,
        start: Any,
        asked: Settings,
        data: Mapping[str, Any],
        counts: Any = None,
    ) -> None:
        self.model, self.asked = model, asked
        self.start = None if start is None else _as_parameters(model, start)
        if source is None:
            self.data = _uncut(model, data, self.start)
            if start is None:
                _refuse_first_unseen(model, data, self.data.given)
            whole = self.data if counts is None else _weighing(model, self.data, counts)
            self._few = _collapsed(model, whole)
        else:
            self.data = unheld = _unheld(model, source, data, self.start)
            self._few = unheld.few if isinstance(unheld, _Blocks) else unheld
        self._supports, self._progress = _Ranges(model.parameters), _Progress(asked)

    @property
    def sizes(self) -> Mapping[str, Any]:
        """The sizes, by name, among what all rows share."""
        return self.data

    @property
    def rows(self) -> Cut:
        """The rows that stand for all."""
        return self._few

    def found(self) -> dict[str, Any]:
        """What a `Fit` holds of it."""
        try:
            starts, run, ends = self._search()
        finally:
            self._progress.close()
        model, data = self.model, self._few
        _warn_of_edges(starts[0], run.theta, model.parameters, lambda theta: self._step(theta)[1])
        for name, mass in _masses(model, run.theta, data).items():
            _warn_of_empty(name, mass)
        expected = _e_step(model, run.theta, data)
        lost = _lost(model, expected, run.theta, data) | _has_no_bound(model, run.theta, data)
        lost |= _has_cancelled(model, data, float(expected.log_likelihood))
        converged = all([run.converged, not lost, _stays_inside(model, run.theta)])
        return {
            "parameters": run.theta,
            "log_likelihood": float(expected.log_likelihood),
            "objective": _objective(model, run.theta, data, expected),
            "history": np.array(run.history),
            "converged": converged,
            "n_iter": len(run.history) - 1,
            "n_evaluations": run.n_evaluations,
            "restarts": ends,
            "message": self._ended(run, converged=converged),
            "n_parameters": _free_parameters(
                {n: spec for n, spec in model.parameters.items() if n not in model.factors},
                run.theta,
                model.simplexes,
            ),
            "n_rows": data.count * data.per_row,
            "settings": self.asked.told(),
            **({"approximation": {"factors": list(model.factors)}} if model.factors else {}),
        }

    def _ended(self, run: Run, *, converged: bool) -> str:
        """How the fit ended, in words."""
        if converged:
            return "converged"
        if run.stopped:
            return "stopped by the callback"
        if not run.converged and len(run.history) > self.asked.max_iter:
            return f"not converged after {self.asked.max_iter} iterations, the most allowed"
        return "not converged, for the reason that the warnings give"

    def _search(self) -> tuple[list[Any], Run, tuple[float, ...]]:
        """The starts, the best run from them, and where each run ended; on from beside a saddle."""
        starts = [self.start] if self.start else self._starts(self._some)
        try:
            run, ends = self._run(starts)
        except DataError:
            if self.start or isinstance(self.data, Unheld):
                raise
            starts = self._starts(self._few if self._few.counts is None else _cut(self.model, self.data))
            run, ends = self._run(starts)
        beside = self._beside(run) if self.start and run.converged else None
        if beside is None:
            return starts, run, ends
        _say_saddle(len(run.history) - 1)
        further, ends = self._run([beside])
        both = (run.history + further.history, run.n_evaluations + further.n_evaluations)
        return starts, further._replace(history=both[0], n_evaluations=both[1]), ends

    @cached_property
    def _some(self) -> Cut:
        """Rows on which starts are drawn."""
        return _sampled(self.model, self.data, self._few)

    def _starts(self, some: Cut) -> list[Any]:
        """Starts drawn on some of the rows."""
        model, asked = self.model, self.asked
        return _random_starts(
            lambda rng: _drawn_start(model, rng, some),
            lambda theta: _step(model, theta, some),
            asked.seed,
            asked.n_init,
            self._supports,
            self._blamed,
        )

    def _blamed(self, theta: Any) -> str:
        """The first row that has no log-likelihood there, if the rows are held."""
        if self.model.plates.rows is None or isinstance(self.data, Unheld):
            return ""
        row = _first_row(self.model, theta, self.data, lambda value: not np.isfinite(value))
        return f"; {row[0].lower()}{row[1:]} has none from the last that was tried, so look at that row"

    def _run(self, starts: list[Any]) -> tuple[Run, tuple[float, ...]]:
        asked = self.asked
        tell = self._progress if self._progress.is_wanted else None
        ends: Any = {"scale": self.data.scale, "tol": asked.tol, "max_iter": asked.max_iter}
        return _best(self._step, starts, **ends, tell=tell, supports=self._supports, accelerator=self._jumps)

    def _jumps(self) -> Accelerator | None:
        way = self.asked.accelerate
        return None if way is None else _ACCELERATORS[way](self.model)

    def _step(self, theta: Any) -> tuple[Any, float]:
        """One EM step; where rows that stand for many cannot take it, the others say which row it is."""
        try:
            return _step(self.model, theta, self._few)
        except DataError:
            if self._few.counts is None or isinstance(self.data, Unheld):
                raise
            return _step(self.model, theta, _cut(self.model, self.data))

    def _beside(self, run: Run) -> Any:
        """A point near the end of a run that is higher by more than what was left to go, where this is a saddle; a share that
        the caller began at 0 is meant to be 0.
        """
        last, before = run.history[-1], run.history[-2]
        left = 10 * self.asked.tol * self.data.scale
        margin = left + _rounding(last, 0) + len(run.history) * abs(last - before)
        try:
            towards, _ = self._step(_drawn_start(self.model, np.random.default_rng(0), self._some))
            towards = _with_zeros_of(self.start, towards, self.model.parameters) if self.start else towards
            return _escaped(self._step, run.theta, last, towards, margin)
        except DataError:
            return None


def _unheld(model: Model, source: Any, data: Mapping[str, Any], theta: Any) -> _Blocks | Parted:
    """Data that a function gives in blocks, or that are held elsewhere."""
    return (Parted if hasattr(source, "ask") else _Blocks)(model, source, data, theta)


def _drawn_start(model: Model, rng: np.random.Generator, data: Cut) -> Any:
    """The M-step at imputed latents."""
    prototypes: Any = None
    if model.labels.prototypes is not None:
        size, _ = model.labels.prototypes
        columns = _profiles(tuple(data.chunks), lambda rows: _profile(model, rows), rng)
        prototypes = _far_apart(rng, columns, data.get(size, size))

    made: dict[int, Any] = {}

    def imputed(rows: Rows) -> tuple[tuple[Any, ...], float]:
        if rows.first in made:
            return made[rows.first], 0.0
        profile = None if prototypes is None else (prototypes, _profile(model, rows))
        found = model.steps.impute(rng, rows, profile)
        if model.rises:
            made[rows.first] = found
        return found, 0.0

    expected = _summarised(model, data, imputed)
    theta = model.steps.Parameters(**_plain(model.parameters, data))
    theta = theta._replace(
        **{n: _apart_at_random(rng, getattr(theta, n), model.parameters[n]) for n in model.factors}
    )
    theta = _maximised(model, expected, theta, data, imputed) if model.conditional else theta
    return _mended(_maximised(model, expected, theta, data, imputed), model.parameters)


def _profile(model: Model, rows: Rows) -> Any:
    """The rows of a chunk as columns of numbers, by which they are near or far."""
    columns = []
    for name in model.labels.prototypes[1] if model.labels.prototypes is not None else ():
        spec = model.data[name]
        slot = spec.shape.index(model.plates.rows) + spec.entries
        columns.append(np.moveaxis(rows[name], slot, -1).reshape(-1, rows.length))
    return np.concatenate(columns).astype(float)
