"""Directives whose content is Markdown that a function writes: `{distributions} symem.language.real_families`."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

Writer = Callable[[str], str]


class Written(SphinxDirective):
    """One directive; `writer` makes Markdown of its argument."""

    optional_arguments: ClassVar[int] = 1
    final_argument_whitespace: ClassVar[bool] = True
    writer: ClassVar[Writer]

    def run(self) -> list[nodes.Node]:
        text = type(self).writer(self.arguments[0] if self.arguments else "")
        found: list[nodes.Node] = self.parse_text_to_nodes(text, allow_section_headings=True)
        return found


def add(app: Sphinx, name: str, writer: Writer) -> None:
    """Give a directive of that name to the pages."""
    app.add_directive(name, type(name, (Written,), {"writer": staticmethod(writer)}))
