"""The sections of docstrings, Args and Raises; of a property too, whose first line may hold a colon."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext import napoleon
from sphinx.ext.napoleon.docstring import GoogleDocstring

#: Code between single backticks, and whether a letter follows: `MatrixSymbol`s.
_CODE, SEPARATED = re.compile(r"(?<!`)`([^`]+)`(?!`)(?=(\w?))"), "\\ "
CONFIG: Any = napoleon.Config(napoleon_use_rtype=False)


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", _sections)


def _sections(app: Sphinx, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    lines[:] = [_CODE.sub(lambda code: f"``{code[1]}``{code[2] and SEPARATED}", line) for line in lines]
    kind: Any = (
        "method" if what in ("property", "attribute") else what
    )  # else the words before a colon are a type
    lines[:] = GoogleDocstring(lines, CONFIG, app, kind, name, found, options).lines()
