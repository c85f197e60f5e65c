"""What a user stated, taken as SymPy; text is never read, because reading it would run it."""

from __future__ import annotations

from typing import Any

from sympy import Basic, Expr, S, SympifyError, sympify

from symem.errors import ModelError


def as_sympy(stated: Any) -> Basic | None:
    """The SymPy object that something is or stands for, or None."""
    if isinstance(stated, Basic):
        return stated
    try:
        read = sympify(stated, strict=True)
    except (SympifyError, TypeError, ValueError, AttributeError):
        return None
    return read if isinstance(read, Basic) else None


def expression(stated: Any, what: str) -> Expr:
    """A user's number, symbol or formula as a scalar expression.

    Raises:
        ModelError: it is none; `what` opens the message.
    """
    read = as_sympy(stated)
    if not isinstance(read, Expr) or not read.is_commutative or getattr(read, "is_Matrix", False):
        raise ModelError(f"{what} must be a scalar SymPy expression or a number, not {stated!r}.")
    if read.has(S.NaN, S.ComplexInfinity, S.ImaginaryUnit):
        raise ModelError(f"{what} is {read}, which is no real number.")
    return read
