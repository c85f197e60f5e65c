"""What the command line reads: model files and tables of numbers.

A table is CSV with a header. A column `x` is a one-dimensional array; `y[1]`, `y[2]`, … are the slices of one
along its second index, `e[1,1]`, `e[1,2]`, … along its second and third; the entries of a vector x[i] are such
slices too, and `x1`, `x2`, … names them as well. An empty cell or `NA` is NaN; empty
cells at the end of a column mean that this array is shorter than the others.
"""

from __future__ import annotations

import csv
import math
import re
import runpy
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symem.errors import DataError, ModelError, SymemError
from symem.language.model import Model, Role, Variable
from symem.statement import statement_of

Array = np.ndarray[Any, np.dtype[Any]]
Column = tuple[int, ...]

_HEADER = re.compile(r"(?P<name>\w+)\s*(?:\[\s*(?P<slots>\d+(?:\s*,\s*\d+)*)\s*\])?")
_MISSING = frozenset({"", "na", "nan", "null"})


# models ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ModelFile:
    """A Python file that states a model: the model under its name, its own `data` and `start` if it has some.

    `names` is all that the file defines.
    """

    path: Path
    name: str
    model: Model
    names: Mapping[str, Any]
    data: Mapping[str, Any] | None
    start: Mapping[str, Any] | None
    title: str | None

    @property
    def statement(self) -> str | None:
        """The lines on which the model depends, and one that shows it."""
        stated = statement_of(self.path.read_text(encoding="utf-8"), self.name)
        return stated and f"{stated}\n\nprint({self.name})"


def load_model(spec: str) -> Model:
    """The model in a Python file: `FILE` with one `Model` or one called `model`, or `FILE:name`.

    Raises:
        ModelError: the file is missing, does not run, or holds no model of that name; the message has the line.
    """
    return load_file(spec).model


def load_file(spec: str) -> ModelFile:
    """The model as by `load_model`, and what stands beside it; the title is the first line of the docstring.

    Raises:
        ModelError: the file is missing, does not run, or holds no model of that name; the message has the line.
    """
    path, wanted = _split(spec)
    names = _run(path)
    name, model = _chosen(path, wanted, names)
    data, start = (
        found if isinstance(found := names.get(key), Mapping) else None for key in ("data", "start")
    )
    title = (names.get("__doc__") or "").strip().partition("\n")[0].rstrip(".") or None
    return ModelFile(path, name, model, names, data, start, title)


#: What a file may claim, as the arguments of `EM.audit`.
_CLAIMS = ("updates", "step", "log_likelihood")


def load_claims(path: str | Path, names: Mapping[str, Any]) -> dict[str, Any]:
    """`updates`, `step` and `log_likelihood` of a Python file that may use these names.

    Raises:
        ModelError: the file is missing, does not run, or defines none of them.
    """
    found = _run(Path(path), {name: value for name, value in names.items() if not name.startswith("__")})
    claims = {name: found[name] for name in _CLAIMS if name in found and found[name] is not names.get(name)}
    if not claims:
        raise ModelError(
            f"{path} defines none of {', '.join(_CLAIMS)}: write updates = {{mu: …}}, or def step(theta, x): …."
        )
    return claims


def _chosen(path: Path, name: str | None, names: Mapping[str, Any]) -> tuple[str, Model]:
    models = {key: value for key, value in names.items() if isinstance(value, Model)}
    if name is None:
        name = "model" if "model" in models or len(models) != 1 else next(iter(models))
    if name in models:
        return name, models[name]
    found = ", ".join(sorted(models)) or "none"
    raise ModelError(
        f"{path} has no Model called {name!r} (found: {found}). Write model = Model(...), or FILE:NAME."
    )


def _split(spec: str) -> tuple[Path, str | None]:
    head, colon, tail = spec.rpartition(":")
    if colon and tail.isidentifier() and not Path(spec).exists():
        return Path(head), tail
    return Path(spec), None


