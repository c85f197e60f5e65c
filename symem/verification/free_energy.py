"""The free energy of a mean field against the model as it was stated: by draws of the factors, and as a bound of ℓ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sympy import Expr, log, loggamma

from symem.derivation import Factor
from symem.errors import UnknownSymbolError
from symem.evaluation.arithmetic import Arithmetic
from symem.evaluation.members import random_member
from symem.evaluation.points import Moving
from symem.language.counting_families import Bernoulli
from symem.language.plates import total
from symem.language.supports import Simplex
from symem.verification.enumeration import TooLargeError
from symem.verification.ground import Finding, Ground, Theta
from symem.verification.oracle import Oracle

Array = np.ndarray[Any, np.dtype[Any]]
#: How many draws, and how many standard errors of their mean are no violation.
_DRAWS, _ERRORS = 4000, 6.0
#: How far a bound may be above by rounding and by the integration of ℓ, relative to 1 + |ℓ|.
_ABOVE = 1e-8


def is_free_energy(ground: Ground) -> Iterator[Finding]:
    """F = E[log p - log q] over the factors, at latents without one; and F ≤ ℓ where ℓ can be computed."""
    rng = np.random.default_rng(ground.seed)
    for theta in ground.points:
        yield from _by_draws(ground, theta, rng)
        yield from _bound(ground, theta)


def _by_draws(ground: Ground, theta: Theta, rng: np.random.Generator) -> Iterator[Finding]:
    model = ground.model
    arrays = {**ground.arrays, **theta}
    arrays |= {each.name: random_member(each, rng, arrays) for each in model.latents}
    value = Arithmetic(arrays).number(model.log_likelihood)
    if not np.isfinite(value):
        return
    factors = ground.derivation.mean_field
    drawn = {each.latent.name: Moving(_drawn(each, arrays, rng)) for each in factors}
    scope = Arithmetic({**arrays, **drawn})
    gains = scope.numbers(model.stated.log_likelihood)
    for factor in factors:
        gains = gains - scope.numbers(_log_density(factor))
    if not np.all(np.isfinite(gains)):
        return
    beyond = abs(gains.mean() - value) - _ERRORS * gains.std() / np.sqrt(_DRAWS)
    rounding = 1e-12 * (1 + abs(value))
    yield Finding(
        max(0.0, float(beyond - rounding)) / (1 + abs(value)),
        "F is not the mean of log p - log q over draws of the factors",
    )


def _bound(ground: Ground, theta: Theta) -> Iterator[Finding]:
    stated = ground.model.stated
    if any(isinstance(each.support, Simplex) for each in stated.latents):
        return
    try:
        whole = Oracle(stated, ground.arrays).log_likelihood(theta)
    except (TooLargeError, UnknownSymbolError):
        return
    above = ground.oracle.at(theta).log_likelihood - whole
    yield Finding(max(0.0, above / (1 + abs(whole)) - _ABOVE), "F is above ℓ")


def _drawn(factor: Factor, arrays: Mapping[str, Any], rng: np.random.Generator) -> Array:
    """Draws of the latent at all of its places, the draws first."""
    scope, places = Arithmetic(dict(arrays)), tuple(axis.index for axis in factor.axes)
    shape = tuple(scope.integer(axis.size) for axis in factor.axes)

    def numbers(value: Expr) -> Array:
        return np.asarray(scope.table(value, places, shape))

    if factor.family == "Dirichlet":
        shares = rng.standard_gamma(numbers(factor.own[0]), (_DRAWS, *shape))
        return np.asarray(shares / shares.sum(axis=-1, keepdims=True))
    if factor.row is None:
        chances = np.asarray(arrays[_name(factor.own[0])], dtype=float)
        if factor.family == Bernoulli.name:
            return (rng.random((_DRAWS, *shape)) < chances).astype(int)
        steps = np.cumsum(chances, axis=-1)[..., :-1]
        return np.asarray((rng.random((_DRAWS, *shape))[..., None] >= steps).sum(axis=-1))
    if factor.row.sampler is None:
        raise UnknownSymbolError(f"{factor.family} has no sampler")
    return np.asarray(factor.row.sampler(rng, (_DRAWS, *shape), *map(numbers, factor.own)))


def _log_density(factor: Factor) -> Expr:
    """log q of all places together, by the densities as they are declared."""
    if factor.family == "Dirichlet":
        (alpha,) = factor.own
        *plates, cell = factor.axes
        each = total((alpha - 1) * log(factor.atom) - loggamma(alpha), (cell,))
        return total(each + loggamma(total(alpha, (cell,))), tuple(plates))
    if factor.row is None:
        return total(factor.log_law, factor.axes)
    return total(factor.row.log_density(factor.atom, *factor.own), factor.axes)


def _name(entry: Expr) -> str:
    return str(getattr(entry, "base", entry))


__all__ = ["is_free_energy"]
