"""Tables as the arrays of a model: CSV files, and frames of pandas or polars.

A column `x` is a one-dimensional array; `y[0]`, `y[1]`, … are the slices of one along its second index, `e[0,0]`,
`e[0,1]`, … along its second and third; the entries of a vector x[i] are such slices too, and `x0`, `x1`, … names them
as well. Headers may count from 1 instead, as tables elsewhere do: then none of that array holds a 0. An empty cell or `NA` is NaN; empty cells at the end of a column mean that this array is shorter than the
others. In a model of sequences of several lengths a column that has the name of their index says whose row each is.
Words become labels, in the order of the alphabet or in that of a categorical column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sympy import Symbol

from symem.cells import Series, encoded, labelled, series_of
from symem.errors import DataError
from symem.language.model import Model, Role, Variable
from symem.language.ragged_plates import RaggedPlate, ragged_plates
from symem.readers import read_columns

Array = np.ndarray[Any, np.dtype[Any]]
Column = tuple[int, ...]

#: data -> the words that its labels stand for, the first label's first.
Categories = Mapping[str, tuple[Any, ...]]

_HEADER = re.compile(r"(?P<name>\w+)\s*(?:\[\s*(?P<slots>\d+(?:\s*,\s*\d+)*)\s*\])?")


@dataclass(frozen=True)
class Table:
    """Arrays by declared name, the words behind their labels, and the columns of which each was made."""

    arrays: dict[str, Any]
    categories: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_table(path: str | Path, model: Model, categories: Categories | None = None) -> Table:
    """The data and known arrays of the model that a CSV file holds; other columns are left alone.

    Args:
        path: a CSV file in UTF-8 with a header.
        model: whose arrays are wanted.
        categories: what labels mean, where that is known already.

    Raises:
        DataError: a cell is no number, a slice is missing, or the table holds nothing that the model knows.
    """
    wanted = _wanted(model)
    indices = _indices_of_sequences(model)
    titles, column = read_columns(
        Path(path), lambda title: _place(title, wanted)[0] in wanted or title in indices
    )
    owners = {title: title for title in titles if title in indices}
    wanted = _in_rows(model, wanted, owners)
    return _sized(_table(str(path), titles, column, wanted, {}, categories or {}, owners), wanted)


def read_frame(
    frame: Any, model: Model, given: Mapping[str, Any], categories: Categories | None = None
) -> Table:
    """The arrays of the model that a frame holds, and what was given beside it.

    Args:
        frame: of pandas or polars, or anything with `columns` and columns by name; None if there is none.
        model: whose arrays are wanted.
        given: declared name -> its column, a list of its columns, or the array itself. An array that is not named is
            looked for as a column of its own name; one vector or table alone takes all columns, if none has its name.
        categories: what labels mean, where that is known already.

    Raises:
        DataError: there is no such column, or one holds what is no number.
    """
    wanted, indices = _wanted(model), _indices_of_sequences(model)
    owners = _owners(frame, indices, given)
    given = {name: value for name, value in given.items() if name not in owners.values()}
    wanted = _in_rows(model, wanted, owners)
    named = {name: value for name, value in given.items() if frame is not None and names_columns(value)}
    others = {name: value for name, value in given.items() if name not in named}
    table = Table({})
    if frame is not None:
        titles = [str(title) for title in frame.columns]
        left = {name: variable for name, variable in wanted.items() if name not in others}
        places = _places(titles, named, left)
        table = _table(
            "the frame", titles, lambda title: series_of(frame[title]), left, places, categories or {}, owners
        )
    for name, value in others.items():
        array, words = labelled(wanted.get(name), name, value, (categories or {}).get(name))
        table.arrays[name] = array
        if words is not None:
            table.categories[name] = words
    return _sized(table, wanted)


def arrays_of(
    model: Model, categories: Categories, columns: Mapping[str, Any], frame: Any, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The arrays of other data than those of a fit: of the same columns, unless others are named, and the same words."""
    named = {name: column for name, column in columns.items() if frame is not None and name not in given}
    return read_frame(frame, model, {**named, **given}, categories).arrays


def _sized(table: Table, wanted: Mapping[str, Variable]) -> Table:
    """With the number of words, where it is a size that no array shows."""
    shown = {size for variable in wanted.values() for size in (*variable.sizes, *variable.shape)}
    for name, words in table.categories.items():
        size = wanted[name].support.number
        if isinstance(size, Symbol) and size not in shown:
            table.arrays.setdefault(size.name, len(words))
    return table


def _wanted(model: Model) -> dict[str, Variable]:
    return {v.name: v for role in (Role.DATA, Role.KNOWN) for v in model.variables.values() if v.role is role}


def _indices_of_sequences(model: Model) -> dict[str, RaggedPlate]:
    """The indices of sequences of several lengths, where no array has the name."""
    plates = ragged_plates(model.variables, model.extents)
    return {each.index: each for each in plates if each.index not in model.variables}


