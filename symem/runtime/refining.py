"""Fits whose E-step is a quadrature: with twice as many nodes until these change nothing, and told by how much they do."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from symem.runtime.description import Model
from symem.runtime.em_steps import _e_step
from symem.runtime.fitting import _Fitting
from symem.runtime.loop import QuadratureWarning
from symem.runtime.settings import Settings

#: The relative change of log-likelihood and statistics below which there are nodes enough; how often they are doubled; the most.
_SAME_WITH_MORE, _REFINEMENTS, _MOST_NODES = 1e-9, 4, 4096


def _refined(
    model: Model, source: Any, start: Any, asked: Settings, data: Mapping[str, Any], counts: Any = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a `Fit` holds, and how many nodes it took, by name."""
    fitting = _Fitting(model, source, start, asked, data, counts)
    found = fitting.found()
    times = {name: factor for name, factor in model.plates.nodes if name not in data}
    taken = {name: int(fitting.sizes[name]) for name, _factor in model.plates.nodes}
    if not taken:
        return found, {}
    for left in range(_REFINEMENTS if times else 0, -1, -1):
        more = {name: taken[name] * factor for name, factor in model.plates.nodes}
        finer = _Fitting(model, source, found["parameters"], asked, {**data, **more}, counts)
        change = _changed_by_nodes(model, found["parameters"], fitting, finer)
        enough = max(change.values()) <= _SAME_WITH_MORE or max(more.values()) > _MOST_NODES
        if enough or not left or not found["converged"]:
            break
        history, tried = found["history"], found["n_evaluations"]
        found, fitting, taken = finer.found(), finer, more
        found["history"] = np.concatenate([history, found["history"]])
        found["n_iter"], found["n_evaluations"] = len(found["history"]) - 1, tried + found["n_evaluations"]
    if not max(change.values()) <= _SAME_WITH_MORE:
        warnings.warn(_too_few_nodes(taken, change), QuadratureWarning, stacklevel=4)
    return {**found, "approximation": {"nodes": taken, "change": change}}, taken


def _changed_by_nodes(model: Model, theta: Any, coarse: _Fitting, fine: _Fitting) -> dict[str, float]:
    """By how much twice as many nodes change the log-likelihood and the statistics, relative to 1 + their size."""
    before, after = (_e_step(model, theta, each.rows) for each in (coarse, fine))
    names = [name for name in after._fields if name != "log_likelihood"]
    gaps = [_relative_gap(getattr(before, name), getattr(after, name)) for name in names]
    return {
        "log_likelihood": _relative_gap(before.log_likelihood, after.log_likelihood),
        "statistics": max(gaps, default=0.0),
    }


def _relative_gap(before: Any, after: Any) -> float:
    before, after = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    gap = float(np.max(np.abs(after - before) / (1.0 + np.abs(after)), initial=0.0))
    return gap if np.isfinite(gap) else float("inf")


def _too_few_nodes(taken: Mapping[str, int], change: Mapping[str, float]) -> str:
    nodes = " and ".join(f"{name} = {number}" for name, number in taken.items())
    return (
        f"With {nodes} nodes the quadrature is not exact: twice as many change the log-likelihood by "
        f"{change['log_likelihood']:.1e} of its size, and statistics by {change['statistics']:.1e}. Give more nodes, as {next(iter(taken))}=."
    )
