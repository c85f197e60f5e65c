"""Labels on trees behind categorical data, by all labellings of each tree's places (Crouse, Nowak & Baraniuk 1998)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.references import Values, normalise


def _labellings(theta: Values, data: Values) -> tuple[Any, Any]:
    """Every labelling of all places, and its log joint density with the data."""
    labels = np.array(np.unravel_index(np.arange(2 ** len(data["y"])), (2,) * len(data["y"])))
    value = np.zeros(labels.shape[1])
    for place, (parent, seen) in enumerate(zip(data["parent"], data["y"], strict=True)):
        own = labels[place]
        value += np.log(theta["pi"][own] if parent < 0 else theta["A"][labels[parent], own])
        value += np.log(theta["B"][own, seen])
    return labels, value


def log_likelihood(theta: Values, data: Values) -> float:
    return float(normalise(_labellings(theta, data)[1])[1])


def em_step(theta: Values, data: Values) -> Values:
    labels, value = _labellings(theta, data)
    share = normalise(value)[0]
    counts = {name: np.zeros_like(theta[name]) for name in ("pi", "A", "B")}
    for place, (parent, seen) in enumerate(zip(data["parent"], data["y"], strict=True)):
        own = labels[place]
        if parent < 0:
            counts["pi"] += np.bincount(own, share, 2)
        else:
            np.add.at(counts["A"], (labels[parent], own), share)
        counts["B"][:, seen] += np.bincount(own, share, 2)
    return {name: each / each.sum(-1, keepdims=True) for name, each in counts.items()}
