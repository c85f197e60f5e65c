"""Formulas stand in a page as LaTeX, which KaTeX sets where there is JavaScript: no network, as in reports."""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes


def setup(app: Any) -> None:
    app.add_html_math_renderer("katex", (_inline, None), (_display, None))


def _inline(translator: Any, node: Any) -> None:
    translator.body.append(f'<span class="math">{escape(node.astext())}</span>')
    raise nodes.SkipNode


def _display(translator: Any, node: Any) -> None:
    latex = node.astext()
    if "\\\\" in latex and "\\begin{" not in latex:
        latex = f"\\begin{{aligned}}{latex}\\end{{aligned}}"
    translator.body.append(f'<div class="math">{escape(latex)}</div>\n')
    raise nodes.SkipNode
