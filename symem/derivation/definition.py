"""A line of the straight-line program that a derivation is: a named array over axes, and its value."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from symem.language.plates import Axis


@dataclass(frozen=True)
class Definition:
    """symbol[axes] := value.

    `symbol` is a `Symbol` or an `Indexed` over exactly the index symbols of `axes`; `value` may hold
    `Sum`s with 0-based limits, `Iverson` brackets, and any symbol defined before it.
    """

    symbol: Expr
    axes: tuple[Axis, ...]
    value: Expr
