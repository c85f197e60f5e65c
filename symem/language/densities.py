"""The log-density, the support and the demands of a distribution, in the user's symbols."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sympy import Add, And, Expr, Idx, Max, Min, Not, Or, Pow, log, loggamma, oo

from symem.errors import ModelError, PlateError
from symem.language.categories import Requirement, categories
from symem.language.family import Distribution
from symem.language.plates import Iverson, LogIverson
from symem.language.ranges import free_indices
from symem.language.support import Support
from symem.language.supports import Counts, Interval, NonNegative, Positive, Reals

#: Laws of several numbers at once, which no single entry can have.
_JOINT = {
    "Multinomial": "give it to a variable of its own, x[i, v] or a tuple of counts",
    "Dirichlet": "give it to a variable of its own, x[i, v] or a tuple of shares, or to one in prior={w: Dirichlet(a)}",
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
        return _hull([value_support(branch, own, owner) for branch in distribution.branches.values()])
    return distribution.family.support(*distribution.arguments)


def _hull(supports: list[Support]) -> Support:
    """The smallest set of the table that holds all of them; ends that cannot be compared are left away."""
    widest = [each for each in supports if all(each == other or _holds(each, other) for other in supports)]
    if widest:
        return widest[0]
    lows, highs = zip(*(support.bounds for support in supports), strict=True)
    low, high = Min(*lows), Max(*highs)
    low, high = (low if low in lows else -oo), (high if high in highs else oo)
    if all(map(_is_whole, supports)):
        return Counts(low, high)
    if (low, high) == (0, oo):
        return Positive() if all(support.open for support in supports) else NonNegative()
    return Reals() if (low, high) == (-oo, oo) else Interval(low, high)


def _holds(whole: Support, part: Support) -> bool:
    """Whether a set surely holds another; a point that is one of its ends lies in it."""
    (low, high), (first, last) = whole.bounds, part.bounds
    if (whole.discrete and not _is_whole(part)) or (whole.open and not part.open):
        return False
    if first == last and first in (low, high):
        return True
    return (low == first or bool((first - low).is_nonnegative)) and (
        high == last or bool((high - last).is_nonnegative)
    )


def _is_whole(support: Support) -> bool:
    low, high = support.bounds
    return support.discrete or bool(low == high and low.is_integer)


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
    """Σ over outcomes of [label = outcome] log p(value | outcome), each density 0 off its own support.

    A continuous branch has no mass where a discrete one has.
    """
    whole = value_support(distribution, own, str(value))
    supports = {
        outcome: value_support(branch, own, str(value)) for outcome, branch in distribution.branches.items()
    }
    masses = [each for each in supports.values() if _has_mass(each)]
    parts = []
    for outcome, branch in distribution.branches.items():
        density, support = log_density(value, branch, own), supports[outcome]
        conditions = (
            [] if _has_mass(support) else [Not(each.condition(value, whole=False)) for each in masses]
        )
        if not density.has(LogIverson) and not _holds(support, whole):
            conditions.append(support.condition(value, whole=whole.discrete))
        within = conditions if _may_be_undefined(density, value) else []
        parts.append(
            _guarded([distribution.selects(outcome)], within, density + LogIverson(And(*conditions)))
        )
    return Add(*parts)


def _has_mass(support: Support) -> bool:
    """Whether single values have mass."""
    return support.discrete or support.bounds[0] == support.bounds[1]


def _may_be_undefined(density: Expr, value: Any) -> bool:
    """Whether a log-density has a function that is not finite everywhere."""
    parts = density.atoms(log, loggamma, Pow)
    return any(
        part.has(value) and not (isinstance(part, Pow) and part.exp.is_nonnegative and part.exp.is_integer)
        for part in parts
    )


def _guarded(conditions: list[Any], within: list[Any], density: Expr) -> Expr:
    """[conditions] times a log-density, with hard constraints kept free of 0 · (-oo)."""
    parts = []
    for part in Add.make_args(density):
        if isinstance(part, LogIverson):
            parts.append(LogIverson(Or(Not(And(*conditions)), part.args[0])))
        else:
            parts.append(Iverson(And(*conditions, *within)) * part)
    return Add(*parts)
