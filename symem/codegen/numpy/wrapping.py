"""Long lines broken where a reader would break them: before the terms of a sum, after the items of a tuple."""

from __future__ import annotations

WIDTH = 110


def wrapped(start: str, text: str, indent: int = 4) -> str:
    """`start` and an expression, in lines that fit if the expression is a sum; the first line is not indented."""
    if indent + len(start) + len(text) <= WIDTH:
        return start + text
    terms = _terms(text)
    if len(terms) < 2:
        return start + text
    inner = "\n" + " " * (indent + 4)
    return f"{start}({inner}{inner.join(terms)}\n{' ' * indent})"


def _terms(text: str) -> list[str]:
    """The terms of a sum, each with its sign."""
    depth, last, found = 0, 0, []
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and text[place : place + 3] in (" + ", " - "):
            found.append(text[last:place])
            last = place + 1
    return [*found, text[last:]]
