"""Numbers as a reader wants them: four digits that count, one number of decimals for a column.

A number of its own keeps four significant digits; a column shares the decimals that its largest entry needs for
them. Whole numbers stay whole. In words the minus is a minus, far magnitudes are written 1.2e−09 as on a screen;
in formulas they are powers of ten.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, isfinite, isnan, log10

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
    """A number of its own, in words.

    >>> single(0.71301224), single(272.0), single(-11.320586), single(1.5e-9)
    ('0.7130', '272', '−11.32', '1.5e−09')
    """
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
