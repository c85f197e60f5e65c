"""What the command line reads: files of models and of claims, and values of arguments."""

from __future__ import annotations

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
from symem.language.model import Model
from symem.runtime.wording import _Words
from symem.statement import statement_of

Array = np.ndarray[Any, np.dtype[Any]]


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
    reference: str | None

    @property
    def approximate(self) -> str | None:
        """What the file says is to be done about latents without a family."""
        found = self.names.get("approximate")
        return found if isinstance(found, str) else None

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
    """The model as by `load_model`, and what stands beside it.

    `approximate = "quadrature"` there is what `derive` is given. The title is the first line of the docstring, the reference its paragraph that begins with `Source:`.

    Raises:
        ModelError: the file is missing, does not run, or holds no model of that name; the message has the line.
    """
    path, wanted = _split(spec)
    names = _run(path)
    name, model = _chosen(path, wanted, names)
    data, start = (
        found if isinstance(found := names.get(key), Mapping) else None for key in ("data", "start")
    )
    told = (names.get("__doc__") or "").strip()
    title = told.partition("\n")[0].rstrip(".") or None
    return ModelFile(path, name, model, names, data, start, title, _reference(told))


def _reference(told: str) -> str | None:
    r"""Where a docstring says that its model is from.

    >>> _reference("Two coins.\n\nSource: Do & Batzoglou 2008,\nfigure 1b.\n\nMore.")
    'Do & Batzoglou 2008, figure 1b.'
    """
    paragraphs = (" ".join(each.split()) for each in told.split("\n\n"))
    return next((each.removeprefix("Source: ") for each in paragraphs if each.startswith("Source: ")), None)


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
        raise type(error)(_Words(f"{path}{_line(error, path)}: ", str(error))) from None
    except Exception as error:
        raise ModelError(f"{path}{_line(error, path)}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)


def _line(error: BaseException, path: Path) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
    return f":{lines[-1]}" if lines else ""


# values on the command line ----------------------------------------------------------------------------


def read_values(assignments: Iterable[str]) -> dict[str, Array]:
    """`name=1`, `name=1,2,3` or `name=1,2;3,4` as arrays, `name=1,0;0,1|2,0;0,2` as an array of matrices.

    >>> read_values(["w=0.5,0.5"])
    {'w': array([0.5, 0.5])}
    """
    return dict(_assignment(text) for text in assignments)


def read_sizes(assignments: Iterable[str]) -> dict[str, range]:
    """`K=1..7`, or `K=3` for one, as ranges.

    >>> read_sizes(["K=1..7"])
    {'K': range(1, 8)}
    """
    return dict(map(_range, assignments))


def _range(text: str) -> tuple[str, range]:
    found = re.fullmatch(r"\s*(\w+)\s*=\s*(\d+)\s*(?:\.\.\s*(\d+)\s*)?", text)
    if not found or int(found[3] or found[2]) < int(found[2]):
        raise DataError(f"--size takes NAME=LOW..HIGH, such as K=1..7, not {text!r}.")
    return found[1], range(int(found[2]), int(found[3] or found[2]) + 1)


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
