"""The columns of a CSV file, by the fastest reader that is installed.

A plain file (no quotes, as many cells in every line) is read by polars, pandas or NumPy; every other one, and a small
one, by the standard library, which names the line that is wrong.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from symem.errors import DataError

Array = np.ndarray[Any, np.dtype[Any]]

#: Bytes below which the standard library is done before another reader has been imported.
_SMALL = 1_000_000

_ABSENT = ["", "NA", "na", "NaN", "nan", "Nan", "NAN", "NULL", "null", "Null"]


def read_columns(path: Path, wanted: Callable[[str], bool]) -> tuple[list[str], Callable[[str], Array]]:
    """The titles of a CSV file and a function that gives the column of each that is `wanted`, of floats or of text.

    Raises:
        DataError: the file is no table in UTF-8, or a line has fewer or more cells than the header.
    """
    found = (
        _plainly(path, wanted, _fast_reader()) if path.is_file() and path.stat().st_size >= _SMALL else None
    )
    if found is not None:
        return found
    titles, rows = _cells(path)
    columns = list(zip(*rows, strict=True))
    return titles, lambda title: np.array(columns[titles.index(title)], dtype=object)


def _fast_reader() -> Callable[[Path, list[str], list[int]], Mapping[str, Any]]:
    return _polars if find_spec("polars") else _pandas if find_spec("pandas") else _numpy


def _polars(path: Path, titles: list[str], _: list[int]) -> Mapping[str, Any]:
    import polars as pl  # noqa: PLC0415 -- an optional reader

    frame = pl.read_csv(path, columns=titles, null_values=_ABSENT, infer_schema=False)
    columns = {title: frame[title] for title in titles}
    numbers = {title: column.cast(pl.Float64, strict=False) for title, column in columns.items()}
    return {
        title: column if numbers[title].null_count() > column.null_count() else numbers[title]
        for title, column in columns.items()
    }


def _pandas(path: Path, titles: list[str], _: list[int]) -> Mapping[str, Any]:
    import pandas as pd  # noqa: PLC0415 -- an optional reader

    # From pandas 3 on numbers are always read to the last digit, and the option warns.
    exact: Any = {"float_precision": "round_trip"} if pd.__version__ < "3" else {}
    frame: Mapping[str, Any] = pd.read_csv(
        path, usecols=titles, encoding="utf-8-sig", na_values=_ABSENT, keep_default_na=False, **exact
    )
    return frame


def _numpy(path: Path, titles: list[str], places: list[int]) -> Mapping[str, Any]:
    table = np.loadtxt(
        path, delimiter=",", skiprows=1, usecols=places, ndmin=2, encoding="utf-8", comments=None
    )
    return dict(zip(titles, table.T, strict=True))


def _plainly(
    path: Path, wanted: Callable[[str], bool], read: Callable[[Path, list[str], list[int]], Mapping[str, Any]]
) -> tuple[list[str], Callable[[str], Array]] | None:
    """None if the file is not so plain that every reader sees the same in it."""
    content = path.read_bytes()
    header, _, below = content.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    if b'"' in content or b"\n\n" in content or b"\r" in content or not below:
        return None
    if np.any(_commas(below) != header.count(b",")):
        return None
    titles = header.decode(errors="replace").split(",")
    chosen = [title for title in titles if wanted(title)]
    if not chosen or len(set(titles)) < len(titles):
        return None
    try:
        frame = read(path, chosen, [titles.index(title) for title in chosen])
    except Exception:  # noqa: BLE001 -- whatever it does not like, the careful reader will name
        return None
    return titles, partial(_column, frame)


def _commas(lines: bytes) -> Array:
    """How many there are in each line."""
    letters = np.frombuffer(lines.rstrip(b"\n") + b"\n", dtype=np.uint8)
    before = np.searchsorted(np.flatnonzero(letters == ord(",")), np.flatnonzero(letters == ord("\n")))
    return np.diff(before, prepend=0)


def _column(frame: Mapping[str, Any], title: str) -> Array:
    """Floats; text where there is any, absent cells empty."""
    series = frame[title]
    if np.asarray(series).dtype.kind in "iuf":
        return np.asarray(series, dtype=float)
    if np.asarray(series).dtype.kind == "b":  # "True" is a word, whichever reader has seen it
        return np.asarray(series).astype(str).astype(object)
    absent = np.asarray(series.isna() if hasattr(series, "isna") else series.is_null(), dtype=bool)
    return np.where(absent, "", np.asarray(series, dtype=object))


def _cells(path: Path) -> tuple[list[str], list[list[str]]]:
    limit = csv.field_size_limit(sys.maxsize)  # a column that the model does not read may hold long texts
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            header, *rows = [row for row in csv.reader(stream) if row] or [[]]
    except UnicodeDecodeError:
        raise DataError(f"{path} is not a text file in UTF-8: give a CSV with a header.") from None
    except csv.Error as error:
        raise DataError(f"{path} is not a CSV: {error}.") from None
    finally:
        csv.field_size_limit(limit)
    if not rows:
        raise DataError(f"{path} holds no rows below its header.")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise DataError(f"{path}, line {number}: {len(row)} cells, but the header has {len(header)}.")
    return header, rows
