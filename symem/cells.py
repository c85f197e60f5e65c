"""A column of a table as numbers, or as labels with the words behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from symem.errors import DataError
from symem.language.parents import Parents
from symem.language.supports import Labels
from symem.language.variables import Variable
from symem.runtime.wording import _counted_place

Array = np.ndarray[Any, np.dtype[Any]]

#: How an absent cell is written.
_MISSING = frozenset({"", "na", "nan", "null"})


@dataclass(frozen=True)
class Series:
    """A column: its values, where they are absent, and the order of its categories if it has one."""

    values: Array
    absent: Array
    order: tuple[Any, ...] | None = None


def series_of(series: Any) -> Series:
    """A column of pandas or of polars."""
    absent = np.asarray(series.isna() if hasattr(series, "isna") else series.is_null(), dtype=bool)
    order = getattr(series.dtype, "categories", None)
    values = np.asarray(series.astype(object) if order is not None and hasattr(series, "astype") else series)
    return Series(values, absent, None if order is None else tuple(order))


def encoded(
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
    if isinstance(variable.support, Labels) and not isinstance(variable.support, Parents):
        return _codes(variable, f"column {title}", series, known)
    raise _no_number(title, series)


def labelled(
    variable: Variable | None, name: str, value: Any, known: tuple[Any, ...] | None
) -> tuple[Any, tuple[Any, ...] | None]:
    """An array that was given as such; labels that are words become numbers, all else is left to the solver."""
    if variable is None or not isinstance(variable.support, Labels) or isinstance(variable.support, Parents):
        return value, None
    if isinstance(value, (list, tuple)) and _is_ragged(value):
        return _parts_labelled(variable, name, value, known)
    series = series_of(value) if hasattr(value, "dtype") and hasattr(value, "to_numpy") else None
    values = np.asarray(value) if series is None else series.values
    words = values.dtype.kind in "OUT" and any(isinstance(each, str) for each in values.flat)
    if not words and known is None and (series is None or series.order is None):
        return value, None
    if series is None:
        flat = values.astype(object).ravel()
        series = Series(flat, np.array([_is_absent(each) for each in flat], dtype=bool))
    codes, words_of = _codes(variable, name, series, known)
    return codes.reshape(values.shape), words_of


def _is_ragged(value: Any) -> bool:
    """Whether it is a list of sequences of several lengths."""
    return (
        len({len(each) if hasattr(each, "__len__") and not isinstance(each, str) else -1 for each in value})
        > 1
    )


def _parts_labelled(
    variable: Variable, name: str, value: Any, known: tuple[Any, ...] | None
) -> tuple[Any, tuple[Any, ...] | None]:
    """Sequences of labels, each as an array."""
    parts = [np.asarray(each) for each in value]
    if not all(part.ndim for part in parts):
        return value, None
    whole, words = labelled(variable, name, np.concatenate(parts), known)
    return np.split(whole, np.cumsum([len(part) for part in parts])[:-1]), words


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
            f"{where} holds {_short(str(strangers[0]))!r}, which was not among {', '.join(map(str, words))}."
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
    for row, cell in enumerate(series.values.tolist()):
        if _numbers_of(Series(np.array([cell], dtype=object), series.absent[row : row + 1])) is None:
            return DataError(
                f"column {title}, {_counted_place('row', row)}: {_short(str(cell).strip())!r} is not a number (leave it empty, or write NA, "
                "if missing)."
            )
    raise AssertionError(title)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
