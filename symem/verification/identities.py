"""V0 to V2: identities between the emitted functions, the formulas and the declared model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symem.evaluation.coordinates import Coordinates
from symem.evaluation.differences import gradient, units
from symem.verification.formulas import Expectation
from symem.verification.ground import Array, Finding, Ground, Theta, apart, or_infinite, relative
from symem.verification.oracle import Belief


def emitted_equals_formulas(ground: Ground) -> Finding:
    """V0: ℓ and the EM step of the module against the records."""
    if ground.solver is None:
        return Finding(None, "no emitted module was given")
    worst = 0.0
    for theta in ground.points:
        here = ground.formulas.at(theta)
        emitted = float(ground.solver.log_likelihood(dict(theta), **ground.asked))
        worst = max(worst, relative(emitted, here.log_likelihood))
        if not ground.derivation.not_derived:
            worst = max(worst, apart(ground.fast_step(theta), here.update()))
    return Finding(worst)


def free_energy_equals_likelihood(ground: Ground) -> Finding:
    """V1: Neal & Hinton 1998; ℓ, and Q here and at the other θs, are also those of the declared model."""
    found = dict.fromkeys(("Σ posterior = 1", "Q + H = ℓ", "ℓ", "Q"), 0.0)
    for theta, belief in ground.beliefs():
        here = ground.formulas.at(theta)
        q = here.surrogate(theta) - ground.oracle.log_prior(theta)
        gaps = (
            here.normalisation(),
            relative(q + here.entropy, here.log_likelihood),
            relative(here.log_likelihood, belief.log_likelihood),
            max(_apart_in_surrogate(ground, here, belief, other) for other in ground.points),
        )
        found = {key: max(found[key], gap) for key, gap in zip(found, gaps, strict=True)}
    where = max(found, key=lambda key: found[key])
    return Finding(found[where], f"the largest is in {where}")


def _apart_in_surrogate(ground: Ground, here: Expectation, belief: Belief, other: Theta) -> float:
    """Q(other | here) of the records against that of the declared model."""
    value = here.surrogate(other) - ground.oracle.log_prior(other)
    return relative(value, belief.surrogate(other))


def fisher_identity(ground: Ground) -> Finding:
    """V2: Fisher 1925; Dempster, Laird & Rubin 1977, section 3."""
    worst, where = 0.0, ""
    for theta in ground.points:
        coordinates = Coordinates(ground.model, theta)
        at = coordinates.free()
        log_posterior = of_free(ground.oracle.log_posteriors, coordinates)
        surrogate = of_free(ground.formulas.at(theta).surrogates, coordinates)
        unit = units(log_posterior, at)
        slope, truth = gradient(surrogate, at, unit), gradient(log_posterior, at, unit)
        gaps = or_infinite(np.abs(slope - truth) / (1.0 + np.max(np.abs(truth), initial=0.0)))
        if np.max(gaps, initial=0.0) > worst:
            worst, where = float(gaps.max()), coordinates.labels[int(gaps.argmax())]
    return Finding(worst, f"at {where}")


def of_free(function: Callable[[Theta], Array], coordinates: Coordinates) -> Callable[[Array], Array]:
    """A function of tables of parameters as one of tables of their free coordinates."""
    return lambda points: function(coordinates.point(points))
