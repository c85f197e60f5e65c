"""An estimate in words: each parameter's numbers, the likelihood, and how the fit ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def estimate(found: Any) -> list[tuple[str, str]]:
    """Names and values of a fit, to the digits that one reads; standard errors where they do not take long."""
    errors = iter(row[0] for row in found.precision["entries"])
    rows = []
    for name, value in found.parameters._asdict().items():
        rows.append((name, numbers(value)))
        if found.precision["entries"]:
            own = np.array([next(errors) for _ in range(np.size(value))]).reshape(np.shape(value))
            rows.append(("  std. error", numbers(own, digits=4)))
    end = "converged" if found.converged else "NOT converged"
    return [
        *rows,
        (
            "free energy" if "factors" in found.approximation else "log-likelihood",
            f"{found.log_likelihood:.10g}",
        ),
        ("iterations", f"{found.n_iter}, {end}"),
        *approximated(found.approximation),
        *map(tuple, found.precision["facts"]),
    ]


def approximated(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How many nodes a quadrature took, and how much twice as many change; nothing of what is none."""
    if "factors" in told:
        return [("approximated", "by a mean field: the free energy is at most the log-likelihood")]
    if not told:
        return []
    nodes = ", ".join(f"{name} = {number}" for name, number in told["nodes"].items())
    change = max(told["change"].values())
    return [
        ("approximated", f"by quadrature, {nodes} nodes: twice as many change it by {change:.1e} of its size")
    ]


def numbers(value: Any, digits: int = 6) -> str:
    """An array on one line, to so many digits.

    >>> numbers(0.5), numbers([0.25, 1234.5678])
    ('0.5', '0.25        1234.57')
    >>> numbers([0.5, np.nan, 2.0])
    '0.5         –           2'
    """
    array = np.asarray(value)
    if array.ndim == 0:
        return "–" if np.isnan(array) else f"{float(array):.{digits}g}"
    if array.ndim == 1:
        return "  ".join(f"{numbers(entry, digits):<10}" for entry in array).rstrip()
    return "; ".join(numbers(row, digits) for row in array)
