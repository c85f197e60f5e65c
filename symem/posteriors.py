"""A posterior record as a distribution with the arguments of `sympy.stats`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import assert_never

from sympy import Expr, Identity, Integer, MatrixExpr, S, ZeroMatrix, sqrt

from symem.derivation import CellCounts, GaussianVector, MemberCounts, Posterior, Recognised, Table
from symem.language.families import FAMILIES, Categorical, Distribution, Family, Multinomial
from symem.language.supports import Reals
from symem.language.vectors import MultivariateNormal

Show = Callable[[Expr], Expr]
Arguments = Mapping[str, Expr]
Bounds = tuple[Expr, ...]


def as_distribution(posterior: Posterior, show: Show) -> Distribution:
    """The posterior with its arguments passed through `show`, in the parameter order of `sympy.stats`.

    A family without a row there (truncated, shifted, generalised inverse Gaussian, …) carries the arguments
    of its record followed by the ends of its range.
    """
    match posterior:
        case Table():
            return _label(posterior, show)
        case CellCounts() | MemberCounts():
            row = FAMILIES["Binomial"] if posterior.family == "Binomial" else Multinomial
            return row(show(posterior.trials), show(posterior.probability.symbol))
        case Recognised():
            return _recognised(posterior, show)
        case GaussianVector():
            return _normal_vector(show(posterior.mean), show(posterior.covariance))
        case _:
            assert_never(posterior)


def _label(table: Table, show: Show) -> Distribution:
    probability = table.probability.symbol
    if table.family == "Bernoulli":
        return FAMILIES["Bernoulli"](show(probability.xreplace({table.outcome.index: Integer(1)})))
    return Categorical(show(probability))


def _recognised(posterior: Recognised, show: Show) -> Distribution:
    arguments = {name: show(value) for name, value in posterior.arguments.items()}
    bounds = tuple(show(end) for end in posterior.bounds)
    reading = _READINGS.get(posterior.family)
    if reading is None or bounds[0] != _HOME.get(posterior.family, bounds[0]):
        return _plain(posterior.family, arguments, bounds)
    return reading(arguments, bounds)


def _plain(name: str, arguments: Arguments, bounds: Bounds) -> Distribution:
    named = {**arguments, **dict(zip(("lower", "upper"), bounds, strict=False))}
    row = Family(name, dict.fromkeys(named, Reals()), lambda *_: S.Zero, lambda *_: Reals())
    return row(*named.values())


#: Where a family's range begins if it is neither shifted nor truncated.
_HOME: Mapping[str, Expr] = {"Poisson": S.Zero, "Geometric": S.One, "Binomial": S.Zero, "Exponential": S.Zero}


def _normal_vector(mean: Expr, covariance: Expr) -> Distribution:
    """Where no matrix stands, a number is that multiple of the identity, and 0 the vector of zeros."""
    sizes = [each.shape[0] for each in (mean, covariance) if isinstance(each, MatrixExpr)]
    if not isinstance(mean, MatrixExpr):
        mean = ZeroMatrix(sizes[0], 1)
    if not isinstance(covariance, MatrixExpr):
        covariance = covariance * Identity(sizes[0])
    return MultivariateNormal(mean, covariance)


#: How a recognised family's arguments read in the parameter order of `sympy.stats`.
_READINGS: Mapping[str, Callable[[Arguments, Bounds], Distribution]] = {
    "Normal": lambda a, _b: FAMILIES["Normal"](a["m"], sqrt(a["v"])),
    "LogNormal": lambda a, _b: FAMILIES["LogNormal"](a["m"], sqrt(a["v"])),
    "Exponential": lambda a, _b: FAMILIES["Exponential"](a["rate"]),
    "Gamma": lambda a, _b: FAMILIES["Gamma"](a["shape"], 1 / a["rate"]),
    "GammaInverse": lambda a, _b: FAMILIES["GammaInverse"](a["shape"], a["scale"]),
    "Beta": lambda a, _b: FAMILIES["Beta"](a["alpha"], a["beta"]),
    "Uniform": lambda a, _b: FAMILIES["Uniform"](a["lower"], a["upper"]),
    "Poisson": lambda a, _b: FAMILIES["Poisson"](a["rate"]),
    "Geometric": lambda a, _b: FAMILIES["Geometric"](1 - a["ratio"]),
    "Binomial": lambda a, b: FAMILIES["Binomial"](b[1], a["odds"] / (1 + a["odds"])),
}
