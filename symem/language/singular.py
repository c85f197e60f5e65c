"""Covariances without full rank, G M Gᵀ with more rows than columns in G: a law on what G reaches from the mean.

Off the mean by G e, e ~ Normal(0, M), with probability one: the density is that of the coordinates on an orthonormal basis of
the columns of G, and a hard constraint says that nothing is left beside them (Rao 1973, section 8a.4).
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Eq, Expr, Mul, S, log, pi

from symem.language.matrices import MatrixEntry, T, is_matrix, letters, shape, transpose, word_of
from symem.language.plates import LogIverson
from symem.language.traces import LogDet, inverse, log_det, trace


@dataclass(frozen=True)
class Reach:
    """G, of more rows than columns, and M of a covariance G M Gᵀ."""

    columns: Expr
    inner: Expr

    @classmethod
    def of(cls, covariance: Expr) -> Reach | None:
        """None of what is no such product."""
        if not is_matrix(covariance) or covariance.is_Add:
            return None
        commuting, word = covariance.args_cnc()
        sequence = letters(word_of(word))
        first = sequence[0]
        if not isinstance(first, MatrixEntry) or len(sequence) < 2 or sequence[-1] != T(first):
            return None
        rows, columns = shape(first)
        if rows == columns or (columns - rows).is_nonnegative:
            return None
        return cls(first, Mul(*commuting) * word_of(sequence[1:-1]))

    @property
    def rank(self) -> Expr:
        return shape(self.columns)[1]

    @property
    def left_inverse(self) -> Expr:
        """(GᵀG)⁻¹ Gᵀ."""
        return inverse(self._gram) * T(self.columns)

    @property
    def _gram(self) -> Expr:
        return T(self.columns) * self.columns

    @property
    def log_volume(self) -> Expr:
        """The logarithm of the product of the eigenvalues of G M Gᵀ that are not 0."""
        return log_det(self._small(self.inner), self.rank) + log_det(self._small(self._gram), self.rank)

    def _small(self, matrix: Expr) -> Expr:
        """The number that a matrix of one row is."""
        return trace(matrix, 1) if is_matrix(matrix) and self.rank == 1 else matrix

    def log_density(self, residual: Expr) -> Expr:
        """Of a vector less its mean."""
        noise = self.left_inverse * residual
        beside = residual - self.columns * noise
        form = trace(transpose(noise) * inverse(self.inner) * noise, 1)
        volume = sum(LogDet(self._small(each), self.rank) for each in (self.inner, self._gram))
        soft = -self.rank * log(2 * pi) / 2 - volume / 2 - form / 2
        return soft + LogIverson(Eq(trace(transpose(residual) * beside, 1), S.Zero, evaluate=False))
