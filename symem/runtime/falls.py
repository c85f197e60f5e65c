"""What is behind a log-likelihood that falls: parameters so far out that their last digits decide it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

#: By how many units of the last place parameters are moved.
_LAST_PLACES = (-16, -5, -1, 2, 9, 16)


def _decided_by_last_digits(step: Callable[[Any], tuple[Any, float]], theta: Any) -> tuple[str, float]:
    """The parameter whose last digits move the objective most, and by how much."""
    found = []
    with np.errstate(all="ignore"):
        for name, value in zip(theta._fields, theta, strict=True):
            moved = []
            for unit in _LAST_PLACES:
                near = np.asarray(value) * (1.0 + unit * np.finfo(float).eps)
                try:
                    moved.append(step(theta._replace(**{name: near}))[1])
                except (ValueError, ArithmeticError, np.linalg.LinAlgError):
                    continue
            finite = [each for each in moved if np.isfinite(each)]
            found.append((max(finite) - min(finite) if finite else 0.0, name))
    by, name = max(found)
    return name, float(by)
