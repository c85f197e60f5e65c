"""How Gaussian states are multiplied and inverted: as vectors, or as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Add, Expr, Integer, log, pi, sqrt

from symem.language.matrices import MatrixEntry, letters, shape, transpose
from symem.language.singular import Reach
from symem.language.traces import inverse, log_det, trace, words


@dataclass(frozen=True)
class Algebra:
    """How states are multiplied: as vectors of that many entries, or as numbers where it is none."""

    vector: Expr | None

    @property
    def size(self) -> Expr:
        return Integer(1) if self.vector is None else self.vector

    def times(self, one: Expr, other: Expr) -> Expr:
        """A product multiplied out, what cancels being gone."""
        if self.vector is None:
            return (one * other).expand()
        return Add(*(coefficient * word for coefficient, word in words(one * other)))

    def transpose(self, value: Expr) -> Expr:
        return value if self.vector is None else transpose(value)

    def inverse(self, value: Expr) -> Expr:
        return 1 / value if self.vector is None else inverse(value)

    def spread(self, precision: Expr) -> Expr:
        """The covariance of a precision, of one without full rank on what it reaches."""
        columns = None if self.vector is None else _columns(precision)
        if columns is None:
            return self.inverse(precision)
        inner = self.inverse(self.times(transpose(columns) * precision, columns))
        return self.times(columns, inner * transpose(columns))

    def log_volume(self, variance: Expr) -> Expr:
        """log det (2π Q), on what Q reaches."""
        reach = None if self.vector is None else Reach.of(variance)
        if reach is None:
            return self.log_det(variance) + self.size * log(2 * pi)
        return reach.log_volume + reach.rank * log(2 * pi)

    def around(self, outer: Expr, inner: Expr) -> Expr:
        """F P Fᵀ."""
        return outer**2 * inner if self.vector is None else outer * inner * transpose(outer)

    def form(self, one: Expr, matrix: Expr, other: Expr) -> Expr:
        """aᵀMb."""
        return one * matrix * other if self.vector is None else trace(transpose(one) * matrix * other, 1)

    def log_det(self, value: Expr) -> Expr:
        if self.vector is None:
            return 2 * log(sqrt(value)) if value.is_number else log(value)
        return log_det(value, self.vector)


def _columns(precision: Expr) -> Expr | None:
    """G, where a precision is G (GᵀG)⁻¹ M⁻¹ (GᵀG)⁻¹ Gᵀ; None of one of full rank."""
    found = {letters(word)[0] for _, word in words(precision) if word != 1}
    first = found.pop() if len(found) == 1 else None
    tall = isinstance(first, MatrixEntry) and shape(first)[0] != shape(first)[1]
    return first if tall else None
