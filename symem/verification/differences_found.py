"""How far what a module computes is from the formulas, in units of what may be rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from symem.language.leaves import name_of
from symem.verification.ground import IDENTITY, Finding, Ground, Theta

#: What is rounded of an exponent that is a sum.
_ROUNDED = 8 * float(np.finfo(float).eps)
#: Sums in another order differ by so many times the bound of what each loses.
_TIMES_LOST = 4.0


def loosened(found: Iterable[Finding], slack: float) -> Iterator[Finding]:
    """Differences in units of what rounding makes of them."""
    for each in found:
        if each.number is not None:
            yield replace(each, number=each.number / slack)


def rounding(ground: Ground, theta: Theta) -> float:
    """How much more than elsewhere is rounding where weights at nodes are exponentials of numbers that are far from 0."""
    here = ground.formulas.at(theta)
    logs = (here.arrays[name_of(each.log_normaliser.symbol)] for each in here.derivation.approximated)
    highest = max((float(np.max(np.abs(each), initial=0.0)) for each in logs), default=0.0)
    return max(1.0, _ROUNDED * highest / IDENTITY)


def apart(given: Any, right: Any, what: str, least: float = 1e-12) -> Finding:
    """The largest distance relative to the size of the right array, where that is finite: elsewhere nothing is claimed."""
    given, right = np.asarray(given, dtype=float), np.asarray(right, dtype=float)
    if given.shape != right.shape:
        return Finding(np.inf, f"{what} has shape {given.shape} for {right.shape}")
    told = np.isfinite(right)
    size = least + np.max(np.abs(right), initial=0.0, where=told)
    gaps = np.abs(np.where(np.isnan(given), np.inf, given) - np.where(told, right, 0.0)) / size
    return Finding(float(np.max(gaps, initial=0.0, where=told)), what)


def summed_apart(given: Any, right: Any, what: str, lost: Callable[[], Any]) -> Finding:
    """The same of sums: of those that are all but 0 in units of what is lost of their summands."""
    found = apart(given, right, what)
    if found.number is None or found.number <= IDENTITY:
        return found
    gap = np.abs(np.asarray(given, dtype=float) - right) / np.maximum(_TIMES_LOST * lost(), 1e-300)
    return Finding(min(found.number, IDENTITY * float(np.max(gap))), what)
