"""Means as functions: of nothing, a mean is 0 while parts are pooled, and undetermined in the end."""

from __future__ import annotations

from sympy import Function


class Mean(Function):  # type: ignore[misc]
    """Σ w f / Σ w, and 0 where no weight is: args (Σ w f, Σ w)."""

    nargs = 2
    is_real = True


class Determined(Function):  # type: ignore[misc]
    """A mean, undetermined where no weight is: args (mean, Σ w)."""

    nargs = 2
    is_real = True
