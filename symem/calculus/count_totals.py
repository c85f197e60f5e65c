"""Random counts with the totals that a multinomial gives them."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from symem.evaluation.arithmetic import Arithmetic, Arrays
from symem.language.declarations import Declaration
from symem.language.leaves import name_of
from symem.language.model import Model


def with_totals(
    model: Model, arrays: Mapping[str, Any], names: AbstractSet[str], rng: np.random.Generator
) -> Arrays:
    """The arrays with all counts of a multinomial drawn anew where they have these names, so that they sum to their total."""
    found = dict(arrays)
    for declaration in model.declarations:
        if declaration.name == "Multinomial" and {name_of(each) for each in declaration.entries} <= names:
            found |= _drawn(model, declaration, found, rng)
    return found


def _drawn(model: Model, declaration: Declaration, arrays: Arrays, rng: np.random.Generator) -> Arrays:
    cell, own = declaration.cell, declaration.own
    plates = [index for index in own if index != cell]
    whole = model.formula(declaration.distribution.arguments[0], plates, {})
    lengths = tuple(Arithmetic(arrays).integer(axis.size) for axis in whole.axes)
    totals = Arithmetic(arrays).table(whole.value, tuple(axis.index for axis in whole.axes), lengths)
    count = (
        np.shape(arrays[name_of(declaration.entries[0])])[own.index(cell)]
        if cell
        else len(declaration.entries)
    )
    counts = rng.multinomial(np.asarray(totals, dtype=int), np.full(count, 1 / count))
    if cell:
        return {name_of(declaration.entries[0]): np.moveaxis(counts, -1, own.index(cell))}
    return {name_of(each): counts[..., place] for place, each in enumerate(declaration.entries)}
