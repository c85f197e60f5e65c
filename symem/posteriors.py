"""A posterior record as a distribution with the arguments of `sympy.stats`."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from sympy import Expr, Identity, Integer, MatrixExpr, ZeroMatrix, sqrt

from symem.derivation import (
    CellCounts,
    DirichletShares,
    Factor,
    GaussianStates,
    GaussianVector,
    MemberCounts,
    Posterior,
    Quadrature,
    Recognised,
    Table,
)
from symem.language.counting_families import Bernoulli
from symem.language.families import FAMILIES, Categorical, Dirichlet, Multinomial
from symem.language.family import Distribution, Family
from symem.language.real_families import Normal
from symem.language.supports import Counts, Interval, NonNegative, Reals
from symem.language.vectors import MultivariateNormal

Show = Callable[[Expr], Expr]


def as_distribution(posterior: Posterior, show: Show, named: Show) -> Distribution:
    """The posterior with its arguments passed through `show`, in the parameter order of `sympy.stats`.

    A family on a part of its range carries the arguments of its record followed by the ends; one of weights at nodes its mean,
    its variance and its log-normaliser by the names that they have, passed through `named`.
    """
    match posterior:
        case Table():
            return _label(posterior, show)
        case CellCounts() | MemberCounts():
            row = FAMILIES.get(posterior.family, Multinomial)
            return row(show(posterior.trials), show(posterior.probability.symbol))
        case DirichletShares():
            return Dirichlet(*map(show, posterior.own))
        case Recognised():
            return _recognised(posterior, show)
        case GaussianStates() if not posterior.latent.shape:
            return Normal(show(posterior.mean), sqrt(show(posterior.covariance)))
        case GaussianVector() | GaussianStates():
            return _normal_vector(show(posterior.mean), show(posterior.covariance))
        case Quadrature():
            return _at_nodes(posterior, named)
        case _:
            assert_never(posterior)


def of_factor(factor: Factor, show: Show) -> Distribution:
    """The law of a factor of a mean field, its arguments passed through `show`."""
    own = map(show, factor.own)
    if factor.row is not None:
        return factor.row(*own)
    if factor.family == Bernoulli.name:
        return Bernoulli(*own)
    return Dirichlet(*own) if factor.family == "Dirichlet" else Categorical(*own)


def _label(table: Table, show: Show) -> Distribution:
    probability = table.probability.symbol
    if table.family in FAMILIES:
        return FAMILIES[table.family](show(probability.xreplace({table.outcome.index: Integer(1)})))
    return Categorical(show(probability))


def _recognised(posterior: Recognised, show: Show) -> Distribution:
    if posterior.is_whole:
        return posterior.row(*map(show, posterior.own))
    return _on_part(posterior)(*map(show, (*posterior.arguments.values(), *posterior.bounds)))


def _on_part(posterior: Recognised) -> Family:
    """A family cut or shifted: its arguments, then the ends of its range."""
    names, face = tuple(posterior.arguments), posterior.face
    parameters = {name: face.argument(name).support for name in names}
    kind = Counts if posterior.row.home.discrete else Interval

    def log_density(value: Expr, *given: Expr) -> Expr:
        return face.log_density(value, dict(zip(names, given[:-2], strict=True)), (given[-2], given[-1]))

    return Family(
        posterior.family,
        {**parameters, "lower": Reals(), "upper": Reals()},
        log_density,
        lambda *given: kind(given[-2], given[-1]),
    )


def _at_nodes(posterior: Quadrature, show: Show) -> Distribution:
    """The density as it is, but for its normaliser, which is a sum over nodes; its mean and variance are such sums too."""
    density = show(posterior.log_density)

    def log_density(value: Expr, *given: Expr) -> Expr:
        return density.xreplace({show(posterior.atom): value}) - given[-1]

    parameters = {"mean": Reals(), "variance": NonNegative(), "log_normaliser": Reals()}
    row = Family(posterior.family, parameters, log_density, lambda *_: posterior.latent.support)
    moments = (posterior.mean, posterior.variance, posterior.log_normaliser)
    return row(*(show(each.symbol) for each in moments))


def _normal_vector(mean: Expr, covariance: Expr) -> Distribution:
    """Where no matrix stands, a number is that multiple of the identity, and 0 the vector of zeros."""
    sizes = [each.shape[0] for each in (mean, covariance) if isinstance(each, MatrixExpr)]
    if not isinstance(mean, MatrixExpr):
        mean = ZeroMatrix(sizes[0], 1)
    if not isinstance(covariance, MatrixExpr):
        covariance = covariance * Identity(sizes[0])
    return MultivariateNormal(mean, covariance)
