"""What a matrix is taken apart into, entry by entry: its Cholesky factor and its inverse.

Each is a function of two indices: `CholeskyEntry(a, b, G)` is the entry in row a and column b of the factor of the
matrix whose entry there is G, an expression in a and b.
"""

from __future__ import annotations

from sympy import Expr


class MatrixFunction(Expr):  # type: ignore[misc]
    """Entry (a, b) of a function of the matrix with entries G: args (a, b, G)."""

    is_real = True
    is_commutative = True


class CholeskyEntry(MatrixFunction):
    """Of the lower triangular L with L Lᵀ = G."""


class CholeskyInverseEntry(MatrixFunction):
    """Of (G Gᵀ)⁻¹, G being a Cholesky factor."""


class WhiteningEntry(MatrixFunction):
    """Of G⁻¹, G being a Cholesky factor."""


class InverseEntry(MatrixFunction):
    """Of G⁻¹, G being no more than invertible."""
