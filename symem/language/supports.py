"""Supports: the sets that data, latents and parameters live in. A new set is one more class here; those of matrices are in
`matrix_supports`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sympy import Expr, Integer, S, oo, pi

from symem.errors import ModelError, SupportError
from symem.language.stated import expression
from symem.language.support import Ends, Shape, Support, Tex
from symem.runtime.charts import (
    Chart,
    CircleChart,
    SimplexChart,
)


def as_support(stated: Any, owner: Any) -> Support:
    """A support as the user wrote it; `Positive` is taken for `Positive()`.

    Raises
    ------
    SupportError
        it is none.
    """
    if isinstance(stated, type) and issubclass(stated, Support) and stated not in (Support, Labels):
        return stated()
    if isinstance(stated, Support):
        return stated
    what = "Labels(K)" if stated is Labels else "a support such as Positive() or Simplex()"
    raise SupportError(f"The support of {owner} must be {what}, not {stated!r}.")


@dataclass(frozen=True)
class Reals(Support):
    """The real line."""

    narrowness: ClassVar[int] = 0

    def in_latex(self, tex: Tex) -> str:
        return r"\mathbb{R}"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        return 2 * rng.normal(size=shape)


@dataclass(frozen=True)
class Positive(Support):
    """The open half-line (0, oo)."""

    ends: ClassVar[tuple[Expr, Expr]] = (S.Zero, oo)
    open: ClassVar[bool] = True
    assumptions: ClassVar[dict[str, bool]] = {"positive": True}
    narrowness: ClassVar[int] = 1
    words: ClassVar[str] = "positive"
    kind: ClassVar[str] = "positive"
    drawn: ClassVar[str] = "positive"

    def in_latex(self, tex: Tex) -> str:
        return r"(0, \infty)"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        return np.exp(0.4 * rng.normal(size=shape) + 0.3)


@dataclass(frozen=True)
class NonNegative(Support):
    """The closed half-line [0, oo)."""

    ends: ClassVar[tuple[Expr, Expr]] = (S.Zero, oo)
    assumptions: ClassVar[dict[str, bool]] = {"nonnegative": True}
    kind: ClassVar[str] = "nonnegative"
    drawn: ClassVar[str] = "positive"


@dataclass(frozen=True)
class UnitInterval(Support):
    """The open interval (0, 1)."""

    ends: ClassVar[tuple[Expr, Expr]] = (S.Zero, S.One)
    open: ClassVar[bool] = True
    assumptions: ClassVar[dict[str, bool]] = {"positive": True}
    narrowness: ClassVar[int] = 2
    kind: ClassVar[str] = "unit"
    drawn: ClassVar[str] = "unit"

    def in_latex(self, tex: Tex) -> str:
        return "(0, 1)"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        return rng.beta(4, 4, shape)


@dataclass(frozen=True)
class Interval(Support):
    """The interval from `lower` to `upper`; its ends may be data, never parameters.

    Parameters
    ----------
    lower : float or Expr
        its lower end; `-oo` for none.
    upper : float or Expr
        its upper end; `oo` for none.
    """

    lower: Expr = -oo
    upper: Expr = oo
    kind: ClassVar[str] = "extended"

    def __init__(self, lower: Any = -oo, upper: Any = oo) -> None:
        object.__setattr__(self, "lower", _end(lower, self))
        object.__setattr__(self, "upper", _end(upper, self))

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (self.lower, self.upper)

    @property
    def assumptions(self) -> dict[str, bool]:  # type: ignore[override]
        """That its members are real, and what the lower end says of their sign."""
        low = self.lower
        return {"positive" if low.is_positive else "nonnegative" if low.is_zero else "real": True}

    def __str__(self) -> str:
        return f"Interval({self.lower}, {self.upper})"


@dataclass(frozen=True)
class Circle(Support):
    """The angles in (-π, π]: the points of the circle, of which every real number names one."""

    ends: ClassVar[tuple[Expr, Expr]] = (-pi, pi)
    narrowness: ClassVar[int] = 1

    def admits(self, number: Expr) -> bool:
        return number.is_real is not False

    def in_latex(self, tex: Tex) -> str:
        return r"(-\pi, \pi]"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        return rng.uniform(-np.pi, np.pi, shape)

    def chart(self, values: np.ndarray) -> Chart:
        return CircleChart(values)


@dataclass(frozen=True)
class Simplex(Support):
    """Positive numbers that sum to one over the last `axes` indices of an array, or over a tuple.

    Parameters
    ----------
    axes : int
        over how many indices they sum to one.
    """

    ends: ClassVar[tuple[Expr, Expr]] = (S.Zero, S.One)
    axes: int = 1
    assumptions: ClassVar[dict[str, bool]] = {"positive": True}
    narrowness: ClassVar[int] = 4
    words: ClassVar[str] = "sums to 1"
    kind: ClassVar[str] = "simplex"

    def __str__(self) -> str:
        return "Simplex" if self.axes == 1 else f"Simplex(axes={self.axes})"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        outer, inner = shape[: len(shape) - self.axes], shape[len(shape) - self.axes :]
        return rng.dirichlet(np.full(int(np.prod(inner)), 4.0), size=outer).reshape(shape)

    def chart(self, values: np.ndarray) -> Chart:
        return SimplexChart(self._rows(values))

    def defect(self, values: np.ndarray) -> float:
        gaps = np.abs(self._rows(values).sum(axis=-1) - 1.0)
        return max(float(np.max(gaps, initial=0.0)), float(np.max(-values, initial=0.0)))

    def _rows(self, values: np.ndarray) -> np.ndarray:
        """The simplexes of an array, each a row."""
        return values.reshape(*values.shape[: values.ndim - self.axes], -1)


@dataclass(frozen=True)
class Binary(Support):
    """{0, 1}."""

    ends: ClassVar[tuple[Expr, Expr]] = (S.Zero, S.One)
    assumptions: ClassVar[dict[str, bool]] = {"nonnegative": True}
    discrete: ClassVar[bool] = True
    finite: ClassVar[bool] = True
    kind: ClassVar[str] = "binary"
    drawn: ClassVar[str] = "unit"

    def in_latex(self, tex: Tex) -> str:
        return r"\{0, 1\}"

    @property
    def number(self) -> Expr:
        return Integer(2)

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        return rng.integers(0, 2, shape)


@dataclass(frozen=True)
class Labels(Support):
    """{0, ..., size - 1}; `origin` is what the declared index counts from.

    Parameters
    ----------
    size : int or Symbol
        how many there are.
    origin : int
        the first value of the declared index.
    """

    size: Expr
    origin: int = 0
    assumptions: ClassVar[dict[str, bool]] = {"integer": True, "nonnegative": True}
    discrete: ClassVar[bool] = True
    finite: ClassVar[bool] = True
    kind: ClassVar[str] = "label"

    def __init__(self, size: Any, origin: int = 0) -> None:
        object.__setattr__(self, "size", _end(size, self))
        object.__setattr__(self, "origin", origin)

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (S.Zero, self.size - 1)

    def __str__(self) -> str:
        return f"Labels({self.size})"

    @property
    def first(self) -> int:
        return self.origin

    @property
    def number(self) -> Expr:
        return self.size

    def in_latex(self, tex: Tex) -> str:
        return r"\{1, \dots, " + tex(self.size) + r"\}"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        """Every label in its turn, shuffled: none is left out, as far as they go."""
        last = self.size - 1 if ends is None else np.max(ends[1])
        turns = np.arange(int(np.prod(shape, dtype=int))) % (int(last) + 1)
        return rng.permutation(turns).reshape(shape)


@dataclass(frozen=True)
class OneHot(Support):
    """Rows of an array with a single 1 among zeros, over its last index."""

    ends: ClassVar[tuple[Expr, Expr]] = (S.Zero, S.One)
    assumptions: ClassVar[dict[str, bool]] = {"nonnegative": True}
    discrete: ClassVar[bool] = True
    kind: ClassVar[str] = "binary"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        return np.eye(shape[-1], dtype=int)[rng.integers(0, shape[-1], shape[:-1])]


@dataclass(frozen=True)
class Counts(Support):
    """The integers from `lower` to `upper`, by default all naturals; the ends may be data.

    Parameters
    ----------
    lower : int or Expr
        the least.
    upper : int or Expr
        the largest; `oo` for none.
    """

    lower: Expr = Integer(0)
    upper: Expr = oo
    assumptions: ClassVar[dict[str, bool]] = {"nonnegative": True}
    discrete: ClassVar[bool] = True
    kind: ClassVar[str] = "count"
    drawn: ClassVar[str] = "count"

    def __init__(self, lower: Any = 0, upper: Any = oo) -> None:
        object.__setattr__(self, "lower", _end(lower, self))
        object.__setattr__(self, "upper", _end(upper, self))

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (self.lower, self.upper)

    def __str__(self) -> str:
        if self.lower == self.upper:
            return f"{{{self.lower}}}"
        return "Counts" if self.bounds == (0, oo) else f"Counts({self.lower}, {self.upper})"

    def in_latex(self, tex: Tex) -> str:
        low, high = self.bounds
        if low == high:
            return rf"\{{{tex(low)}\}}"
        shown = [tex(low), tex(low + 1), r"\dots"] if high == oo else [tex(low), r"\dots", tex(high)]
        return r"\{" + ", ".join(shown) + r"\}"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        low, high = ends or map(float, self.bounds)
        first = np.nan_to_num(low).astype(int)
        if not np.all(np.isfinite(high)):
            return first + 2 + rng.poisson(5, shape)
        return rng.integers(first, np.minimum(high, first + 9) + 1, shape)


@dataclass(frozen=True)
class Integers(Support):
    """The whole numbers, those below 0 too: a difference of counts."""

    assumptions: ClassVar[dict[str, bool]] = {"integer": True}
    discrete: ClassVar[bool] = True
    kind: ClassVar[str] = "integer"

    def in_latex(self, tex: Tex) -> str:
        return r"\mathbb{Z}"

    def member(self, rng: np.random.Generator, shape: Shape, ends: Ends | None = None) -> Any:
        return rng.poisson(4, shape) - rng.poisson(4, shape)


def _end(stated: Any, owner: Support) -> Expr:
    try:
        return expression(stated, f"{type(owner).__name__}: an end or a size")
    except ModelError as error:
        raise SupportError(str(error)) from None
