"""Fits that end at an end of the support where the log-prior has no bound, so that there is no maximum."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from symem.runtime.loop import BoundaryWarning, _position

#: Two distances from an end, across which a log-prior without a bound goes on rising.
_NEAR, _NEARER = 1e-10, 1e-15


def _is_unbounded(theta: Any, table: Any, log_prior: Callable[[Any], float]) -> bool:
    """Whether a share or a probability stands at an end towards which the log-prior rises for ever; it is named."""
    found = False
    for name, value in zip(theta._fields, theta, strict=True):
        low, high = np.less_equal(value, 0.0), np.greater_equal(value, 1.0)
        at_end = low | (high if table[name].kind == "unit" else False)
        if table[name].kind not in ("simplex", "unit") or not np.any(at_end):
            continue
        near, nearer = (
            log_prior(theta._replace(**{name: np.where(at_end, np.where(low, by, 1.0 - by), value)}))
            for by in (_NEAR, _NEARER)
        )
        if nearer - near > 1.0:
            found = True
            warnings.warn(
                f"{_position(name, at_end)} = {np.asarray(value)[at_end].flat[0]!s} is an end of its support, towards which "
                "the log-prior rises without bound: there is no maximum. Give a prior whose exponents are not negative.",
                BoundaryWarning,
                stacklevel=4,
            )
    return found
