"""Numbers of which squares must be 0: the subspace on which they are, and what a density against its measure is worth.

A demand eᵀNe = 0, N the projection on some directions of e = C z - c, is that a delta function of these directions of e stands
in the density of z. Over the subspace z = z₀ + B u, B orthonormal, it leaves det'(CᵀNC)^(-1/2), the product of the
eigenvalues that are not 0 (the coarea formula; Federer 1969, section 3.2.12).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symem.verification.enumeration import TooLargeError
from symem.verification.gaussian_integrals import Gaussian, expanded, first_guess

Array = np.ndarray[Any, np.dtype[Any]]

#: Of the largest eigenvalue, or of that of a projection, below which one is 0.
_NONE = 1e-9


@dataclass(frozen=True)
class Subspace:
    """At each row z = origin + basis u, and the logarithm of what the demands leave."""

    origin: Array
    basis: Array
    log_volume: Array

    @classmethod
    def of(cls, squares: Callable[[Array], Array], rows: int, width: int) -> Subspace:
        """Where quadratics of points (rows, nodes, points, variables) that are nowhere negative vanish.

        Raises:
            TooLargeError: they do nowhere, or not in as many dimensions at every row.
        """
        value, slope, curvature = (each[:, 0] for each in expanded(squares, first_guess((rows, 1), width)))
        sizes, axes = np.linalg.eigh(curvature)
        bound = sizes > _NONE * np.maximum(sizes[:, -1:], 1.0)
        free = int(width - bound[0].sum())
        inverse = np.where(bound, 1 / np.where(bound, sizes, 1.0), 0.0)
        origin = -np.einsum("rab,rb,rcb,rc->ra", axes, inverse, axes, slope)
        left = abs(value + np.einsum("ra,ra->r", slope, origin) / 2)
        slopes = abs(slope + np.einsum("rab,rb->ra", curvature, origin)).max(axis=1)
        is_square = np.maximum(left, slopes) <= _NONE * (1 + abs(value) + abs(slope).max(axis=1))
        if (width - bound.sum(axis=1) != free).any() or not is_square.all():
            raise TooLargeError("what is demanded of the latents holds on no subspace of one dimension")
        log_volume = -np.log(np.where(bound, sizes / 2, 1.0)).sum(axis=1) / 2
        return cls(origin, axes[:, :, :free], log_volume)

    @property
    def width(self) -> int:
        return int(self.basis.shape[-1])

    def repeated(self, points: int) -> Subspace:
        """The same at every point."""
        return Subspace(*(np.concatenate([each] * points) for each in vars(self).values()))

    def at(self, points: Array) -> Array:
        """z at u (rows, nodes, points, coordinates)."""
        return np.asarray(self.origin[:, None, None] + np.einsum("rab,rnpb->rnpa", self.basis, points))

    def lifted(self, found: Gaussian) -> Gaussian:
        """A Gaussian over u as one over z."""
        return Gaussian(
            self.origin[:, None] + np.einsum("rab,rnb->rna", self.basis, found.mean),
            np.einsum("rab,rnbc->rnac", self.basis, found.factor),
            found.log_mass + self.log_volume[:, None],
        )
