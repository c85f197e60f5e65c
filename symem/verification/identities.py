"""V1 and V2: identities between the formulas and the declared model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from symem.evaluation.coordinates import Coordinates
from symem.evaluation.differences import gradient, units, without_plateaus
from symem.verification.formulas import Expectation
from symem.verification.free_energy import is_free_energy
from symem.verification.ground import Array, Finding, Ground, Theta, or_infinite, relative
from symem.verification.oracle import Belief


def free_energy_equals_likelihood(ground: Ground) -> Iterator[Finding]:
    """V1: Neal & Hinton 1998; ℓ, and Q here and at the other θs, are also those of the declared model."""
    for theta, belief in ground.beliefs():
        here = ground.formulas.at(theta)
        size = belief.size(theta)
        q = here.surrogate(theta) - ground.oracle.log_prior(theta)
        yield Finding(here.normalisation() / here.loss, "the largest is in Σ posterior = 1")
        yield Finding(
            relative(q + here.entropy, here.log_likelihood, size) / here.loss, "the largest is in Q + H = ℓ"
        )
        yield Finding(relative(here.log_likelihood, belief.log_likelihood, size), "the largest is in ℓ")
        for other in ground.points:
            yield Finding(_apart_in_surrogate(ground, here, belief, other) / here.loss, "the largest is in Q")
    if ground.derivation.mean_field:
        yield from is_free_energy(ground)


def _apart_in_surrogate(ground: Ground, here: Expectation, belief: Belief, other: Theta) -> float:
    """Q(other | here) of the records against that of the declared model."""
    value = here.surrogate(other) - ground.oracle.log_prior(other)
    return relative(value, belief.surrogate(other), belief.size(other))


def fisher_identity(ground: Ground) -> Iterator[Finding]:
    """V2: Fisher 1925; Dempster, Laird & Rubin 1977, section 3."""
    for theta, belief in ground.beliefs():
        coordinates = Coordinates(ground.model, theta)
        at = coordinates.free()
        log_posterior = of_free(belief.log_posteriors, coordinates)
        surrogate = of_free(ground.formulas.at(theta).surrogates, coordinates)
        unit = without_plateaus(log_posterior, at, units(of_free(ground.objective(belief), coordinates), at))
        slope, truth = gradient(surrogate, at, unit), gradient(log_posterior, at, unit)
        gaps = or_infinite(np.abs(slope - truth) / (1.0 + np.max(np.abs(truth), initial=0.0)))
        for gap, label in zip(gaps.tolist(), coordinates.labels, strict=True):
            yield Finding(gap, f"at {label}")


def of_free(function: Callable[[Theta], Array], coordinates: Coordinates) -> Callable[[Array], Array]:
    """A function of tables of parameters as one of tables of their free coordinates."""
    return lambda points: function(coordinates.point(points))
