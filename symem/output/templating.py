"""The only file that touches Jinja2: frames for solver modules and reports.

Templates live in the package (`symem/templates`, as a wheel ships them) or, in a checkout, beside
`pyproject.toml`. An undefined name is an error.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined


@cache
def _source(name: str) -> str | None:
    """The text of a template, None if there is none."""
    for folder in (files("symem") / "templates", Path(__file__).parents[2] / "templates"):
        template = folder / name
        if template.is_file():
            return template.read_text(encoding="utf-8")
    return None


def text_of(name: str) -> str:
    """A template as it stands, not filled in."""
    text = _source(name)
    assert text is not None, name
    return text


@cache
def _environment() -> Environment:
    """Plain text: what is put into a template is escaped by who made it, never guessed here."""
    return Environment(
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  Python and LaTeX, not HTML
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
