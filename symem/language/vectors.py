"""The rows of the table whose values are vectors or matrices, written in traces and log-determinants."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Expr, MatrixBase, MatrixExpr, log, pi

from symem.errors import ModelError, ShapeError
from symem.language.family import Array, Distribution, Family
from symem.language.leaves import dressed, plain
from symem.language.matrices import LogDet, inverse, shape, trace, transpose
from symem.language.stated import as_sympy
from symem.language.supports import PositiveDefinite, Reals
from symem.language.transcription import dimensions


def quadratic_form(residual: Expr, covariance: Expr) -> Expr:
    """rᵀ S⁻¹ r."""
    return trace(transpose(residual) * inverse(covariance) * residual, 1)


def _normal(x: Expr, mean: Expr, covariance: Expr) -> Expr:
    size = shape(x)[0]
    return -size * log(2 * pi) / 2 - LogDet(covariance, size) / 2 - quadratic_form(x - mean, covariance) / 2


def _normal_sampler(rng: np.random.Generator, size: Any, mean: Any, covariance: Any) -> Array:
    """Plates `size`; means (…, d) and covariances (…, d, d) that broadcast to them."""
    root = np.linalg.cholesky(np.asarray(covariance, float))
    mean = np.asarray(mean, float)
    noise = rng.standard_normal((*np.atleast_1d(np.asarray(size, int)), root.shape[-1]))
    return np.asarray(mean + np.einsum("...ab,...b->...a", root, noise))


_NORMAL = Family(
    "MultivariateNormal",
    {"mean": Reals(), "covariance": PositiveDefinite()},
    _normal,
    lambda *_: Reals(),
    _normal_sampler,
)


def MultivariateNormal(mean: Any, covariance: Any = None, *, precision: Any = None) -> Distribution:
    """A vector: `MultivariateNormal(mu[z[i]], Sigma[z[i]])`, or `MultivariateNormal(mu, precision=Lambda)`.

    Args:
        mean: a d × 1 matrix expression.
        covariance: a symmetric d × d matrix expression; `s*Identity(d)` and `diag(v)` among them.
        precision: its inverse, in its place.

    Raises:
        ModelError: neither or both of covariance and precision are given.
        ShapeError: the shapes are others.
    """
    if (covariance is None) == (precision is None):
        raise ModelError(
            "MultivariateNormal takes (mean, covariance) or (mean, precision=…): give one of the two."
        )
    centre = matrix(mean, "The mean of MultivariateNormal")
    spread = (
        _inverted(precision)
        if covariance is None
        else matrix(covariance, "The covariance of MultivariateNormal")
    )
    check_centre(centre, spread, "MultivariateNormal")
    return Distribution(_NORMAL, (centre, spread))


def _inverted(precision: Any) -> Any:
    read = matrix(precision, "The precision of MultivariateNormal")
    if read.shape[0] != read.shape[1]:
        raise ShapeError(f"The precision {read} is {dimensions(read.shape)}: a precision is square.")
    return dressed(plain(read).inverse().doit())


def check_centre(centre: Any, spread: Any, owner: str) -> None:
    """A mean is a column, and its covariance as wide as it is long.

    Raises:
        ShapeError: naming both shapes.
    """
    if centre.shape[1] != 1:
        raise ShapeError(
            f"The mean {centre} of {owner} is {dimensions(centre.shape)}, but a vector is a column: write d × 1."
        )
    if spread.shape != (centre.shape[0], centre.shape[0]):
        raise ShapeError(
            f"{owner}: the mean {centre} is {dimensions(centre.shape)}, so its covariance is "
            f"{dimensions((centre.shape[0], centre.shape[0]))}, but {spread} is {dimensions(spread.shape)}; for a multiple of "
            f"the identity write s*Identity({centre.shape[0]})."
        )


def matrix(stated: Any, what: str) -> Any:
    """A user's matrix expression; `what` opens the message.

    Raises:
        ShapeError: it is a number.
        ModelError: it is no SymPy expression.
    """
    read = as_sympy(stated)
    if isinstance(read, (MatrixExpr, MatrixBase)):
        return read
    if read is None:
        raise ModelError(f"{what} must be a SymPy matrix expression, not {stated!r}.")
    raise ShapeError(
        f"{what} is the number {read}: write a matrix, such as {read}*Identity(d), ZeroMatrix(d, 1) or mu[k]."
    )
