"""A Jupyter notebook: the derivation in words, then the model stated again, the solver, the fit, and ℓ drawn.

It is JSON by hand (nbformat 4.5), with cell ids that count, so that it is the same from run to run. User text goes
into code cells only as literals or as the user's own source.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symem.output.media.drawing import inert
from symem.output.media.markdown import MarkdownMedium
from symem.output.media.medium import Page
from symem.output.story import Figure
from symem.output.templating import text_of

Cell = dict[str, Any]


class NotebookMedium(MarkdownMedium):
    """Markdown, in which drawings are attachments: images, which act on nothing."""

    def __init__(self) -> None:
        self.drawings: dict[str, str] = {}

    def figure(self, figure: Figure) -> str:
        name = f"figure-{len(self.drawings) + 1}.svg"
        self.drawings[name] = inert(figure.svg, figure.alternative)
        return f"![{self.words(figure.alternative)}](attachment:{name})\n\n*{self.prose(figure.caption)}*"


@dataclass(frozen=True)
class Script:
    """What the notebook runs: the module, the file that states the model, data and start."""

    module: str | None
    source: str | None
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
    head = f"# {titles['title']}" + (f"\n\n*{titles['kicker']}*" if titles["kicker"] else "")
    yield _words(head)
    for page in told:
        anchor = f'<a id="{page.anchor}"></a>' if page.named else ""
        body = f"{'#' * (page.level + 1)} {anchor}{page.title}\n\n{page.body}"
        drawn = {name: {"image/svg+xml": svg} for name, svg in medium.drawings.items() if f":{name})" in body}
        yield {**_words(body), **({"attachments": drawn} if drawn else {})}


def _run(script: Script) -> Iterator[Cell]:
    stated = restated(script.source) if script.source else None
    if stated:
        yield _words("## The model, stated\n\nThis cell needs symem; those below need NumPy and SciPy only.")
        yield _code(stated)
    if script.module is None:
        return
    yield _words("## The solver\n\nThe emitted module, as it stands alone.")
    yield _code(script.module)
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


# the model again ---------------------------------------------------------------------------------------


def restated(source: str) -> str | None:
    r"""The statements of a file on which its model depends, as they stand there; None if it has none.

    >>> print(restated("import math\nx = 1\ny = x + 1\nmodel = Model(y)\nprint(x)"))
    x = 1
    y = x + 1
    model = Model(y)
    <BLANKLINE>
    print(model)
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return None
    models = [each for each in statements if isinstance(each, ast.Assign) and _is_model(each.value)]
    if not models:
        return None
    kept = _needed(statements, models[-1])
    lines = source.splitlines()
    parts = ["\n".join(lines[each.lineno - 1 : each.end_lineno]) for each in kept]
    target = ast.unparse(models[-1].targets[0])
    return "\n".join([*parts, "", f"print({target})"])


def _is_model(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[0] == "Model"


def _needed(statements: Sequence[ast.stmt], model: ast.stmt) -> list[ast.stmt]:
    """The model's statement and those before it that bind a name it needs, directly or not."""
    kept, wanted = [model], _used(model)
    for statement in reversed(statements[: statements.index(model)]):
        if _bound(statement) & wanted:
            kept.append(statement)
            wanted |= _used(statement)
    return kept[::-1]


def _used(statement: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}


def _bound(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.Import() | ast.ImportFrom():
            return {(each.asname or each.name).split(".")[0] for each in statement.names}
        case ast.FunctionDef() | ast.ClassDef():
            return {statement.name}
        case _:
            stored = (ast.Store,)
            return {
                e.id for e in ast.walk(statement) if isinstance(e, ast.Name) and isinstance(e.ctx, stored)
            }


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
