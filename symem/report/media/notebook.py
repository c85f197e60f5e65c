"""A Jupyter notebook: the model stated and derived, the derivation in words, its formulas, the fit and its pictures.

It calls symem, as its reader would, and holds neither a solver nor more than a few rows of data. It is JSON by hand (nbformat 4.5), with cell ids that count, so that it is the same from run to run. User text goes
into code cells only as literals or as the user's own source.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symem.report.document import Figure
from symem.report.media.drawing import inert
from symem.report.media.markdown import MarkdownMedium
from symem.report.media.medium import Page

Cell = dict[str, Any]


class NotebookMedium(MarkdownMedium):
    """Markdown, in which drawings are attachments: images, which act on nothing."""

    def __init__(self) -> None:
        self.drawings: dict[str, str] = {}

    def figure(self, figure: Figure) -> str:
        name = f"figure-{len(self.drawings) + 1}.svg"
        self.drawings[name] = inert(figure.svg, figure.alternative, ground="#fff")
        return f"![{self.words(figure.alternative)}](attachment:{name})\n\n*{self.prose(figure.caption)}*"


#: Rows of data that are written into a cell.
MOST_ROWS = 20


@dataclass(frozen=True)
class Script:
    """What the notebook runs.

    Args:
        statement: Python that states the model; without it nothing is run.
        derived: whether every parameter has an update.
        data: arrays and sizes; they are written down where they are short.
        start: parameters to start from.
        loading: Python that reads the data as `data`, for those that are long.
        drawn: parameters and sizes with which `em.sample` draws data like those that are long, with no `loading`.
    """

    statement: str | None
    derived: bool
    data: Mapping[str, Any] | None
    start: Mapping[str, Any] | None
    loading: str | None = None
    drawn: tuple[Mapping[str, Any], Mapping[str, int]] | None = None

    @property
    def model(self) -> str:
        """The name under which the model is stated: the last that is assigned."""
        assigned = [each for each in ast.parse(self.statement or "").body if isinstance(each, ast.Assign)]
        names = [target.id for each in assigned for target in each.targets if isinstance(target, ast.Name)]
        return names[-1] if names else "model"

    @property
    def is_short(self) -> bool:
        return all(np.shape(value)[:1] <= (MOST_ROWS,) for value in (self.data or {}).values())


def written(script: Script, told: Sequence[Page], medium: NotebookMedium, titles: Mapping[str, str]) -> str:
    """The notebook as JSON."""
    cells = [*_head(titles), *_stated(script), *_told(told, medium), *_run(script)]
    numbered = [{**cell, "id": f"cell-{number:03}"} for number, cell in enumerate(cells, start=1)]
    book = {"cells": numbered, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def _head(titles: Mapping[str, str]) -> Iterator[Cell]:
    kicker = f"*{titles['kicker']}*" if titles["kicker"] else ""
    yield _words("\n\n".join(filter(None, (f"# {titles['title']}", kicker, titles["byline"]))))


def _stated(script: Script) -> Iterator[Cell]:
    if script.statement is None:
        yield _words(
            "No cell states the model: `em.notebook(statement=…)` takes the Python that does, and derives and fits it here."
        )
        return
    yield _words(
        "## The model in Python\n\nThe cells need symem, and for pictures matplotlib: `pip install 'symem[plot]'`."
    )
    yield _code(script.statement)
    yield _code(f"em = {script.model}.derive()\nem.updates")
    yield _words("What `derive` did, step by step:")


def _told(told: Sequence[Page], medium: NotebookMedium) -> Iterator[Cell]:
    for page in told:
        anchor = f'<a id="{page.anchor}"></a>' if page.named else ""
        body = f"{'#' * (page.level + 1)} {anchor}{page.title}\n\n{page.body}"
        drawn = {name: {"image/svg+xml": svg} for name, svg in medium.drawings.items() if f":{name})" in body}
        yield {**_words(body), **({"attachments": drawn} if drawn else {})}


def _run(script: Script) -> Iterator[Cell]:
    if script.statement is None:
        return
    yield _words("## The formulas, to go on with\n\nThey are SymPy: substitute, simplify, differentiate.")
    yield _code("em.log_likelihood")
    yield _code("em.posterior")
    if not script.derived:
        return
    yield _words("The same algorithm as one short function of NumPy:")
    yield _code('print(em.source(style="plain"))')
    if script.data is None:
        return
    yield _words("## The fit, run")
    data = list(_data(script))
    if not data:
        yield _words("The data are too many to be written down here: `em.fit(…)` takes yours, by name.")
        return
    yield _code("import numpy as np")
    yield from data
    start = "start=start" if script.start is not None else "seed=0"
    begin = ["start = {", *_entries(script.start), "}"] if script.start is not None else []
    yield _code("\n".join([*begin, f"fit = em.fit(**data, {start})", "print(fit.summary())"]))
    yield _words(
        "What it found: the objective over the iterations, the data, the latents. The model as plates."
    )
    yield _code("fit.plot();")
    yield _code("em.plot();")


def _data(script: Script) -> Iterator[Cell]:
    """Data as literals, read, or drawn from the model."""
    if script.is_short:
        yield _code("\n".join(["data = {", *_entries(script.data or {}), "}"]))
    elif script.loading is not None:
        yield _code(script.loading)
    elif script.drawn is not None:
        theta, sizes = script.drawn
        yield _words(
            "The data are too many to be written down here; these are as many, drawn from the model at the estimate. Put "
            "your own in their place."
        )
        asked = ", ".join(f"{name}={size}" for name, size in sizes.items())
        lines = ["theta = {", *_entries(theta), "}"]
        yield _code("\n".join([*lines, f"data = em.sample(theta, {asked}, seed=0)"]))


def _entries(arrays: Mapping[str, Any]) -> Iterator[str]:
    for name, value in arrays.items():
        array = np.asarray(value)
        yield f"    {name!r}: {_literal(array)},"


def _literal(array: np.ndarray[Any, Any]) -> str:
    """Numbers in full precision, read back as they were; not a number is spelled out."""
    if array.dtype.kind not in "biuf":
        array = array.astype(float)
    text = repr(array.tolist()).replace("nan", 'float("nan")').replace("inf", 'float("inf")')
    return f"np.array({text})" if array.ndim else text


def _words(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": _lines(source)}


def _code(source: str) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": _lines(source),
    }


def _lines(source: str) -> list[str]:
    return source.rstrip("\n").splitlines(keepends=True)
