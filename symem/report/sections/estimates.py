"""Parameters in numbers: a line for each entry, a column for each set of values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from sympy import Expr, Indexed, Integer, Symbol

from symem.language.leaves import places_of
from symem.language.model import Variable
from symem.report.document import Prose, Table, said
from symem.report.notation.digits import as_matrix, in_numbers, single
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.notation import letter
from symem.report.writer import Voice

MOST_ENTRIES = 6
MOST_PLACES = 4
ELLIPSIS: Prose = said("@", r"\dots")


def parameters_table(
    columns: Sequence[tuple[Prose, Mapping[str, Any]]],
    caption: Prose,
    voice: Voice,
    most: int = MOST_ENTRIES,
    *,
    matrices: bool = True,
) -> Table:
    """All parameters, long arrays cut short after `most` entries; of each column its head and its values by name.

    Without `matrices`, numbers alone.
    """
    lines: list[tuple[Prose, ...]] = []
    for variable in voice.model.parameters:
        arrays = [np.asarray(values[variable.name], dtype=float) for _, values in columns]
        if variable.shape and not matrices:
            continue
        if variable.shape:
            lines += _matrix_rows(variable, arrays, voice)
            continue
        axes = [Symbol(f"slot_{place}", integer=True) for place, _ in enumerate(variable.sizes)]
        symbol = Indexed(variable.symbol, *axes) if axes else variable.symbol
        lines += [entry_line(place, values, voice) for place, *values in entries(symbol, *arrays, most=most)]
    header = (("parameter",), *(head for head, _ in columns))
    return Table(header, tuple(lines), caption=caption, align="l" + "r" * len(columns))


def entry_line(place: Expr | None, values: Sequence[float], voice: Voice) -> tuple[Prose, ...]:
    """An entry with its numbers; dots in the place of those that are cut."""
    if place is None:
        return (ELLIPSIS, *(ELLIPSIS for _ in values))
    return (said("@", letter(place, voice.free)), *((single(value),) for value in values))


def entries(symbol: Expr, *arrays: Any, most: int = MOST_ENTRIES) -> Iterator[tuple[Any, ...]]:
    """Each entry with its numbers; after a few, only that there are more."""
    shape = np.shape(arrays[0])
    open_slots = [slot for slot in places_of(symbol) if not slot.is_Integer]
    places = list(product(*map(range, shape)))
    for place in places[:most] if len(places) > most + 1 else places:
        at = dict(zip(open_slots, map(Integer, place), strict=True)) if open_slots else {}
        yield (symbol.xreplace(at), *(float(np.asarray(array)[place]) for array in arrays))
    if len(places) > most + 1:
        yield (None, *(0.0 for _ in arrays))


def matrix_values(values: Mapping[str, Any], voice: Voice, scope: Lexicon) -> Iterator[tuple[str, Any]]:
    """The parameters that are vectors or matrices at their first places, in the letters of an iterate."""
    for variable in voice.model.parameters:
        array = np.asarray(values[variable.name], dtype=float)
        places = product(*map(range, array.shape[: len(variable.sizes)])) if variable.shape else ()
        for place in list(places)[:MOST_PLACES]:
            atom = variable.symbol[tuple(map(Integer, place))] if place else variable.symbol
            yield letter(atom, scope), as_matrix(array, place)


def _matrix_rows(variable: Variable, arrays: Sequence[Any], voice: Voice) -> Iterator[tuple[Prose, ...]]:
    """A vector or a matrix at its first places."""
    places = list(product(*map(range, arrays[0].shape[: len(variable.sizes)])))
    for place in places[:MOST_PLACES]:
        atom = variable.symbol[tuple(map(Integer, place))] if place else variable.symbol
        numbers = (said("@", in_numbers(as_matrix(array, place))) for array in arrays)
        yield (said("@", letter(atom, voice.free)), *numbers)
    if len(places) > MOST_PLACES:
        yield (ELLIPSIS, *(ELLIPSIS for _ in arrays))
