"""A derivation with every line: between its steps stand those that a lecturer writes at the board.

Nothing is found anew. What the records hold is taken apart: Q into its terms, which are differentiated one by one; an
equation into what holds the unknown and what does not; a probability into numerator and evidence. Each line is a step
like any other, with a law and two sides that can be evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby

from symem.calculus.checker import Checker
from symem.calculus.maximisers import LAWS as SOLVING
from symem.derivation import Derivation, Step
from symem.workings.equation_lines import isolated
from symem.workings.posterior_lines import completed_square, matched, weighed
from symem.workings.slope_lines import curved, differentiated
from symem.workings.surrogate_lines import averaged, centred, factored

#: What stands before the steps of a law, and what behind them.
Lines = Callable[[tuple[Step, ...], Checker], Iterator[Step]]

_BEFORE: Mapping[str, Lines] = {
    "separation": factored,
    "words": factored,
    "softmax": weighed,
    "recognition": matched,
    "expectation": averaged,
    "stationarity": differentiated,
    "matrix stationarity": differentiated,
    "second order": curved,
    **dict.fromkeys(SOLVING, isolated),
}
_BEHIND: Mapping[str, Lines] = {
    "recognition": completed_square,
    "Gaussian vector": completed_square,
    "about the mean": centred,
}


def line_by_line(derivation: Derivation) -> Derivation:
    """The same derivation, told line by line."""
    checker = Checker(derivation)
    return replace(derivation, steps=tuple(_told(derivation, checker)))


def _told(derivation: Derivation, checker: Checker) -> Iterator[Step]:
    for law, run in groupby(derivation.steps, key=lambda step: step.law.name):
        steps = tuple(run)
        yield from _BEFORE.get(law, _none)(steps, checker)
        yield from steps
        yield from _BEHIND.get(law, _none)(steps, checker)


def _none(_steps: tuple[Step, ...], _checker: Checker) -> Iterator[Step]:
    yield from ()
