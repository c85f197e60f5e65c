"""Numbers as a reader wants them: four digits that count, one number of decimals for a column.

A number of its own keeps four significant digits; a column shares the decimals that its largest entry needs for
them. Whole numbers stay whole. In words the minus is a minus, far magnitudes are written 1.2e−09 as on a screen;
in formulas they are powers of ten. A vector stands on its side, (1.20, 3.40)^T, so that it fits a line; a matrix in
its brackets, long sides cut to their ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, isfinite, isnan, log10
from typing import Any

import numpy as np

SIGNIFICANT = 4
MOST_DECIMALS = 6


def decimals(values: Iterable[float], significant: int = SIGNIFICANT) -> int:
    """How many decimals a column of numbers needs.

    >>> decimals([0.449, 0.805]), decimals([12.5, 7.25]), decimals([3, 141])
    (4, 2, 0)
    """
    finite = [abs(float(value)) for value in values if isfinite(value)]
    if all(value == round(value) for value in finite):
        return 0
    top = max(finite)
    return min(max(significant - 1 - floor(log10(top)), 0), MOST_DECIMALS)


def fixed(value: float, places: int) -> str:
    """A number with so many decimals, in words.

    >>> fixed(-0.5, 2), fixed(float("nan"), 2), fixed(-0.0001, 2)
    ('−0.50', 'missing', '0.00')
    """
    if not isfinite(value):
        return "missing" if isnan(value) else ("∞" if value > 0 else "−∞")
    shown = f"{value:.{places}f}"
    if float(shown) == 0 and value != 0 and places >= MOST_DECIMALS:
        return f"{value:.2g}".replace("-", "−")
    if abs(value) >= 1e7:
        return f"{value:.{SIGNIFICANT - 1}e}".replace("+", "").replace("-", "−")
    return shown.replace("-", "−") if float(shown) else shown.lstrip("-")


def single(value: float, significant: int = SIGNIFICANT) -> str:
    """A number of its own, in words; a dash where there is none.

    >>> single(0.71301224), single(272.0), single(-11.320586), single(1.5e-9), single(float("nan"))
    ('0.7130', '272', '−11.32', '1.5e−09', '–')
    """
    if isnan(value):
        return "–"
    if isfinite(value) and 0 < abs(value) < 1e-4:
        return f"{value:.{significant - 1}g}".replace("-", "−")
    return fixed(value, decimals([value], significant))


def as_shown(value: float, significant: int = SIGNIFICANT) -> float:
    """The number that a reader reads.

    >>> as_shown(0.71301224), as_shown(-11.320586, 5)
    (0.713, -11.321)
    """
    return float(single(value, significant).replace("−", "-")) if isfinite(value) else value


def in_formula(value: float, significant: int = SIGNIFICANT) -> str:
    r"""The same in LaTeX.

    >>> in_formula(-11.320586), in_formula(1.5e-9), in_formula(float("inf"))
    ('-11.32', '1.5 \\times 10^{-9}', '\\infty')
    """
    if not isfinite(value):
        return r"\text{missing}" if isnan(value) else (r"\infty" if value > 0 else r"-\infty")
    shown = single(value, significant).replace("−", "-")
    head, _, power = shown.partition("e")
    return rf"{head} \times 10^{{{int(power)}}}" if power else head


# vectors and matrices ---------------------------------------------------------------------------------


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
    # \cr ends a row, since Markdown eats one of two backslashes
    return r"\begin{pmatrix} " + r" \cr ".join(" & ".join(line) for line in shown) + r" \end{pmatrix}"


def breadth(matrix: Any) -> float:
    """An estimate of how wide that sets, in letters."""
    whole = np.atleast_2d(np.asarray(matrix, dtype=float))
    shown = _cut(list(range(whole.shape[0] if whole.shape[1] == 1 else whole.shape[1])), LONGEST, -1)
    return 3.0 + len(shown) * (SIGN * SIGNIFICANT + 3.5)


def _cut(parts: list[Any], most: int, gap: Any) -> list[Any]:
    """The parts; of many the first ones and the last."""
    return parts if len(parts) <= most else [*parts[: most - 1], gap, parts[-1]]
