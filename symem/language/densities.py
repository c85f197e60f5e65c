"""The log-density, the support and the demands of a distribution, in the user's symbols."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy import Add, And, Eq, Expr, Idx, Ne, Not, Or

from symem.errors import ModelError, PlateError
from symem.language.categories import Requirement, categories
from symem.language.family import Distribution
from symem.language.plates import Iverson, LogIverson
from symem.language.ranges import free_indices
from symem.language.support import Support
from symem.language.supports import NonNegative, Reals

#: Laws of several numbers at once, which no single entry can have.
_JOINT = {
    "Multinomial": "give it to a variable of its own, x[i, v] or a tuple of counts",
    "Dirichlet": "it is read in prior={w: Dirichlet(a)} only",
    "Wishart": "it is read in prior={Lambda: Wishart(nu, V)} only",
    "InverseWishart": "it is read in prior={Sigma: InverseWishart(nu, Psi)} only",
}


def log_density(value: Any, distribution: Distribution, own: tuple[Idx, ...]) -> Expr:
    """log p(value), in the user's symbols.

    Raises:
        PlateError: an argument holds an index that the variable has not.
        ModelError: the distribution is of several numbers at once.
    """
    if distribution.name == "Categorical":
        return categories(distribution.arguments, own, str(value)).log_probability(value)
    if distribution.name in _JOINT:
        raise ModelError(f"{distribution} cannot stand for {value}: {_JOINT[distribution.name]}.")
    _check_free(value, distribution, own)
    if distribution.name == "Cases":
        return _cases(value, distribution, own)
    return distribution.family.log_density(value, *distribution.arguments)


def _check_free(value: Any, distribution: Distribution, own: tuple[Idx, ...]) -> None:
    for argument in distribution.arguments:
        for index in free_indices(argument, own):
            raise PlateError(
                f"The index {index.label} is free in {value}: {distribution}; sum over it or give it to {value}."
            )


def value_support(distribution: Distribution, own: tuple[Idx, ...], owner: str) -> Support:
    """The set that a distribution puts its mass on."""
    if distribution.name == "Categorical":
        return categories(distribution.arguments, own, owner).support
    if distribution.name == "Cases":
        return _widest([value_support(branch, own, owner) for branch in distribution.branches.values()])
    return distribution.family.support(*distribution.arguments)


def _widest(supports: list[Support]) -> Support:
    spread = [support for support in supports if support.bounds[0] != support.bounds[1]]
    if len({type(support) for support in spread}) == 1 and all(support.discrete for support in spread):
        return spread[0]
    return NonNegative() if all(support.bounds[0].is_nonnegative for support in supports) else Reals()


def requirements(distribution: Distribution, own: tuple[Idx, ...], owner: str) -> Iterator[Requirement]:
    """What the arguments must satisfy for the density to exist, as (expression, support)."""
    if distribution.name == "Categorical":
        yield from categories(distribution.arguments, own, owner).requirements()
    elif distribution.name == "Cases":
        for branch in distribution.branches.values():
            yield from requirements(branch, own, owner)
    else:
        yield from zip(distribution.arguments, distribution.family.parameters.values(), strict=True)


def _cases(value: Any, distribution: Distribution, own: tuple[Idx, ...]) -> Expr:
    """Σ over outcomes of [label = outcome] log p(value | outcome); a continuous branch has no mass on points."""
    (label,) = distribution.arguments
    points = [branch.arguments[0] for branch in distribution.branches.values() if branch.family.is_point]
    parts = []
    for outcome, branch in distribution.branches.items():
        density, off = log_density(value, branch, own), []
        if points and not branch.family.is_point and not value_support(branch, own, str(value)).discrete:
            off = [Ne(value, point) for point in points]
            density += LogIverson(And(*off))
        parts.append(_guarded([Eq(label, outcome)], off, density))
    return Add(*parts)


def _guarded(conditions: list[Any], off_points: list[Any], density: Expr) -> Expr:
    """[conditions] times a log-density, with hard constraints kept free of 0 · (-oo)."""
    parts = []
    for part in Add.make_args(density):
        if isinstance(part, LogIverson):
            parts.append(LogIverson(Or(Not(And(*conditions)), part.args[0])))
        else:
            parts.append(Iverson(And(*conditions, *off_points)) * part)
    return Add(*parts)
