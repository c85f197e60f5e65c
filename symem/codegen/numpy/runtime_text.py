"""The runtime as text: its modules one after the other, the same for every model."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

from symem.codegen.ir.functions import SCIPY
from symem.runtime import (
    acceleration,
    affine_scans,
    ancestry,
    bessel_orders,
    blocks,
    bootstrap,
    branch_messages,
    charts,
    checks,
    chunks,
    climbing,
    collapse,
    convergence,
    conversion,
    description,
    distinct,
    draws,
    edges,
    em_steps,
    estimators,
    falls,
    fitting,
    free_vector,
    gamma_intervals,
    gauss_hermite,
    held_ends,
    in_words,
    kernels,
    loop,
    lost_messages,
    messages,
    met_before,
    monomials,
    newton,
    observed_information,
    outcome,
    parted,
    precision,
    progress,
    reference,
    refining,
    restarts,
    results,
    row_scores,
    rows_of_x,
    samplers,
    saving,
    sequences,
    settings,
    sigma_points,
    simulation,
    solver,
    standard_errors,
    states,
    states_on_trees,
    supplemented,
    tangents,
    with_scipy,
    wording,
)

_MODULES: Sequence[ModuleType] = (
    wording,
    convergence,
    falls,
    loop,
    restarts,
    outcome,
    conversion,
    sequences,
    description,
    settings,
    kernels,
    lost_messages,
    messages,
    branch_messages,
    ancestry,
    affine_scans,
    met_before,
    states,
    states_on_trees,
    reference,
    distinct,
    checks,
    charts,
    free_vector,
    acceleration,
    monomials,
    chunks,
    sigma_points,
    collapse,
    blocks,
    draws,
    edges,
    newton,
    climbing,
    em_steps,
    parted,
    progress,
    saving,
    tangents,
    held_ends,
    standard_errors,
    observed_information,
    row_scores,
    supplemented,
    bootstrap,
    precision,
    in_words,
    results,
    fitting,
    refining,
    samplers,
    simulation,
    solver,
    rows_of_x,
    estimators,
)
#: What all of it imports, beside what a model does.
_IMPORTS = (
    "import contextlib",
    "import importlib",
    "import inspect",
    "import json",
    "import math",
    "import numbers",
    "import os",
    "import shutil",
    "import sys",
    "import time",
    "import warnings",
    "from collections.abc import Callable, Iterable, Iterator, Mapping",
    "from functools import cached_property",
    "from pathlib import Path",
    "from statistics import NormalDist",
    "from typing import ClassVar, Protocol, Self, TypeVar",
)


@cache
def runtime() -> str:
    """What it imports, and all definitions, to stand below a model."""
    imports = "\n".join(f"{each}  # noqa: E402" for each in _IMPORTS)
    return f"{imports}\n\n{_body()}"


def standing_alone() -> str:
    """The same as the text of a module of its own."""
    *plain, typing = _IMPORTS
    imports = [
        *plain,
        typing.replace("import ClassVar, ", "import Any, ClassVar, NamedTuple, "),
        "",
        "import numpy as np",
    ]
    return "\n".join(["from __future__ import annotations", "", *imports, "", _body()])


@cache
def _body() -> str:
    """All definitions, each module under the first line of its docstring."""
    return "\n\n\n".join(f"# {_title(module)}\n\n\n{_definitions(module)}" for module in _MODULES)


@cache
def definitions() -> tuple[str, ...]:
    """The names that the runtime defines, in order."""
    return tuple(name for module in _MODULES for name, _ in pieces(module))


def special_functions(wanted: Iterable[str]) -> list[str]:
    """The definitions of those functions that need SciPy, with those they call."""
    return _of_modules((with_scipy, gamma_intervals, bessel_orders), wanted)


def of_quadrature(wanted: Iterable[str]) -> list[str]:
    """The same of those that quadrature needs."""
    return _of_modules((gauss_hermite,), wanted)


def _of_modules(modules: Iterable[ModuleType], wanted: Iterable[str]) -> list[str]:
    known = dict(each for module in modules for each in pieces(module))
    waiting, found = set(wanted) & known.keys(), set[str]()
    while waiting:
        found |= waiting
        waiting = {name for each in waiting for name in known if name in _names(known[each])} - found
    return [text for name, text in known.items() if name in found]


def from_scipy(texts: Iterable[str]) -> list[str]:
    """The functions of scipy.special that the texts call."""
    return sorted(set().union(*map(_names, texts)) & (SCIPY | _imported()))


@cache
def _imported() -> frozenset[str]:
    """What the special functions take from scipy.special."""
    both = (ast.parse(_text(module)).body for module in (with_scipy, gamma_intervals, bessel_orders))
    imports = (node for body in both for node in body if isinstance(node, ast.ImportFrom))
    return frozenset(each.name for node in imports if node.module == "scipy.special" for each in node.names)


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _text(module: ModuleType) -> str:
    assert module.__file__ is not None
    return Path(module.__file__).read_text(encoding="utf-8").replace("\r\n", "\n")


def _title(module: ModuleType) -> str:
    assert module.__doc__ is not None
    return module.__doc__.partition("\n")[0]


def _definitions(module: ModuleType) -> str:
    """The text below the imports."""
    text = _text(module)
    last = [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)][-1]
    return "\n".join(text.splitlines()[last.end_lineno :]).strip()


@cache
def pieces(module: ModuleType) -> tuple[tuple[str, str], ...]:
    """The definitions at the top of a module, by name."""
    lines = _text(module).splitlines()
    named = ((_name(node), node) for node in ast.parse("\n".join(lines)).body)
    return tuple((name, "\n".join(lines[node.lineno - 1 : node.end_lineno])) for name, node in named if name)


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""
