"""The bootstrap (Efron 1979): estimates of samples like the data, drawn from their rows or from the model at the estimate."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symem.runtime.chunks import _uncut
from symem.runtime.description import Model
from symem.runtime.loop import DataError
from symem.runtime.sequences import _as_rectangles


def _refits(solver: Any, theta: Any, data: Mapping[str, Any], counts: Any, asked: Mapping[str, Any]) -> Any:
    """Estimates of so many samples, each from a start at theta: parameters whose arrays have the samples as first axis."""
    if asked["by"] not in ("rows", "model"):
        raise DataError(f"by={asked['by']!r} is 'rows', which are drawn anew, or 'model', whose laws are.")
    rng, model = np.random.default_rng(asked["seed"]), solver.model
    checked = _uncut(model, data, theta)
    settings = {"tol": 1e-9, "max_iter": 10_000, "n_init": 1, "seed": None}
    if asked["by"] == "rows":
        rows = model.plates.rows
        if rows is None:
            raise DataError("The data of this model are not cut into independent rows: give by='model'.")
        own = np.ones(checked[rows]) if counts is None else np.asarray(counts, dtype=float)

        def refit() -> Any:
            drawn = rng.multinomial(round(own.sum()), own / own.sum())
            return solver.fit_counted(drawn, settings=settings, start=theta, **data)

    else:
        data = _as_rectangles(model.plates.ragged, model.data, data)
        given = _read_by_draws(model, checked, data)

        def refit() -> Any:
            drawn = _as_seen(model, solver.sample(theta, seed=rng, **given), data)
            return solver.fit(**{**data, **drawn}, start=theta, tol=1e-9)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [_estimate(refit, theta) for _ in range(asked["times"])]
    return type(theta)(*(np.stack(arrays) for arrays in zip(*found, strict=True)))


def _estimate(refit: Callable[[], Any], theta: Any) -> list[Any]:
    """The estimate of one sample, NaN where it gives none."""
    try:
        return [np.asarray(value, dtype=float) for value in refit().parameters]
    except DataError:
        return [np.full(np.shape(value), np.nan) for value in theta]


def _read_by_draws(model: Model, checked: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """The known arrays and the sizes that draws read."""
    if isinstance(model.draws, str):
        raise DataError(model.draws)
    sizes = {name: checked[name] for name in model.draws.sizes if name in checked}
    return {**sizes, **{name: data[name] for name in model.draws.known if name in data}}


def _as_seen(model: Model, drawn: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Draws that are missing where the data are."""
    missing = {name for name, spec in model.data.items() if spec.missing and spec.kind != "label"}
    return {
        name: np.where(np.isnan(np.asarray(data[name], dtype=float)), np.nan, value)
        if name in missing
        else value
        for name, value in drawn.items()
    }
