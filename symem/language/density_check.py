"""Numbers on demand: whether the density of a row of the table integrates to one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sympy import Expr, S, Symbol, lambdify, oo

from symem.errors import NormalisationError
from symem.language.family import Distribution, Family
from symem.language.plates import LogIverson

_LONGEST_SUM = 2000


def check_family(family: Family, points: Sequence[Sequence[float]] = (), *, tolerance: float = 1e-6) -> float:
    """Integrate or sum the density of a family over its support.

    Parameters
    ----------
    family : Family
        the row of the table.
    points : sequence of sequences
        arguments at which to try, in the order of the family's parameters; else five random ones.
    tolerance : float
        how far from one the total mass may be.

    Returns
    -------
    float
        the largest distance of the total mass from one.

    Raises
    ------
    NormalisationError
        it is above `tolerance`, or the density is no number; the message has the arguments.

    Examples
    --------
    >>> from symem.language.real_families import Normal
    >>> check_family(Normal) < 1e-6
    True
    """
    rng = np.random.default_rng(0)
    worst = 0.0
    for arguments in points or [random_arguments(family, rng) for _ in range(5)]:
        distribution = family(*arguments)
        mass = total_mass(distribution)
        if not abs(mass - 1) <= tolerance:
            raise NormalisationError(
                f"The density of {distribution} has total mass {mass:.8g} in place of 1: check the terms of log_density "
                f"that do not hold the value, and the support."
            )
        worst = max(worst, abs(mass - 1))
    return worst


def random_arguments(family: Family, rng: np.random.Generator) -> list[float]:
    """A point in the supports of the parameters; two ends of an interval in their order."""
    drawn = [float(support.member(rng, ())) for support in family.parameters.values()]
    return sorted(drawn) if list(family.parameters) == ["left", "right"] else drawn


def total_mass(distribution: Distribution, upto: Expr = oo) -> float:
    """The mass of a distribution with numbers for arguments, on its support or up to a point of it."""
    from scipy.integrate import quad  # noqa: PLC0415 - slow to load, and asked for rarely

    support = distribution.family.support(*distribution.arguments)
    low, high = support.bounds[0], min(support.bounds[1], upto)
    density = numeric_density(distribution)
    if support.discrete:
        return float(sum(density(value) for value in range(int(low), int(min(high, low + _LONGEST_SUM)) + 1)))
    return float(quad(density, float(low), float(high), limit=400, epsabs=1e-10)[0])


def numeric_density(distribution: Distribution) -> Callable[[float], float]:
    """p(x) inside the support, as a function of a number."""
    value = Symbol("value", real=True)
    log_density = distribution.family.log_density(value, *distribution.arguments)
    inside = log_density.xreplace(dict.fromkeys(log_density.atoms(LogIverson), S.Zero))
    compiled = lambdify(value, inside, ["scipy", "numpy"])

    def density(x: float) -> float:
        with np.errstate(over="ignore", under="ignore"):
            return float(np.exp(np.real(compiled(x))))

    return density
