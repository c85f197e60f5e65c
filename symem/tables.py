"""Tables as the arrays of a model: CSV files, and frames of pandas or polars.

A column `x` is a one-dimensional array; `y[1]`, `y[2]`, … are the slices of one along its second index, `e[1,1]`,
`e[1,2]`, … along its second and third; the entries of a vector x[i] are such slices too, and `x1`, `x2`, … names them
as well. An empty cell or `NA` is NaN; empty cells at the end of a column mean that this array is shorter than the
others. Words become labels, in the order of the alphabet or in that of a categorical column.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from symem.errors import DataError
from symem.language.model import Model, Role, Variable
from symem.language.supports import Labels
from symem.readers import read_columns

Array = np.ndarray[Any, np.dtype[Any]]
Column = tuple[int, ...]

#: data -> the words that its labels stand for, the first label's first.
Categories = Mapping[str, tuple[Any, ...]]

_HEADER = re.compile(r"(?P<name>\w+)\s*(?:\[\s*(?P<slots>\d+(?:\s*,\s*\d+)*)\s*\])?")
_MISSING = frozenset({"", "na", "nan", "null"})


@dataclass(frozen=True)
class Table:
    """Arrays by declared name, the words behind their labels, and the columns that an array was put together from."""

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
    titles, column = read_columns(Path(path), lambda title: _place(title, wanted)[0] in wanted)
    return _table(str(path), titles, column, wanted, {}, categories or {})


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
    wanted = _wanted(model)
    named = {name: value for name, value in given.items() if frame is not None and _names_columns(value)}
    others = {name: value for name, value in given.items() if name not in named}
    table = Table({})
    if frame is not None:
        titles = [str(title) for title in frame.columns]
        left = {name: variable for name, variable in wanted.items() if name not in others}
        places = _places(titles, named, left)
        table = _table(
            "the frame", titles, lambda title: _of_series(frame[title]), left, places, categories or {}
        )
    for name, value in others.items():
        array, words = _labelled(wanted.get(name), name, value, (categories or {}).get(name))
        table.arrays[name] = array
        if words is not None:
            table.categories[name] = words
    return table


def _wanted(model: Model) -> dict[str, Variable]:
    return {v.name: v for role in (Role.DATA, Role.KNOWN) for v in model.variables.values() if v.role is role}


def _names_columns(value: Any) -> bool:
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
        for number, title in enumerate(columns if several else [columns], start=1):
            if title not in titles:
                raise DataError(f"{name}: there is no column {title!r}; there are {', '.join(titles)}.")
            if title in places:
                raise DataError(f"The column {title!r} is given for {places[title][0]} and for {name}.")
            places[title] = (name, (number,) if several else ())
    if not places and len(wanted) == 1:
        (name, variable), *_ = wanted.items()
        if _axes(variable) == 2 and not any(_place(title, wanted)[0] == name for title in titles):
            return {title: (name, (number,)) for number, title in enumerate(titles, start=1)}
    return places


# columns -> arrays -----------------------------------------------------------------------------------------


def _table(
    source: str,
    titles: Iterable[str],
    column: Callable[[str], Any],
    wanted: Mapping[str, Variable],
    places: Mapping[str, tuple[str, Column]],
    categories: Categories,
) -> Table:
    chosen = {name for name, _ in places.values()}
    parts: dict[str, dict[Column, str]] = {}
    titles = list(titles)
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
    table = Table({})
    for name, slices in parts.items():
        variable = wanted[name]
        read = {
            slots: _encoded(variable, title, column(title), categories.get(name))
            for slots, title in slices.items()
        }
        table.arrays[name] = _assembled(variable, {slots: array for slots, (array, _) in read.items()})
        table.columns[name] = tuple(slices[slots] for slots in sorted(slices))
        if words := [words for _, words in read.values() if words is not None]:
            table.categories[name] = words[0]
    return table


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
    """Columns put together as one array, in the order of their numbers."""
    slots = max(_axes(variable) - 1, 0)
    if any(len(column) != slots for column in parts):
        how = variable.name + (f"[{','.join('1' * slots)}], …" if slots else "")
        raise DataError(f"{variable.name} has {_axes(variable)} indices, so its columns are headed {how}.")
    shape = tuple(max(column[axis] for column in parts) for axis in range(slots))
    absent = [column for column in np.ndindex(*shape) if tuple(c + 1 for c in column) not in parts]
    if absent or any(0 in column for column in parts):
        first = tuple(slot + 1 for slot in absent[0]) if absent else ()
        raise DataError(
            f"{variable.name} lacks the column {_shown(variable.name, first)}: columns count from 1."
        )
    stacked = np.stack([parts[tuple(c + 1 for c in column)] for column in np.ndindex(*shape)], axis=-1)
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


# words and numbers -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Series:
    """A column: its values, where they are absent, and the order of its categories if it has one."""

    values: Array
    absent: Array
    order: tuple[Any, ...] | None = None


def _of_series(series: Any) -> Series:
    """A column of pandas or of polars."""
    absent = np.asarray(series.isna() if hasattr(series, "isna") else series.is_null(), dtype=bool)
    order = getattr(series.dtype, "categories", None)
    values = np.asarray(series.astype(object) if order is not None and hasattr(series, "astype") else series)
    return Series(values, absent, None if order is None else tuple(order))


def _encoded(
    variable: Variable, title: str, column: Any, known: tuple[Any, ...] | None
) -> tuple[Array, tuple[Any, ...] | None]:
    """A column as floats, and the words of its labels if it holds words."""
    series = column if isinstance(column, Series) else Series(column, np.zeros(len(column), dtype=bool))
    values = series.values
    if values.dtype.kind in "biuf" and series.order is None and known is None:
        return np.where(series.absent, np.nan, values.astype(float)), None
    if values.dtype.kind not in "biufOUT":
        raise DataError(
            f"Column {title} holds entries of type {values.dtype}, not numbers: give the numbers that are meant."
        )
    numbers = None if series.order is not None or known is not None else _numbers_of(series)
    if numbers is not None:
        return numbers, None
    if isinstance(variable.support, Labels):
        return _codes(variable, f"column {title}", series, known)
    raise _no_number(title, series)


def _labelled(
    variable: Variable | None, name: str, value: Any, known: tuple[Any, ...] | None
) -> tuple[Any, tuple[Any, ...] | None]:
    """An array that was given as such; labels that are words become numbers, all else is left to the solver."""
    if variable is None or not isinstance(variable.support, Labels):
        return value, None
    series = _of_series(value) if hasattr(value, "dtype") and hasattr(value, "to_numpy") else None
    values = np.asarray(value) if series is None else series.values
    words = values.dtype.kind in "OUT" and any(isinstance(each, str) for each in values.flat)
    if not words and known is None and (series is None or series.order is None):
        return value, None
    if series is None:
        flat = values.astype(object).ravel()
        series = Series(flat, np.array([_is_absent(each) for each in flat], dtype=bool))
    codes, words_of = _codes(variable, name, series, known)
    return codes.reshape(values.shape), words_of


def _is_absent(entry: Any) -> bool:
    return entry is None or (isinstance(entry, float) and math.isnan(entry))


def _codes(
    variable: Variable, where: str, series: Series, known: tuple[Any, ...] | None
) -> tuple[Array, tuple[Any, ...]]:
    """Words as labels, counted from where the model counts."""
    absent = series.absent | np.array(
        [isinstance(each, str) and each.strip().lower() in _MISSING for each in series.values]
    )
    present = series.values[~absent]
    words = (
        known
        or series.order
        or tuple(sorted(set(present.tolist()), key=lambda word: (str(type(word)), word)))
    )
    numbers = {word: number for number, word in enumerate(words)}
    strangers = [word for word in dict.fromkeys(present.tolist()) if word not in numbers]
    if strangers:
        raise DataError(
            f"{where} holds {_short(str(strangers[0]))!r}, which was not among the words that it was fitted with: "
            f"{', '.join(map(str, words))}."
        )
    support = variable.support
    assert isinstance(support, Labels)
    if (size := support.size).is_Integer and len(words) > int(size):
        raise DataError(f"{where} holds {len(words)} different words, but {variable.name} has {size} labels.")
    codes = np.full(len(series.values), np.nan)
    codes[~absent] = [numbers[word] + support.first for word in present.tolist()]
    return codes, tuple(words)


def _numbers_of(series: Series) -> Array | None:
    """The values as floats, if they are numbers, or are written as such."""
    try:
        return np.where(series.absent, np.nan, series.values.astype(float))
    except (TypeError, ValueError):
        pass
    cells = np.where(series.absent, "", series.values.astype(object)).tolist()
    absent = (isinstance(cell, str) and cell.strip().lower() in _MISSING for cell in cells)
    try:
        return np.array(
            [math.nan if gap else cell for cell, gap in zip(cells, absent, strict=True)], dtype=float
        )
    except (TypeError, ValueError):
        return None


def _no_number(title: str, series: Series) -> DataError:
    """The first cell that is not one."""
    for row, cell in enumerate(series.values.tolist(), start=1):
        if _numbers_of(Series(np.array([cell], dtype=object), series.absent[row - 1 : row])) is None:
            return DataError(
                f"column {title}, row {row}: {_short(str(cell).strip())!r} is not a number (leave it empty, or write NA, "
                "if missing)."
            )
    raise AssertionError(title)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
