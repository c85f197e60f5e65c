"""Statements that fit their line, as the formatter would leave them.

A long sum stands in parentheses, a term on each line; of what is long for other reasons a part gets a name first.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence

WIDTH = 110
_INDENT = 4
_INSIDE = WIDTH - 2 * _INDENT


def fitted(start: str, text: str, take: Callable[[], str], indent: int = _INDENT) -> list[str]:
    """The lines of a statement in a function: `start`, then an expression; `take` gives names for its parts."""
    named: list[str] = []
    while indent + len(start) + len(text) > WIDTH:
        terms = _terms(text)
        if len(terms) > 2 and all(len(term) <= _INSIDE for term in terms):
            return [*named, *_summed(start, text, terms, take)]
        before, text = _with_named_part(text, take)
        if not before:
            break
        named += before
    return [*named, start + text]


def _summed(start: str, text: str, terms: Sequence[str], take: Callable[[], str]) -> list[str]:
    """A sum in parentheses, a term on each line; of many short terms first some as a line of their own."""
    if len(text) <= _INSIDE:
        return [f"{start}(", " " * _INDENT + text, ")"]
    if len(terms) < 6 or len(text) / len(terms) > _INSIDE / 3:
        return [f"{start}(", *(" " * _INDENT + each for each in terms), ")"]
    count = next(k for k in range(len(terms), 0, -1) if len(" ".join(terms[:k])) < WIDTH - 2 * _INDENT)
    name = take()
    first = f"{name} = {' '.join(terms[:count])}"
    return [first, *fitted(start, " ".join([name, *terms[count:]]), take)]


def short(text: str, take: Callable[[], str]) -> tuple[list[str], str]:
    """An expression that fits a line of its own inside brackets, and the lines that must stand before."""
    named: list[str] = []
    while len(text) >= _INSIDE:
        before, text = _with_named_part(text, take)
        if not before:
            break
        named += before
    return named, text


def _with_named_part(text: str, take: Callable[[], str]) -> tuple[list[str], str]:
    """The text with a part of it by a name, and the lines that give it the name; none if no part can be named."""
    part = _part(text)
    if part is None:
        return [], text
    name, (begin, end) = take(), part
    return fitted(f"{name} = ", _bare(text[begin:end]), take), text[:begin] + name + text[end:]


def listed(start: str, items: Iterable[str], end: str) -> list[str]:
    """The lines of a call or a tuple of these items: one, one for all of them, or one for each."""
    items = list(items)
    flat = f"{start}{', '.join(items)}{end}"
    if _INDENT + len(flat) <= WIDTH:
        return [flat]
    inside = f"{' ' * _INDENT}{', '.join(items)}"
    if _INDENT + len(inside) <= WIDTH and start.endswith("("):
        return [start, inside, end]
    return [start, *(f"{' ' * _INDENT}{item}," for item in items), end]


def unpacked(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Names for values, as many on a line as fit."""
    lines: list[list[tuple[str, str]]] = []
    for pair in pairs:
        if lines and len(_unpacking([*lines[-1], pair])) <= WIDTH - _INDENT:
            lines[-1].append(pair)
        else:
            lines.append([pair])
    return [_unpacking(line) for line in lines]


def tupled(items: Iterable[str]) -> str:
    """Items as Python writes a tuple of them."""
    listed_items = list(items)
    return f"({listed_items[0]},)" if len(listed_items) == 1 else f"({', '.join(listed_items)})"


def _unpacking(pairs: list[tuple[str, str]]) -> str:
    return f"{', '.join(name for name, _ in pairs)} = {', '.join(value for _, value in pairs)}"


def _terms(text: str) -> list[str]:
    """The terms of a sum, each with its sign."""
    depth, last, found = 0, 0, list[str]()
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if depth == 0 and text[place : place + 3] in (" + ", " - "):
            found.append(text[last:place])
            last = place + 1
    return [*found, text[last:]]


def _part(text: str) -> tuple[int, int] | None:
    """Where the largest part lies that fits a line of its own, yet is worth a name."""
    parts = [
        (end - begin, begin, end) for begin, end in map(_span(text), _parts(text)) if end - begin < len(text)
    ]
    fitting = [part for part in parts if 12 < part[0] < _INSIDE]
    chosen = max(fitting, key=lambda part: (part[0], -part[1]), default=None)
    return chosen and chosen[1:]


def _parts(text: str) -> Iterator[ast.expr]:
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.BinOp | ast.Call | ast.Subscript | ast.Compare):
            yield node


def _span(text: str) -> Callable[[ast.expr], tuple[int, int]]:
    """From a node to its place in the text, with parentheses that only hold it together."""

    def place(node: ast.expr) -> tuple[int, int]:
        begin, end = node.col_offset, node.end_col_offset or 0
        wrapped = text[begin - 1 : begin] == "(" and text[end : end + 1] == ")"
        called = text[begin - 2 : begin - 1].isalnum() or text[begin - 2 : begin - 1] in ("_", "]", ")")
        return (begin - 1, end + 1) if wrapped and not called else (begin, end)

    return place


def _bare(text: str) -> str:
    """The text without parentheses around all of it."""
    tree = ast.parse(text, mode="eval").body
    return text[tree.col_offset : tree.end_col_offset]
