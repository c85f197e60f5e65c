"""Supports: the sets that data, latents and parameters live in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sympy import Expr, Integer, S, oo, pi

from symem.errors import ModelError, SupportError
from symem.language.stated import expression


@dataclass(frozen=True)
class Support:
    """A set. `assumptions` are what SymPy may take for granted of its members."""

    assumptions: ClassVar[dict[str, bool]] = {"real": True}
    discrete: ClassVar[bool] = False

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        """Infimum and supremum."""
        return (-oo, oo)

    def admits(self, number: Expr) -> bool:
        """Whether a number lies in the closure of the set, an open end at a finite bound excluded for half-lines."""
        low, high = self.bounds
        inside = number.is_real is not False and number >= low and number <= high
        return bool(inside) and not (self.assumptions.get("positive") and number.is_zero and high == oo)

    def __str__(self) -> str:
        return type(self).__name__


def as_support(stated: Any, owner: Any) -> Support:
    """A support as the user wrote it; `Positive` is taken for `Positive()`.

    Raises:
        SupportError: it is none.
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


@dataclass(frozen=True)
class Positive(Support):
    """The open half-line (0, oo)."""

    assumptions: ClassVar[dict[str, bool]] = {"positive": True}

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (S.Zero, oo)


@dataclass(frozen=True)
class NonNegative(Support):
    """The closed half-line [0, oo)."""

    assumptions: ClassVar[dict[str, bool]] = {"nonnegative": True}

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (S.Zero, oo)


@dataclass(frozen=True)
class UnitInterval(Support):
    """The open interval (0, 1)."""

    assumptions: ClassVar[dict[str, bool]] = {"positive": True}

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (S.Zero, S.One)


@dataclass(frozen=True)
class Interval(Support):
    """The interval from `lower` to `upper`; its ends may be data, never parameters."""

    lower: Expr = -oo
    upper: Expr = oo

    def __init__(self, lower: Any = -oo, upper: Any = oo) -> None:
        object.__setattr__(self, "lower", _end(lower, self))
        object.__setattr__(self, "upper", _end(upper, self))

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (self.lower, self.upper)

    def __str__(self) -> str:
        return f"Interval({self.lower}, {self.upper})"


@dataclass(frozen=True)
class Circle(Support):
    """The angles in (-π, π]: the points of the circle, of which every real number names one."""

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (-pi, pi)

    def admits(self, number: Expr) -> bool:
        return number.is_real is not False


@dataclass(frozen=True)
class Symmetric(Support):
    """The symmetric matrices."""

    def __str__(self) -> str:
        return "symmetric"


@dataclass(frozen=True)
class PositiveDefinite(Support):
    """The symmetric positive definite matrices."""

    def admits(self, number: Expr) -> bool:
        """Whether a multiple of the identity is positive definite."""
        return bool(number.is_positive)

    def __str__(self) -> str:
        return "positive definite"


@dataclass(frozen=True)
class Simplex(Support):
    """Positive numbers that sum to one over the last `axes` indices of an array, or over a tuple."""

    axes: int = 1
    assumptions: ClassVar[dict[str, bool]] = {"positive": True}

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (S.Zero, S.One)

    def __str__(self) -> str:
        return "Simplex" if self.axes == 1 else f"Simplex(axes={self.axes})"


@dataclass(frozen=True)
class Binary(Support):
    """{0, 1}."""

    assumptions: ClassVar[dict[str, bool]] = {"nonnegative": True}
    discrete: ClassVar[bool] = True

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (S.Zero, S.One)


@dataclass(frozen=True)
class Labels(Support):
    """{0, ..., size - 1}; `origin` is what the declared index counts from."""

    size: Expr
    origin: int = 0
    assumptions: ClassVar[dict[str, bool]] = {"integer": True, "nonnegative": True}
    discrete: ClassVar[bool] = True

    def __init__(self, size: Any, origin: int = 0) -> None:
        object.__setattr__(self, "size", _end(size, self))
        object.__setattr__(self, "origin", origin)

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (S.Zero, self.size - 1)

    def __str__(self) -> str:
        return f"Labels({self.size})"


@dataclass(frozen=True)
class OneHot(Support):
    """Rows of an array with a single 1 among zeros, over its last index."""

    assumptions: ClassVar[dict[str, bool]] = {"nonnegative": True}
    discrete: ClassVar[bool] = True

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (S.Zero, S.One)


@dataclass(frozen=True)
class Counts(Support):
    """The integers from `lower` to `upper`, by default all naturals; the ends may be data."""

    lower: Expr = Integer(0)
    upper: Expr = oo
    assumptions: ClassVar[dict[str, bool]] = {"nonnegative": True}
    discrete: ClassVar[bool] = True

    def __init__(self, lower: Any = 0, upper: Any = oo) -> None:
        object.__setattr__(self, "lower", _end(lower, self))
        object.__setattr__(self, "upper", _end(upper, self))

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        return (self.lower, self.upper)

    def __str__(self) -> str:
        return "Counts" if self.bounds == (0, oo) else f"Counts({self.lower}, {self.upper})"


def _end(stated: Any, owner: Support) -> Expr:
    try:
        return expression(stated, f"{type(owner).__name__}: an end or a size")
    except ModelError as error:
        raise SupportError(str(error)) from None
