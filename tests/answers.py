"""The files of numbers, the references that go with them, and ways to move about in a parameter space."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

Values = dict[str, Any]
HERE = Path(__file__).parent
ZOO = tuple(sorted(path.stem for path in (HERE / "zoo").glob("*.json")))
BEYOND = tuple(sorted(path.stem for path in (HERE / "beyond").glob("*.json")))


@cache
def numbers(name: str) -> Values:
    """`tests/zoo/<name>.json` or `tests/beyond/<name>.json`, lists as arrays and null as NaN."""
    folder = "zoo" if name in ZOO else "beyond"
    read: Values = json.loads((HERE / folder / f"{name}.json").read_text())
    read["data"] = {name: _datum(value) for name, value in read["data"].items()}
    for key in ("start", "first", "fixed_point"):
        read[key] = {name: np.array(value, dtype=float) for name, value in read.get(key, {}).items()}
    return read


def written(value: Any, margin: str = "") -> str:
    """The text of a file of numbers: each name, and each row of an array, on a line of its own."""
    inner = margin + "  "
    if isinstance(value, dict):
        lines = [f"{json.dumps(name)}: {written(each, inner)}" for name, each in value.items()]
    elif isinstance(value, list) and any(isinstance(each, list) for each in value):
        lines = [written(each, inner) for each in value]
    else:
        return json.dumps(value, ensure_ascii=False)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if not lines:
        return opening + closing
    return f"{opening}\n{inner}" + f",\n{inner}".join(lines) + f"\n{margin}{closing}"


def _datum(value: Any) -> Any:
    array = np.array(value, dtype=float)
    whole = (np.isfinite(array) & (array == np.round(array))).all()
    return (array.astype(int) if whole else array) if array.ndim else value


def reference(name: str) -> ModuleType:
    """`tests/references/<name>.py`."""
    return importlib.import_module(f"tests.references.{name}")


def gap(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """The largest difference between two sets of parameters, relative above 1 and absolute below."""
    assert set(one) == set(other)
    return max(float(np.max(np.abs(one[name] - other[name]) / (1 + np.abs(other[name])))) for name in other)


def _by_factor(value: Any, shift: Any) -> Any:
    return value * np.exp(shift)


def _by_odds(value: Any, shift: Any) -> Any:
    odds = value / (1 - value) * np.exp(shift)
    return odds / (1 + odds)


def _on_rows(value: Any, shift: Any) -> Any:
    moved = value * np.exp(shift)
    return moved / moved.sum(axis=-1, keepdims=True)


def _on_whole(value: Any, shift: Any) -> Any:
    moved = value * np.exp(shift)
    return moved / moved.sum()


def _on_cone(value: Any, shift: Any) -> Any:
    """L exp(s) Lᵀ with L Lᵀ the value and s the symmetric part of the shift."""
    root = np.linalg.cholesky(value)
    sizes, axes = np.linalg.eigh((shift + np.swapaxes(shift, -1, -2)) / 2)
    scaled = root @ axes * np.exp(sizes / 2)[..., None, :]
    return scaled @ np.swapaxes(scaled, -1, -2)


MOVES: dict[str, Callable[[Any, Any], Any]] = {
    "real": lambda value, shift: value + shift,
    "pos": _by_factor,
    "unit": _by_odds,
    "simplex": _on_rows,
    "simplex_all": _on_whole,
    "spd": _on_cone,
}


def move(file: Values, theta: Values, direction: Values, length: float) -> Values:
    """Walk inside the parameter space: a straight line in coordinates that have no walls."""
    kinds = file["parameters"]
    return {name: MOVES[kinds[name]](value, length * direction[name]) for name, value in theta.items()}


def direction(theta: Values, seed: int) -> Values:
    """A random direction."""
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(np.shape(value)) for name, value in theta.items()}
