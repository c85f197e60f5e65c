"""Drawings as text: elements of SVG with presentation attributes alone, and formulas set in them.

Ink is `currentColor`, so that a drawing follows the page into the dark; shades are the same ink thinned. Numbers
are rounded, so that the same drawing is the same text everywhere. Formulas are the LaTeX of our printers, of
which a reader here knows what names are made of: letters, Greek, scripts, hats and upright words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from symem.report.notation.letters import GREEK

SERIF = "'Latin Modern Math', 'STIX Two Text', 'Cambria Math', Georgia, 'Times New Roman', serif"
SANS = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}_^]|\s+|.")
_SIGNS = {
    r"\approx": " ≈ ", r"\left": "", r"\right": "", r"\dots": "…", r"\infty": "∞", r"\in": " ∈ ", r"\mid": " | ", r"\log": "log", r"\ell": "ℓ", r"\varepsilon": "ε",
    r"\vartheta": "ϑ", r"\,": "\u2009", r"\ ": " ", r"\;": " ", r"\quad": "  ", r"\cdot": " · ", r"\prime": "′",
    r"\le": " ≤ ", r"\ge": " ≥ ", r"\neq": " ≠ ", r"\langle": "⟨", r"\rangle": "⟩", r"\sum": "Σ", r"\to": " → ", r"\varphi": "φ",
}  # fmt: skip
_STYLES = {
    r"\mathrm": "upright", r"\text": "upright", r"\operatorname": "upright", r"\mathbf": "bold",
    r"\boldsymbol": "bold italic", r"\bm": "bold italic", r"\mathit": "italic", r"\mathsf": "upright",
}  # fmt: skip
_ACCENTS = {r"\hat": "\u0302", r"\bar": "\u0304", r"\tilde": "\u0303", r"\widehat": "\u0302"}
_SPACED = {"=": " = ", "+": " + ", "-": " − ", "<": " < ", ">": " > ", ",": ", "}


def number(value: float) -> str:
    """A coordinate, to a tenth.

    >>> number(3.0), number(2.26)
    ('3', '2.3')
    """
    return f"{round(value, 1):g}"


def tag(name: str, body: str = "", **attributes: object) -> str:
    """An element; `_` in the name of an attribute stands for a hyphen, and None leaves it out."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{shown}>{body}</{name}>" if body else f"<{name}{shown}/>"


def _value(value: object) -> str:
    return number(value) if isinstance(value, float) else escape(str(value))


def drawing(
    width: float, height: float, parts: Iterable[str], *, title: str, description: str, of: str
) -> str:
    """A whole drawing that shrinks to the width of its page; `of` names its class."""
    head = tag("title", escape(title)) + tag("desc", escape(description))
    return tag(
        "svg",
        head + "\n" + "\n".join(parts) + "\n",
        xmlns="http://www.w3.org/2000/svg",
        class_=of,
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=float(width),
        height=float(height),
        style="max-width:100%;height:auto",
        role="img",
        color="inherit",
        fill="none",
        stroke="none",
        font_family=SERIF,
    )


# formulas --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """Letters of one style at one height: 0 on the line, 1 above it, -1 below."""

    text: str
    style: str
    level: int


def runs(latex: str) -> list[Run]:
    r"""The letters of a formula.

    >>> [(run.text, run.style, run.level) for run in runs(r"\mu_{k}^{(t)}")]
    [('μ', 'italic', 0), ('k', 'italic', -1), ('(', 'upright', 1), ('t', 'italic', 1), (')', 'upright', 1)]
    """
    reader = _Reader([token for token in _TOKEN.findall(latex) if not token.isspace()])
    return list(reader.group("", 0))


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.place = 0

    def group(self, style: str, level: int) -> Iterator[Run]:
        while self.place < len(self.tokens) and self.tokens[self.place] != "}":
            yield from self.one(style, level)

    def one(self, style: str, level: int) -> Iterator[Run]:
        if self.place >= len(self.tokens):
            return
        token = self.tokens[self.place]
        self.place += 1
        if token == "{":
            yield from self.group(style, level)
            self.place += 1
        elif token in "_^":
            yield from self.one(style, 1 if token == "^" else -1)
        elif token in {r"\frac", r"\dfrac", r"\tfrac"}:
            yield from self.in_brackets(style, level)
            yield Run(" / ", "upright", level)
            yield from self.in_brackets(style, level)
        elif token in _STYLES:
            yield from self.one(_STYLES[token], level)
        elif token in _ACCENTS:
            inner = list(self.one(style, level))
            yield from (Run(run.text + _ACCENTS[token], run.style, run.level) for run in inner)
        else:
            yield from self.letter(token, style, level)

    def in_brackets(self, style: str, level: int) -> Iterator[Run]:
        """A group, in brackets if it is a sum or a product."""
        inner = list(self.one(style, level))
        several = any(run.text.strip() in {"+", "−", "·", "/"} and run.level == level for run in inner)
        yield from [Run("(", "upright", level), *inner, Run(")", "upright", level)] if several else inner

    def letter(self, token: str, style: str, level: int) -> Iterator[Run]:
        greek = GREEK.get(token[1:]) if token.startswith("\\") else None
        if greek:
            yield Run(greek, style or ("italic" if token[1].islower() else "upright"), level)
        elif token in _SIGNS:
            yield Run(_SIGNS[token], "upright", level)
        elif token.startswith("\\") and len(token) > 2:
            return
        else:
            bare = token.removeprefix("\\")
            upright = style or ("italic" if bare.isalpha() else "upright")
            yield Run(_SPACED.get(bare, bare) if level == 0 and not style else bare, upright, level)


def maths(latex: str, size: float) -> str:
    """A formula as spans of a text element; scripts are small and moved."""
    spans, height = [], 0.0
    for run in runs(latex):
        wanted = {0: 0.0, 1: -0.4 * size, -1: 0.25 * size}[run.level]
        moved = wanted - height
        height = wanted
        spans.append(
            tag(
                "tspan",
                escape(run.text),
                dy=number(moved) if moved else None,
                font_size=float(size if run.level == 0 else 0.72 * size),
                font_style="italic" if "italic" in run.style else None,
                font_weight="bold" if "bold" in run.style else None,
            )
        )
    return "".join(spans)


def breadth(latex: str, size: float) -> float:
    """An estimate of how wide a formula sets."""
    return sum(len(run.text) * size * (0.52 if run.level == 0 else 0.4) for run in runs(latex))


def formula(latex: str, x: float, y: float, size: float = 17.0, anchor: str = "middle") -> str:
    """A formula whose middle stands at the height y."""
    return tag(
        "text",
        maths(latex, size),
        x=float(x),
        y=float(y + 0.3 * size),
        text_anchor=anchor,
        fill="currentColor",
    )


def words(
    text: str, x: float, y: float, size: float = 12.0, anchor: str = "middle", **attributes: object
) -> str:
    """Plain words."""
    return tag(
        "text",
        escape(text),
        x=float(x),
        y=float(y),
        font_size=float(size),
        font_family=SANS,
        text_anchor=anchor,
        fill="currentColor",
        **attributes,
    )
