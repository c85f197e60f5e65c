"""The sections of docstrings, by the conventions of numpydoc; those of what is inherited from inside may be Google's."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.ext import napoleon
from sphinx.ext.napoleon.docstring import GoogleDocstring, NumpyDocstring

#: Code between single backticks, and whether a letter follows: `MatrixSymbol`s.
_CODE, SEPARATED = re.compile(r"(?<!`)`([^`]+)`(?!`)(?=(\w?))"), "\\ "
_UNDERLINE = re.compile(r"-{4,}")
CONFIG: Any = napoleon.Config(napoleon_use_rtype=False, napoleon_use_param=False)


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", _sections)


def _sections(app: Sphinx, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    lines[:] = [_CODE.sub(lambda code: f"``{code[1]}``{code[2] and SEPARATED}", line) for line in lines]
    kind: Any = (
        "method" if what in ("property", "attribute") else what
    )  # else the words before a colon are a type
    reader = NumpyDocstring if any(map(_UNDERLINE.fullmatch, lines)) else GoogleDocstring
    lines[:] = reader(lines, CONFIG, app, kind, name, found, options).lines()
