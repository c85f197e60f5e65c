"""An estimate in words: each parameter's numbers, the likelihood, and how the fit ended."""

from __future__ import annotations

from typing import Any

import numpy as np


def estimate(found: Any) -> list[tuple[str, str]]:
    """Names and values of a fit, to the digits that one reads."""
    rows = [(name, numbers(value)) for name, value in found.parameters._asdict().items()]
    end = "converged" if found.converged else "NOT converged"
    return [
        *rows,
        ("log-likelihood", f"{found.log_likelihood:.10g}"),
        ("iterations", f"{found.n_iter}, {end}"),
    ]


def numbers(value: Any) -> str:
    """An array on one line.

    >>> numbers(0.5), numbers([0.25, 1234.5678])
    ('0.5', '0.25        1234.57')
    """
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{float(array):.6g}"
    if array.ndim == 1:
        return "  ".join(f"{entry:<10.6g}" for entry in array).rstrip()
    return "; ".join(numbers(row) for row in array)
