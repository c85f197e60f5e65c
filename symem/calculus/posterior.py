"""The E-step's records: each elimination with the moments that Q asked of it."""

from __future__ import annotations

from symem.calculus.eliminated import Eliminated
from symem.calculus.expectation import Expectations
from symem.calculus.gaussian_vectors import second_moments
from symem.derivation import Posterior


def posteriors(eliminated: list[Eliminated], expectations: Expectations) -> tuple[Posterior, ...]:
    """One record per latent, in the order of elimination."""
    return tuple(_record(one, expectations) for one in eliminated)


def _record(one: Eliminated, expectations: Expectations) -> Posterior:
    own = {statistic: d for (name, statistic), d in expectations.moments.items() if name == one.variable.name}
    means = {statistic: d.symbol for statistic, d in own.items()}
    if one.vector:
        means |= second_moments(one.atom, one.vector)
    return Posterior(
        latent=one.variable,
        atom=one.atom,
        axes=tuple(axis for axis in one.axes if one.trials is None or axis != one.outcome),
        family=one.family,
        parameters=one.parameters,
        expectations=means,
        log_normaliser=one.log_normaliser,
        log_density=one.log_density,
        outcome=one.outcome,
        log_weight=one.log_weight,
        probability=one.probability,
        moments=tuple(own.values()),
        condition=None if one.condition == 1 else one.condition,
        labels=one.labels,
        arguments=dict(one.arguments or {}),
        trials=one.trials,
        value=one.value,
        bounds=one.recognised.bounds if one.recognised else None,
        inline=one.inline,
        extent=one.extent,
    )