def _owners(frame: Any, indices: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """Columns of a frame that say whose row each is -> the index of the sequences."""
    if frame is None:
        return {}
    named = {index: given.get(index, index) for index in indices}
    titles = {index: column if isinstance(column, str) else column[0] for index, column in named.items()}
    return {title: index for index, title in titles.items() if index in given or title in frame.columns}


def _in_rows(model: Model, wanted: Mapping[str, Variable], owners: Mapping[str, str]) -> dict[str, Variable]:
    """The arrays as they stand in a table whose rows are places of sequences."""
    found = dict(wanted)
    for index, plate in _indices_of_sequences(model).items():
        found = plate.in_rows(found) if index in owners.values() else found
    return found


def names_columns(value: Any) -> bool:
    """Whether it is the name of a column, or a list of such."""
    return isinstance(value, str) or (
        isinstance(value, (list, tuple)) and len(value) > 0 and all(isinstance(each, str) for each in value)
    )


def _places(
    titles: Sequence[str], named: Mapping[str, Any], wanted: Mapping[str, Variable]
) -> dict[str, tuple[str, Column]]:
    """Column -> the array and the slice of it that it was said to be; all columns are one array if nothing else is."""
    places: dict[str, tuple[str, Column]] = {}
    for name, columns in named.items():
        if name not in wanted:
            raise DataError(f"{name!r} is not an array of this model: it takes {', '.join(wanted)}.")
        several = not isinstance(columns, str)
        for number, title in enumerate(columns if several else [columns]):
            if title not in titles:
                raise DataError(f"{name}: there is no column {title!r}; there are {', '.join(titles)}.")
            if title in places:
                raise DataError(f"The column {title!r} is given for {places[title][0]} and for {name}.")
            places[title] = (name, (number,) if several else ())
    if not places and len(wanted) == 1:
        (name, variable), *_ = wanted.items()
        if _axes(variable) == 2 and not any(_place(title, wanted)[0] == name for title in titles):
            return {title: (name, (number,)) for number, title in enumerate(titles)}
    return places


# columns -> arrays -----------------------------------------------------------------------------------------


def _table(
    source: str,
    titles: Sequence[str],
    column: Callable[[str], Any],
    wanted: Mapping[str, Variable],
    places: Mapping[str, tuple[str, Column]],
    categories: Categories,
    owners: Mapping[str, str],
) -> Table:
    chosen = {name for name, _ in places.values()}
    parts: dict[str, dict[Column, str]] = {}
    for title in titles:
        name, slots = places.get(title) or _place(title, wanted)
        if name not in wanted or (title not in places and name in chosen):
            continue
        if slots in parts.setdefault(name, {}):
            raise DataError(f"{source} has two columns for {_shown(name, slots)}: rename or remove one.")
        parts[name][slots] = title
    if not parts:
        raise DataError(
            f"{source} has the columns {', '.join(titles)}, but the model's data are {', '.join(wanted)}."
        )
    table = Table({index: _names_in(column(title)) for title, index in owners.items()})
    table.columns.update({index: (title,) for title, index in owners.items()})
    for name, slices in parts.items():
        variable = wanted[name]
        read = {
            slots: encoded(variable, title, column(title), categories.get(name))
            for slots, title in slices.items()
        }
        table.arrays[name] = _assembled(variable, {slots: array for slots, (array, _) in read.items()})
        table.columns[name] = tuple(slices[slots] for slots in sorted(slices))
        if words := [words for _, words in read.values() if words is not None]:
            table.categories[name] = words[0]
    return table


def _names_in(column: Any) -> Array:
    """What a column says, be it numbers or words."""
    return column.values if isinstance(column, Series) else np.asarray(column)


def _place(title: str, wanted: Mapping[str, Variable]) -> tuple[str, Column]:
    """The array and the slice of it that a header names: `y[2]`; for entries of vectors and matrices `x2` too."""
    match = _HEADER.fullmatch(title.strip())
    if match is None:
        return "", ()
    name, slots = match["name"], tuple(int(slot) for slot in (match["slots"] or "").split(",") if slot)
    stem = name.rstrip("0123456789")
    if name not in wanted and not slots and stem in wanted and wanted[stem].shape:
        return stem, (int(name[len(stem) :]),)
    return name, slots


def _axes(variable: Variable) -> int:
    return len(variable.sizes) + len(variable.shape)


def _assembled(variable: Variable, parts: Mapping[Column, Array]) -> Array:
    """Columns put together as one array, in the order of their numbers, the least of which is 0 or 1."""
    slots = max(_axes(variable) - 1, 0)
    if any(len(column) != slots for column in parts):
        how = variable.name + (f"[{','.join('0' * slots)}], …" if slots else "")
        raise DataError(f"{variable.name} has {_axes(variable)} indices, so its columns are headed {how}.")
    first = 0 if any(0 in column for column in parts) else 1
    shape = tuple(max(column[axis] for column in parts) + 1 - first for axis in range(slots))
    columns = [tuple(slot + first for slot in column) for column in np.ndindex(*shape)]
    absent = [column for column in columns if column not in parts]
    if absent:
        lacking = _shown(variable.name, absent[0])
        raise DataError(f"{variable.name} lacks the column {lacking}: its columns count from {first}.")
    stacked = np.stack([parts[column] for column in columns], axis=-1)
    table = _whole(stacked if variable.missing else _trimmed(stacked), variable)
    return _constant(variable.name, table) if not _axes(variable) else table.reshape(len(table), *shape)


def _shown(name: str, slots: Column) -> str:
    return f"{name}[{','.join(map(str, slots))}]" if slots else name


def _trimmed(table: Array) -> Array:
    """Without the rows at the end that hold nothing."""
    full = np.flatnonzero(~np.isnan(table).all(axis=1))
    return table[: full[-1] + 1] if len(full) else table[:0]


def _whole(table: Array, variable: Variable) -> Array:
    """Counts and labels as integers, where all of them are."""
    integral = variable.support.discrete and np.isfinite(table).all() and (table == np.floor(table)).all()
    return table.astype(np.int64) if integral else table


def _constant(name: str, table: Array) -> Array:
    values = np.unique(table)
    if len(values) != 1:
        raise DataError(f"{name} is one number, but its column holds {len(values)} different ones.")
    return np.asarray(values[0])
