"""What the picture of one iteration shows: the tables of the iteration, if they are few and their latent is a label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sympy import Symbol

from symem.derivation import Probabilities
from symem.language.model import Role
from symem.report.document import Figure
from symem.report.figures.em_step import Column, Iteration, em_step
from symem.report.iteration import Worked
from symem.report.notation.digits import decimals, fixed, in_formula
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.notation import letter
from symem.report.sections.columns import Column as Numbers
from symem.report.sections.columns import rows
from symem.report.sections.estimates import entries
from symem.report.sections.put_in import put_in
from symem.report.writer import Voice

#: More than these do not stand beside one another.
MOST_ROWS, MOST_DATA, MOST_SHARES, MOST_ADDED, MOST_ENTRIES = 10, 3, 4, 4, 6
WIDEST = 90


def em_step_figure(found: Worked, voice: Voice) -> Iterator[Figure]:
    """The picture, where there is one table of few rows and the latent of each is a label of few values."""
    told = iteration(found, voice)
    if told is not None:
        caption = (
            "One iteration: from the start over the posterior and what each row adds to the new estimate, and again.",
        )
        yield Figure(em_step(told), caption, told.words)


def iteration(found: Worked, voice: Voice) -> Iteration | None:
    """What there is to draw; None where it is too much."""
    posteriors = voice.derivation.posteriors
    labels = [each for each in posteriors if isinstance(each, Probabilities) and each.axes]
    tables = rows(found, voice.free) if len(labels) == len(posteriors) == 1 else ()
    if len(tables) != 1:
        return None
    table = tables[0]
    if any(each.shape for each in voice.model.parameters):
        return None
    limits = ((table.data, MOST_DATA), (table.posterior, MOST_SHARES), (table.shares, MOST_ADDED))
    start, new = list(_start(found, voice)), list(_new(found, voice))
    few = all(len(columns) <= most for columns, most in limits) and len(new) <= MOST_ENTRIES
    if not (few and table.data and table.posterior and len(table.data[0].values) <= MOST_ROWS and new):
        return None
    steps = len(found.history) - 1
    end = [f"{name} = {in_formula(value)}" for name, value in _entries(found.fitted, voice)]
    return Iteration(
        start=start,
        data=_columns(table.data),
        posterior=_columns(table.posterior, shaded=True),
        added=_columns(table.shares),
        new=new,
        theta=(voice.at(voice.pack.start), voice.at(voice.pack.first)),
        limit=(f"after {steps} iterations", end),
        words=f"From the start the E-step gives each of {len(table.data[0].values)} rows its posterior; summed over the "
        "rows, it gives the M-step the expected statistics, and these the new estimate, from which the next "
        "iteration starts.",
    )


def _columns(found: Sequence[Numbers], *, shaded: bool = False) -> list[Column]:
    return [
        Column(
            column.head,
            [fixed(float(value), _decimals(column)) for value in column.values],
            "" if column.total is None else fixed(column.total, _decimals(column)),
            list(map(float, column.values)) if shaded else None,
            place,
        )
        for place, column in enumerate(found)
    ]


def _decimals(column: Numbers) -> int:
    return 0 if column.whole else min(2, decimals(map(float, column.values)))


def _entries(values: Any, voice: Voice, lexicon: Lexicon | None = None) -> Iterator[tuple[str, float]]:
    """Every parameter's entries by their letters."""
    for variable in voice.model.parameters:
        slots = [Symbol(f"slot_{place}", integer=True) for place, _ in enumerate(variable.sizes)]
        symbol = variable.symbol[tuple(slots)] if slots else variable.symbol
        for entry, value in entries(symbol, np.asarray(values[variable.name]), most=MOST_ENTRIES):
            if entry is not None:
                yield letter(entry, lexicon or voice.free), value


def _start(found: Worked, voice: Voice) -> Iterator[str]:
    """n and the like, then the parameters at the start."""
    for variable in voice.model.variables.values():
        if variable.role is Role.KNOWN and not variable.sizes and np.ndim(found.given[variable.name]) == 0:
            yield f"{voice.name(variable.symbol)} = {in_formula(float(found.given[variable.name]))}"
    for name, value in _entries(found.old, voice):
        yield f"{name} = {in_formula(value)}"


def _new(found: Worked, voice: Voice) -> Iterator[str]:
    """The new estimates, with their numbers put in where that is short."""
    filled = {
        each.left: each.told
        for update in voice.derivation.updates
        for each in put_in(update, found, voice, MOST_ENTRIES)
        if len(each.told) <= WIDEST
    }
    for name, value in _entries(found.new, voice, voice.first):
        yield f"{name} = {filled[name]}" if name in filled else rf"{name} \approx {in_formula(value)}"
