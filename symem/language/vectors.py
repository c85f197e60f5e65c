"""The rows of the table whose values are vectors or matrices, written in traces and log-determinants."""

from __future__ import annotations

from typing import Any

from sympy import Expr, Indexed, IndexedBase, MatrixBase, MatrixExpr, Sum, log, loggamma, pi

from symem.errors import ModelError, ShapeError
from symem.language.family import Distribution, Family, Printed
from symem.language.leaves import IndexedMatrix, name_of
from symem.language.matrices import COORDINATE, shape, transpose
from symem.language.matrix_supports import PositiveDefinite
from symem.language.operators import dressed, plain
from symem.language.singular import Reach
from symem.language.stated import as_sympy, expression
from symem.language.supports import Positive, Reals
from symem.language.traces import LogDet, inverse, trace
from symem.language.transcription import dimensions
from symem.runtime.samplers import _draw_multivariate_normal, _draw_multivariate_t


def quadratic_form(residual: Expr, covariance: Expr) -> Expr:
    """rᵀ S⁻¹ r."""
    return trace(transpose(residual) * inverse(covariance) * residual, 1)


def _normal(x: Expr, mean: Expr, covariance: Expr) -> Expr:
    if reach := Reach.of(covariance):
        return reach.log_density(x - mean)
    size = shape(x)[0]
    return -size * log(2 * pi) / 2 - LogDet(covariance, size) / 2 - quadratic_form(x - mean, covariance) / 2


def _student(x: Expr, mean: Expr, scale: Expr, nu: Expr) -> Expr:
    size = shape(x)[0]
    constant = loggamma((nu + size) / 2) - loggamma(nu / 2) - size * log(nu * pi) / 2
    return (
        constant - LogDet(scale, size) / 2 - (nu + size) * log(1 + quadratic_form(x - mean, scale) / nu) / 2
    )


def log_multivariate_gamma(value: Expr, size: Expr) -> Expr:
    """log Γ_d(a) = d (d - 1)/4 log π + Σ_j log Γ(a - j/2), j = 0 … d - 1."""
    terms = Sum(loggamma(value - COORDINATE / 2), (COORDINATE, 0, size - 1))
    return size * (size - 1) * log(pi) / 4 + terms


def _wishart(x: Expr, nu: Expr, scale: Expr) -> Expr:
    size = shape(x)[0]
    constant = -nu * size * log(2) / 2 - nu * LogDet(scale, size) / 2 - log_multivariate_gamma(nu / 2, size)
    return constant + (nu - size - 1) * LogDet(x, size) / 2 - trace(inverse(scale) * x, size) / 2


def _inverse_wishart(x: Expr, nu: Expr, scale: Expr) -> Expr:
    size = shape(x)[0]
    constant = -nu * size * log(2) / 2 + nu * LogDet(scale, size) / 2 - log_multivariate_gamma(nu / 2, size)
    return constant - (nu + size + 1) * LogDet(x, size) / 2 - trace(scale * inverse(x), size) / 2


_NORMAL = Family(
    "MultivariateNormal",
    {"mean": Reals(), "covariance": PositiveDefinite()},
    _normal,
    lambda *_: Reals(),
    _draw_multivariate_normal,
    printed=Printed("multivariate Normal", r"\mathcal{N}"),
)


_STUDENT = Family(
    "MultivariateT",
    {"mean": Reals(), "scale": PositiveDefinite(), "nu": Positive()},
    _student,
    lambda *_: Reals(),
    _draw_multivariate_t,
)
_WISHART = Family(
    "Wishart", {"nu": Positive(), "scale": PositiveDefinite()}, _wishart, lambda *_: PositiveDefinite()
)
_INVERSE_WISHART = Family(
    "InverseWishart",
    {"nu": Positive(), "scale": PositiveDefinite()},
    _inverse_wishart,
    lambda *_: PositiveDefinite(),
)

#: The laws of vectors, and those of matrices.
OF_VECTORS = frozenset({"MultivariateNormal", "MultivariateT"})
OF_MATRICES = frozenset({"Wishart", "InverseWishart"})


