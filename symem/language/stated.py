"""What a user stated, taken as SymPy; text is never read, because reading it would run it."""

from __future__ import annotations

from typing import Any

from sympy import Basic, Expr, MatrixBase, MatrixExpr, S, SympifyError, sympify

from symem.errors import ModelError, ShapeError
from symem.language.operators import OneByOne
from symem.language.transcription import dimensions, transcribed


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
    """A user's number, symbol or formula as a scalar expression; a matrix of one row and column is a number.

    Raises:
        ModelError: it is none; `what` opens the message.
        ShapeError: it is a vector or a matrix.
    """
    read = as_sympy(stated)
    if isinstance(read, (MatrixExpr, MatrixBase)):
        if read.shape != (1, 1):
            raise ShapeError(
                f"{what} must be a number, but {read} is {dimensions(read.shape)}: write u.T*v for the number that two "
                f"vectors make, or MultivariateNormal for a vector."
            )
        read = OneByOne(read)
    if not isinstance(read, Expr) or not transcribed(read).is_commutative:
        raise ModelError(f"{what} must be a scalar SymPy expression or a number, not {stated!r}.")
    if read.has(S.NaN, S.ComplexInfinity, S.ImaginaryUnit):
        raise ModelError(f"{what} is {read}, which is no real number.")
    return read