def _run(path: Path, given: dict[str, Any] | None = None) -> Mapping[str, Any]:
    """The names that the file defines, or is given; its own folder is searched for what it imports."""
    if not path.is_file():
        raise ModelError(f"There is no file {path}.")
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        return runpy.run_path(str(path), given, run_name="symem_model")
    except SyntaxError as error:
        raise ModelError(
            f"{error.filename}:{error.lineno}: {error.msg}: {(error.text or '').strip()}"
        ) from None
    except SymemError as error:
        raise type(error)(f"{path}{_line(error, path)}: {error}") from None
    except Exception as error:
        raise ModelError(f"{path}{_line(error, path)}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)


def _line(error: BaseException, path: Path) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
    return f":{lines[-1]}" if lines else ""


# tables ----------------------------------------------------------------------------------------------


def read_table(path: str | Path, model: Model) -> dict[str, Array]:
    """The data and known arrays of the model that the table holds; other columns are left alone.

    Raises:
        DataError: a cell is no number, a slice is missing, or the table holds nothing that the model knows.
    """
    header, rows = _cells(Path(path))
    wanted = {
        v.name: v for role in (Role.DATA, Role.KNOWN) for v in model.variables.values() if v.role is role
    }
    columns: dict[str, dict[Column, Array]] = {}
    for place, title in enumerate(header):
        name, slots = _place(title, wanted)
        if name in wanted:
            if slots in columns.setdefault(name, {}):
                raise DataError(f"{path} has two columns for {_shown(name, slots)}: rename or remove one.")
            columns[name][slots] = _numbers([row[place] for row in rows], title)
    if not columns:
        raise DataError(
            f"{path} has the columns {', '.join(header)}, but the model's data are {', '.join(wanted)}."
        )
    return {name: _assembled(wanted[name], parts) for name, parts in columns.items()}


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


def _numbers(cells: Iterable[str], title: str) -> Array:
    return np.array([_number(cell, f"column {title}, row {row}") for row, cell in enumerate(cells, start=1)])


def _number(cell: str, where: str) -> float:
    if cell.strip().lower() in _MISSING:
        return math.nan
    try:
        return float(cell)
    except ValueError:
        raise DataError(
            f"{where}: {_short(cell.strip())!r} is not a number (leave it empty, or write NA, if missing)."
        ) from None


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


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


# values on the command line ----------------------------------------------------------------------------


def read_values(assignments: Iterable[str]) -> dict[str, Array]:
    """`name=1`, `name=1,2,3` or `name=1,2;3,4` as arrays, `name=1,0;0,1|2,0;0,2` as an array of matrices.

    >>> read_values(["w=0.5,0.5"])
    {'w': array([0.5, 0.5])}
    """
    return dict(_assignment(text) for text in assignments)


def _assignment(text: str) -> tuple[str, Array]:
    name, equals, values = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise DataError(
            f"{text!r} is not of the form name=value, name=value,value or name=value,value;value,value."
        )
    tables = [_table(name, part) for part in values.split("|")]
    if len({table.shape for table in tables}) > 1:
        raise DataError(f"{name}: the matrices of {values!r} differ in shape.")
    if "|" in values:
        return name.strip(), np.array(tables)
    table = tables[0]
    if ";" in values:
        return name.strip(), table
    return name.strip(), table[0] if "," in values else table[0, 0]


def _table(name: str, values: str) -> Array:
    rows = [[_plain_number(cell, name) for cell in row.split(",")] for row in values.split(";")]
    if len({len(row) for row in rows}) > 1:
        raise DataError(f"{name}: the rows of {values!r} differ in length.")
    return np.array(rows)


def _plain_number(cell: str, name: str) -> int | float:
    try:
        return int(cell) if re.fullmatch(r"\s*[+-]?\d+\s*", cell) else float(cell)
    except ValueError:
        raise DataError(f"{name}: {cell.strip()!r} is not a number.") from None
