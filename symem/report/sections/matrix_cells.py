r"""Vectors and matrices in numbers: four digits that count in each entry, long sides cut to their ends.

A vector stands on its side, (1.20, 3.40)^T, so that it fits a line; a matrix in its brackets. `\cr` ends a row, since
Markdown eats one of two backslashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symem.report.notation.digits import SIGNIFICANT, in_formula

LONGEST = 3
WIDEST = 3
DOTS = r"\dots"
SIGN = 1.1  # about so wide is a digit, in letters


def as_matrix(array: Any, place: Sequence[int] = ()) -> Any:
    """The matrix at a place of an array over plates; a vector is a column."""
    found = np.asarray(array, dtype=float)[tuple(place)]
    return found.reshape(-1, 1) if found.ndim < 2 else found


def in_numbers(matrix: Any) -> str:
    r"""A matrix in LaTeX; one entry is a number.

    >>> in_numbers([[1.0], [2.5]])
    '(1, 2.500)^{\\mathsf{T}}'
    >>> in_numbers([[1, 2], [3, 4]])
    '\\begin{pmatrix} 1 & 2 \\cr 3 & 4 \\end{pmatrix}'
    """
    whole = np.atleast_2d(np.asarray(matrix, dtype=float))
    if whole.size == 1:
        return in_formula(float(whole[0, 0]))
    if whole.shape[1] == 1:
        return rf"({', '.join(_cut([in_formula(float(v)) for v in whole[:, 0]], LONGEST, DOTS))})^{{\mathsf{{T}}}}"
    lines = [_cut([in_formula(float(v)) for v in row], WIDEST, r"\cdots") for row in whole]
    gap = [r"\vdots" if each != r"\cdots" else r"\ddots" for each in lines[0]]
    shown = _cut(lines, WIDEST, gap)
    return r"\begin{pmatrix} " + r" \cr ".join(" & ".join(line) for line in shown) + r" \end{pmatrix}"


def breadth(matrix: Any) -> float:
    """An estimate of how wide that sets, in letters."""
    whole = np.atleast_2d(np.asarray(matrix, dtype=float))
    shown = _cut(list(range(whole.shape[0] if whole.shape[1] == 1 else whole.shape[1])), LONGEST, -1)
    return 3.0 + len(shown) * (SIGN * SIGNIFICANT + 3.5)


def _cut(parts: list[Any], most: int, gap: Any) -> list[Any]:
    """The parts; of many the first ones and the last."""
    return parts if len(parts) <= most else [*parts[: most - 1], gap, parts[-1]]
