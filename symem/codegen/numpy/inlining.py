"""Copies into a module the helpers that it uses, and no others, with the imports that all of it needs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from symem.codegen.numpy.spelling import SCIPY
from symem.runtime import checks, draws, kernels
from symem.runtime import loop as runtime

_MODULES: Sequence[ModuleType] = (runtime, checks, draws, kernels)
_SCIPY = SCIPY | {"log_ndtr", "kve", "ive"}


@dataclass(frozen=True)
class _Piece:
    """A definition at the top of a module: its name, its text, and the names it reads."""

    name: str
    text: str
    reads: frozenset[str]


def helpers(body: str) -> str:
    """The definitions that a module of this text needs, in the order of their modules."""
    pieces = {piece.name: piece for module in _MODULES for piece in _pieces(module)}
    wanted: set[str] = set()
    waiting = set(re.findall(r"\w+", body)) & pieces.keys()
    while waiting:
        wanted |= waiting
        waiting = {name for each in waiting for name in pieces[each].reads & pieces.keys()} - wanted
    return "\n\n\n".join(piece.text for name, piece in pieces.items() if name in wanted)


def imports(text: str) -> list[str]:
    """The import lines for names that the text uses."""
    words = set(re.findall(r"\w+", text))
    lines = [
        f"import {name}"
        for name in ("contextlib", "math", "sys", "warnings")
        if re.search(rf"\b{name}\.", text)
    ]
    lines += [f"from collections.abc import {', '.join(sorted(words & {'Callable', 'Mapping'}))}"]
    lines += ["from typing import Any, NamedTuple", "", "import numpy as np"]
    special = sorted(name for name in _SCIPY if re.search(rf"(?<![\w.\"]){name}\(", text))
    return [*lines, f"from scipy.special import {', '.join(special)}"] if special else lines


def _pieces(module: ModuleType) -> Iterable[_Piece]:
    assert module.__file__ is not None
    source = Path(module.__file__).read_text(encoding="utf-8")
    lines = source.splitlines()
    for node in ast.parse(source).body:
        name = _name(node)
        if name:
            start = node.lineno - 1
            while lines[start - 1].startswith("#:"):
                start -= 1
            reads = frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name))
            yield _Piece(name, "\n".join(lines[start : node.end_lineno]), reads - {name})


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return ""
