"""What the options of a command say: the numbers of a table and beside it, the settings of a fit, the choices of a report."""

from __future__ import annotations

import argparse
import sys
from os.path import relpath
from pathlib import Path
from typing import Any

from symem.documents import Choices
from symem.em import EM
from symem.errors import DataError
from symem.files import ModelFile, read_values
from symem.report.options import FORMS
from symem.tables import read_table


def table_of(options: argparse.Namespace, em: EM) -> dict[str, Any]:
    return {
        **read_table(options.data, em.model).arrays,
        **read_values(options.set),
        **read_values(options.size),
    }


def data_to_check(options: argparse.Namespace, em: EM) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The data to check with, if there are some, and parameters and sizes."""
    table = read_table(options.data, em.model).arrays if options.data else {}
    data = {**table, **read_values(options.set)}
    sizes = {name: int(size) for name, size in read_values(options.size).items()}
    return data or None, {"theta": read_values(options.theta) or None, "sizes": sizes or None}


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """What was given; the rest is the solver's to choose."""
    names = ("seed", "tol", "max_iter", "n_init", "accelerate")
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return {**chosen, "verbose": _is_watched(options)}


def _is_watched(options: argparse.Namespace) -> bool:
    """Whether progress is told: on a terminal unless it is not wanted, elsewhere if it is."""
    return bool(options.verbose or (sys.stderr.isatty() and not options.quiet))


def fit_settings(options: argparse.Namespace) -> dict[str, Any]:
    chosen = settings_of(options)
    return {**chosen, "start": read_values(options.start)} if options.start else chosen


def form_asked(options: argparse.Namespace) -> str:
    """The form that was asked for, or that the name of the output means."""
    suffix = Path(options.output or "").suffix
    return options.form or next((form for form, ending in FORMS.items() if ending == suffix), "html")


def choices_of_fit(options: argparse.Namespace, stated: ModelFile, found: Any) -> Any:
    """What the report of a fit is to hold."""
    python = {"statement": stated.statement, "loading": loading_of(options, stated, options.report or "-")}
    return {**headed(stated), **python, "fit": found, "source": Path(options.data).name}


def headed(stated: ModelFile) -> Choices:
    """What a file says of itself."""
    choices: Choices = {}
    if stated.title:
        choices["title"] = stated.title
    if stated.reference:
        choices["reference"] = stated.reference
    return choices


def loading_of(options: argparse.Namespace, stated: ModelFile, beside: str) -> str | None:
    """Python that reads the data of a report in a notebook, by its way from the folder of the file `beside`."""
    folder = Path(beside).parent if beside != "-" else Path()
    if options.data:
        where = relpath(options.data, folder)
        return f"from symem.tables import read_table\n\ndata = read_table({where!r}, {stated.name}).arrays"
    if stated.data is None:
        return None
    return f'import runpy\n\ndata = runpy.run_path({relpath(stated.path, folder)!r})["data"]'


def choices_of(options: argparse.Namespace, stated: ModelFile, em: EM) -> Choices:
    """What the report is to hold; the file's own numbers where no table is given."""
    choices: Choices = {
        **headed(stated),
        **_taught(options),
        "notation": options.notation,
        "rename": dict(map(_pair, options.rename)),
        "listing": options.listing,
    }
    given = {name: getattr(options, name) for name in ("title", "author", "date")}
    choices.update({name: text for name, text in given.items() if text is not None})  # type: ignore[typeddict-item]
    own = read_table(options.data, em.model).arrays if options.data else stated.data or {}
    data = {**own, **read_values(options.set), **read_values(options.size)}
    if data:
        choices["data"] = data
        start = read_values(options.start) or (None if options.data else stated.start)
        if start is not None:
            choices["start"] = start
    return choices


def _taught(options: argparse.Namespace) -> Choices:
    """How much algebra, and whether as an exercise or as slides."""
    told: Choices = {"exercise": options.exercise, "slides": options.slides}
    return {**told, "level": options.level} if options.level else told


def _pair(text: str) -> tuple[str, str]:
    name, equals, new = text.partition("=")
    if not equals or not name or not new:
        raise DataError(f"--rename takes NAME=NEW, not {text!r}.")
    return name, new


def refuse_exercise_alone(options: argparse.Namespace) -> None:
    """Exercises are of what is written."""
    if options.exercise and not (options.latex or options.markdown):
        raise DataError("--exercise is for what is written: add --latex OUT.tex or --markdown OUT.md.")
