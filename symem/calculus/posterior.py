"""The E-step's records: each elimination with the moments that Q asked of it."""

from __future__ import annotations

from dataclasses import replace

from symem.calculus.eliminated import Eliminated
from symem.calculus.expectation import Expectations
from symem.calculus.gaussian_vectors import second_moments
from symem.derivation import GaussianVector, Posterior


def posteriors(eliminated: list[Eliminated], expectations: Expectations) -> tuple[Posterior, ...]:
    """One record per latent, in the order of elimination."""
    return tuple(_with_moments(one.posterior, expectations) for one in eliminated)


def _with_moments(posterior: Posterior, expectations: Expectations) -> Posterior:
    name = posterior.latent.name
    own = {statistic: d for (latent, statistic), d in expectations.moments.items() if latent == name}
    means = {statistic: d.symbol for statistic, d in own.items()}
    if isinstance(posterior, GaussianVector):
        means |= second_moments(posterior.atom, posterior.mean, posterior.covariance)
    return replace(posterior, expectations=means, moments=tuple(own.values()))
