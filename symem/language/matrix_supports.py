"""Supports of square matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sympy import Expr

from symem.language.support import Ends, Shape, Support
from symem.runtime.charts import Chart, DefiniteChart, SymmetricChart


@dataclass(frozen=True)
class Symmetric(Support):
    """The symmetric matrices."""

    of_matrices: ClassVar[bool] = True
    narrowness: ClassVar[int] = 1
    words: ClassVar[str] = "symmetric"
    kind: ClassVar[str] = "symmetric"

    def __str__(self) -> str:
        return "symmetric"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        values = rng.normal(size=shape)
        return values + np.swapaxes(values, -1, -2)

    def chart(self, values: np.ndarray) -> Chart:
        return SymmetricChart(values)

    def defect(self, values: np.ndarray) -> float:
        return _asymmetry(values)


@dataclass(frozen=True)
class PositiveDefinite(Support):
    """The symmetric positive definite matrices."""

    of_matrices: ClassVar[bool] = True
    narrowness: ClassVar[int] = 2
    words: ClassVar[str] = "positive definite"
    kind: ClassVar[str] = "definite"

    def admits(self, number: Expr) -> bool:
        """Whether a multiple of the identity is positive definite."""
        return bool(number.is_positive)

    def __str__(self) -> str:
        return "positive definite"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        """Wishart matrices: well-conditioned, and far from diagonal."""
        root = rng.normal(size=(*shape[:-1], shape[-1] + 4))
        return root @ np.swapaxes(root, -1, -2) / (shape[-1] + 1)

    def chart(self, values: np.ndarray) -> Chart:
        return DefiniteChart(values)

    def defect(self, values: np.ndarray) -> float:
        return _asymmetry(values) if np.all(np.linalg.eigvalsh(values) > 0) else np.inf


def _asymmetry(values: np.ndarray) -> float:
    """How far matrices are from their transposes, relative to themselves."""
    gaps = np.abs(values - np.swapaxes(values, -1, -2)).max(axis=(-1, -2), initial=0.0)
    sizes = 1e-300 + np.abs(values).max(axis=(-1, -2), initial=0.0)
    return float(np.max(gaps / sizes, initial=0.0))