def MultivariateNormal(mean: Any, covariance: Any = None, *, precision: Any = None) -> Distribution:
    """A vector: `MultivariateNormal(mu[z[i]], Sigma[z[i]])`, or `MultivariateNormal(mu, precision=Lambda)`.

    log p(x) = -(d log 2π + log det Σ + (x - μ)ᵀ Σ⁻¹ (x - μ))/2, with Σ the covariance.

    Parameters
    ----------
    mean : matrix expression
        a d × 1 matrix expression.
    covariance : matrix expression, optional
        a symmetric d × d matrix expression; `s*Identity(d)` and `diag(v)` among them.
    precision : matrix expression, optional
        its inverse, in its place.

    Returns
    -------
    Distribution
        to stand behind a variable in a `Model`.

    Raises
    ------
    ModelError
        neither or both of covariance and precision are given.
    ShapeError
        the shapes are others.
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


def MultivariateT(mean: Any, scale: Any, nu: Any) -> Distribution:
    """A vector with heavy tails: `MultivariateT(mu, Sigma, nu)`, a normal whose covariance is Sigma/u, u ~ Gamma(nu/2, 2/nu).

    log p(x) = log Γ((ν + d)/2) - log Γ(ν/2) - (d log νπ + log det Σ + (ν + d) log(1 + (x - μ)ᵀ Σ⁻¹ (x - μ)/ν))/2.

    Parameters
    ----------
    mean : matrix expression
        a d × 1 matrix expression.
    scale : matrix expression
        a symmetric d × d matrix expression, no covariance: that is nu/(nu - 2) times as large.
    nu : Expr
        the degrees of freedom.

    Returns
    -------
    Distribution
        to stand behind a variable in a `Model`.

    Raises
    ------
    ShapeError
        the shapes are others.
    """
    centre = matrix(mean, "The mean of MultivariateT")
    spread = matrix(scale, "The scale of MultivariateT")
    check_centre(centre, spread, "MultivariateT")
    return Distribution(_STUDENT, (centre, spread, expression(nu, "The degrees of freedom of MultivariateT")))


def Wishart(nu: Any, scale: Any) -> Distribution:
    """A prior of precisions, with mean nu·scale: `prior={Lambda[k]: …}`.

    log p(Λ) = ((ν - d - 1) log det Λ - tr(S⁻¹Λ))/2 + a constant, with S the scale.

    Parameters
    ----------
    nu : Expr
        the degrees of freedom, more than d - 1.
    scale : matrix expression
        a symmetric d × d matrix expression.

    Returns
    -------
    Distribution
        to stand behind a variable in a `Model`.

    Raises
    ------
    ShapeError
        the scale is not square.
    """
    return _of_matrices(_WISHART, nu, scale)


def InverseWishart(nu: Any, scale: Any) -> Distribution:
    """A prior of covariances, with mean scale/(nu - d - 1): `prior={Sigma[k]: …}`.

    log p(Σ) = -((ν + d + 1) log det Σ + tr(SΣ⁻¹))/2 + a constant, with S the scale.

    Parameters
    ----------
    nu : Expr
        the degrees of freedom, more than d - 1.
    scale : matrix expression
        a symmetric d × d matrix expression.

    Returns
    -------
    Distribution
        to stand behind a variable in a `Model`.

    Raises
    ------
    ShapeError
        the scale is not square.
    """
    return _of_matrices(_INVERSE_WISHART, nu, scale)


def _of_matrices(family: Family, nu: Any, scale: Any) -> Distribution:
    spread = matrix(scale, f"The scale of {family.name}")
    if spread.shape[0] != spread.shape[1]:
        raise ShapeError(
            f"The scale {spread} of {family.name} is {dimensions(spread.shape)}: it is square and symmetric."
        )
    return Distribution(family, (expression(nu, f"The degrees of freedom of {family.name}"), spread))


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


def check_value(value: Any, distribution: Distribution) -> None:
    """A vector has a law of vectors, a matrix one of matrices, a number one of numbers, and the dimensions agree.

    Raises:
        ShapeError: naming the shapes and what to write instead.
    """
    found = getattr(value, "shape", None) if isinstance(value, (MatrixExpr, IndexedMatrix)) else None
    for law in distribution.parts():
        wanted = _shape_of(law)
        if law.branches or law.family.is_point or found == wanted:
            continue
        if found and wanted is None:
            raise ShapeError(
                f"{value} is {dimensions(found)}, but {law.name} is a law of numbers: write MultivariateNormal for a vector."
            )
        if found is None and wanted:
            raise ShapeError(
                f"{value} is a number, but {law} is a law of {dimensions(wanted)} matrices: write "
                f"{_name(value)} = {_leaf(value, wanted)}."
            )
        if found and wanted:
            raise ShapeError(
                f"{value} is {dimensions(found)}, but {law} is a law of {dimensions(wanted)} matrices: give both one "
                f"dimension."
            )


def _shape_of(law: Distribution) -> tuple[Any, Any] | None:
    if law.name in OF_VECTORS:
        found: tuple[Any, Any] = law.arguments[0].shape
        return found
    return law.arguments[1].shape if law.name in OF_MATRICES else None


def _name(value: Any) -> str:
    return name_of(value)


def _leaf(value: Any, wanted: tuple[Any, Any]) -> str:
    sizes = ", ".join(map(str, wanted))
    if not isinstance(value, (Indexed, IndexedBase)):
        return f"MatrixSymbol({_name(value)!r}, {sizes})"
    kind = f"IndexedVector({_name(value)!r}, {wanted[0]})"
    return kind if wanted[1] == 1 else f"IndexedMatrix({_name(value)!r}, {sizes})"


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
