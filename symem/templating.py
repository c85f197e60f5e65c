"""The only file that touches Jinja2: frames for solver modules and reports, and the files that a page carries.

Templates live in the package (`symem/templates`, as a wheel ships them) or, in a checkout, beside
`pyproject.toml`. An undefined name is an error.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape


@cache
def _source(name: str) -> str | None:
    """The text of a template, None if there is none."""
    data = bytes_of(name)
    return None if data is None else data.decode("utf-8").replace("\r\n", "\n")


@cache
def bytes_of(name: str) -> bytes | None:
    """A file among the templates, None if there is none."""
    for folder in (files("symem") / "templates", Path(__file__).parents[1] / "templates"):
        template = folder / name
        if template.is_file():
            return template.read_bytes()
    return None


def text_of(name: str) -> str:
    """A template as it stands, not filled in."""
    text = _source(name)
    assert text is not None, name
    return text


@cache
def _environment() -> Environment:
    """In HTML what is put into a template is escaped here; elsewhere by who made it, never guessed."""
    return Environment(
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html.j2",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(name: str, **context: Any) -> str:
    """The template of that file name, filled in.

    Raises
    ------
        jinja2.TemplateNotFound: there is no such template.
        jinja2.UndefinedError: the template asks for a name that was not given.
    """
    return str(_environment().get_template(name).render(**context))
