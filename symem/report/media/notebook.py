"""A Jupyter notebook: the derivation in words, then the model stated, the solver, the fit, and ℓ drawn.

It is JSON by hand (nbformat 4.5), with cell ids that count, so that it is the same from run to run. User text goes
into code cells only as literals or as the user's own source.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symem.report.document import Figure
from symem.report.media.drawing import inert
from symem.report.media.markdown import MarkdownMedium
from symem.report.media.medium import Page
from symem.templating import text_of

Cell = dict[str, Any]


class NotebookMedium(MarkdownMedium):
    """Markdown, in which drawings are attachments: images, which act on nothing."""

    def __init__(self) -> None:
        self.drawings: dict[str, str] = {}

    def figure(self, figure: Figure) -> str:
        name = f"figure-{len(self.drawings) + 1}.svg"
        self.drawings[name] = inert(figure.svg, figure.alternative, ground="#fff")
        return f"![{self.words(figure.alternative)}](attachment:{name})\n\n*{self.prose(figure.caption)}*"


@dataclass(frozen=True)
class Script:
    """What the notebook runs: the module, the statement of the model, data and start."""

    module: str | None
    statement: str | None
    data: Mapping[str, Any] | None
    start: Mapping[str, Any] | None


def written(script: Script, told: Sequence[Page], medium: NotebookMedium, titles: Mapping[str, str]) -> str:
    """The notebook as JSON."""
    cells = [*_told(told, medium, titles), *_run(script)]
    numbered = [{**cell, "id": f"cell-{number:03}"} for number, cell in enumerate(cells, start=1)]
    book = {"cells": numbered, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def _told(told: Sequence[Page], medium: NotebookMedium, titles: Mapping[str, str]) -> Iterator[Cell]:
    kicker = f"*{titles['kicker']}*" if titles["kicker"] else ""
    yield _words("\n\n".join(filter(None, (f"# {titles['title']}", kicker, titles["byline"]))))
    for page in told:
        anchor = f'<a id="{page.anchor}"></a>' if page.named else ""
        body = f"{'#' * (page.level + 1)} {anchor}{page.title}\n\n{page.body}"
        drawn = {name: {"image/svg+xml": svg} for name, svg in medium.drawings.items() if f":{name})" in body}
        yield {**_words(body), **({"attachments": drawn} if drawn else {})}


def _run(script: Script) -> Iterator[Cell]:
    if script.statement is not None:
        yield _words("## The model, stated\n\nThis cell needs symem; those below need NumPy and SciPy only.")
        yield _code(script.statement)
    if script.module is None:
        return
    yield _words("## The solver\n\nThe emitted module, as it stands alone; its cell is folded.")
    yield {**_code(script.module), "metadata": {"jupyter": {"source_hidden": True}}}
    if script.data is not None:
        yield _words("## The fit")
        yield _code(_fit(script.data, script.start))
        yield _words("The log-likelihood over the iterations:")
        yield _code(text_of("history.py.txt"))


def _fit(data: Mapping[str, Any], start: Mapping[str, Any] | None) -> str:
    """The call of the solver with its arguments as literals."""
    lines = ["data = {", *_entries(data), "}"]
    if start is not None:
        lines += ["start = {", *_entries(start), "}"]
    call = "fitted = fit(**data, start=start)" if start is not None else "fitted = fit(**data, seed=0)"
    shown = 'for name, value in fitted.parameters._asdict().items():\n    print(f"{name} = {value}")'
    end = 'print(f"log-likelihood {fitted.log_likelihood:.6f} after {fitted.n_iter} iterations")'
    return "\n".join([*lines, "", call, shown, end])


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
