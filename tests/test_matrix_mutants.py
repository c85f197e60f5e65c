"""Broken derivations with vectors and matrices: verification must reject each, on the rung that is there for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from sympy import Expr, Integer, Pow, Rational, log, pi

from symem.derivation import Closed, Definition, Derivation, Surrogate, Tabulated
from symem.language.matrices import ENTRY, BlockInverse, MatrixEntry, T, transpose
from symem.language.traces import BlockLogDet, LogDet
from symem.verification import Verification, prepare, verify
from symem.verification.ladder import climb
from tests.derived import em
from tests.handmade_matrices import factor_analysis, full_mixture, missing_entries
from tests.test_mutants import Mutant, failed, mutant, with_posterior, with_surrogate, with_update


@cache
def derived(name: str) -> Derivation:
    """The engine's derivation of that row of the table."""
    found: Derivation = em(name).derivation
    return found


def multivariate_t() -> Derivation:
    return derived("mvt_known_nu")


def principal_components() -> Derivation:
    return derived("ppca_mean")


def tied_mixture() -> Derivation:
    return derived("gmm_mv_tied")


def common_mean() -> Derivation:
    return derived("common_mean_vector")


def random_slopes() -> Derivation:
    return derived("lmm_random_slope")


def mixture_with_gaps() -> Derivation:
    return derived("gmm_missing")


def letter(expr: Expr, name: str) -> Expr:
    """The matrix of that name in an expression."""
    return next(each for each in expr.atoms(MatrixEntry) if str(each.base.label) == name)


def everywhere(derivation: Derivation, change: Callable[[Expr], Expr]) -> Derivation:
    """What defines the first posterior changed: its weights or arguments, and its normaliser."""

    def revalued(definition: Definition) -> Definition:
        return replace(definition, value=change(definition.value))

    first, *others = derivation.posteriors
    kept: dict[str, Any] = {"moments": first.moments}
    if isinstance(first, Tabulated):
        kept |= {"probability": first.probability}
    return replace(derivation, posteriors=(first.rewritten(revalued, **kept), *others))


def with_statistic(
    derivation: Derivation, holds: Callable[[Expr], bool], change: Callable[[Expr], Expr]
) -> Derivation:
    """The value of each statistic of a kind replaced."""
    old = derivation.surrogate
    statistics = tuple(
        replace(each, value=change(each.value)) if holds(each.value) else each for each in old.statistics
    )
    assert statistics != old.statistics
    return replace(derivation, surrogate=Surrogate(old.value, statistics, old.constant, old.entropy))


# -- factor analysis ---------------------------------------------------------------------------------------


def covariance_dropped(derivation: Derivation) -> Derivation:
    """E[z]E[z]ᵀ for E[z zᵀ]: the conditional mean put in for what is not seen."""
    V = derivation.posteriors[0].definitions[0].symbol
    return with_statistic(derivation, lambda v: v.has(V), lambda v: v.xreplace({V: Integer(0)}))


def precision_for_covariance(derivation: Derivation) -> Derivation:
    """The posterior precision, not inverted."""
    return with_posterior(derivation, parameters=lambda ds: (replace(ds[0], value=ds[0].value.base), *ds[1:]))


def loadings_not_transposed(derivation: Derivation) -> Derivation:
    """W for Wᵀ in the posterior mean: the sizes of the vectors differ, so that no product is formed."""
    W = derivation.updates[0].parameter
    return with_posterior(
        derivation,
        parameters=lambda ds: (ds[0], replace(ds[1], value=ds[1].value.xreplace({T(W): W}))),
    )


def one_identity_too_many(derivation: Derivation) -> Derivation:
    """The second moment of the factors with one too many of the identity."""
    return with_update(derivation, "W", lambda v: v * letter(v, "S_zz") * Pow(letter(v, "S_zz") + 1, -1))


def uncentred_loadings(derivation: Derivation) -> Derivation:
    """W as if the mean were zero."""
    return with_update(derivation, "W", lambda v: letter(v, "S_xz") * Pow(letter(v, "S_zz"), -1))


def noise_without_mean(derivation: Derivation) -> Derivation:
    """The variances around the old mean and loadings."""
    loadings, mean, noise = derivation.updates
    return replace(derivation, updates=(noise, loadings, mean))


def prior_precision_forgotten(derivation: Derivation) -> Derivation:
    """(WᵀΨ⁻¹W)⁻¹ for (I + WᵀΨ⁻¹W)⁻¹."""
    return with_posterior(
        derivation,
        parameters=lambda ds: (replace(ds[0], value=Pow(ds[0].value.base - 1, -1)), *ds[1:]),
    )


# -- Gaussian mixtures -------------------------------------------------------------------------------------


def divided_by_n(derivation: Derivation) -> Derivation:
    """n / K for N_k."""
    n = derivation.updates[2].definition.axes[0].size
    return with_update(derivation, "Sigma", lambda v: v * 2 / n * _count(v))


def _count(value: Expr) -> Expr:
    return next(each for each in value.atoms(Pow) if each.exp == -1).base


def uncentred(derivation: Derivation) -> Derivation:
    """Second moments for the covariance."""
    return with_update(derivation, "Sigma", lambda v: letter(v, "S_2") / _count(v))


def determinant_dropped(derivation: Derivation) -> Derivation:
    return everywhere(derivation, lambda v: v.replace(LogDet, lambda *_: Integer(0)))


def determinant_doubled(derivation: Derivation) -> Derivation:
    return everywhere(derivation, lambda v: v.replace(LogDet, lambda *args: 2 * LogDet(*args)))


def wrong_constant(derivation: Derivation) -> Derivation:
    """d log 2π for d/2 log 2π."""
    return everywhere(derivation, lambda v: v.xreplace({log(2 * pi): 2 * log(2 * pi)}))


def determinant_missing_from_q(derivation: Derivation) -> Derivation:
    return with_surrogate(derivation, lambda v: v.replace(LogDet, lambda *_: Integer(0)))


def half_forgotten_in_q(derivation: Derivation) -> Derivation:
    return with_surrogate(derivation, lambda v: v.replace(LogDet, lambda *args: 2 * LogDet(*args)))


def old_mean(derivation: Derivation) -> Derivation:
    """The covariance around the old means, with half of what that leaves out."""
    weights, mean, spread = derivation.updates
    total, squares = letter(spread.value, "S_1"), letter(spread.value, "S_2")
    cross = mean.parameter * transpose(total)
    value = (squares - (cross + transpose(cross)) / 2) / _count(spread.value)
    stale = replace(spread, definition=replace(spread.definition, value=value))
    return replace(derivation, updates=(weights, stale, mean))


def one_more(derivation: Derivation) -> Derivation:
    """One share too many: n + 1 for n."""
    return with_update(derivation, "S", lambda v: v * Rational(36, 37))


# -- missing entries ---------------------------------------------------------------------------------------


def block_of_the_seen(derivation: Derivation) -> Derivation:
    """The inverse of the block of the seen entries for that of the unseen."""

    def swapped(value: Expr) -> Expr:
        return value.replace(BlockInverse, lambda M, mask, size: BlockInverse(M, 1 - mask, size))

    return everywhere(derivation, swapped)


def block_of_the_inverse(derivation: Derivation) -> Derivation:
    """The block of Σ for that of Σ⁻¹."""
    return everywhere(
        derivation,
        lambda v: v.replace(BlockInverse, lambda M, mask, size: BlockInverse(Pow(M, -1), mask, size)),
    )


def determinant_of_everything(derivation: Derivation) -> Derivation:
    """As if no entry had been seen."""
    return everywhere(
        derivation, lambda v: v.replace(BlockLogDet, lambda M, mask, size: BlockLogDet(M, 0 * ENTRY, size))
    )


# -- scale mixtures, conditional maximisers, random effects --------------------------------------------------


def as_if_univariate(derivation: Derivation) -> Derivation:
    """ν + 1 for ν + d."""
    d = derivation.model.variable("d").symbol
    return with_posterior(
        derivation,
        parameters=lambda ds: (replace(ds[0], value=ds[0].value.xreplace({d: Integer(1)})), *ds[1:]),
    )


def divided_by_weights(derivation: Derivation) -> Derivation:
    """Σ divided by Σ E[u], which has the same fixed point and is no maximum of Q (Kent, Tyler & Vardi 1994)."""
    n = derivation.model.variable("n").symbol
    return with_update(
        derivation, "Sigma", lambda v: v * n / next(each.symbol for each in derivation.surrogate.statistics)
    )


def taken_for_joint(derivation: Derivation) -> Derivation:
    """Conditional maximisers given out as the maximum of Q."""
    fields = ("definition", "equation", "nested", "block", "law")
    joint = (Closed(**{name: getattr(each, name) for name in fields}) for each in derivation.updates)
    return replace(derivation, updates=tuple(joint))


def conditional_and_halved(derivation: Derivation) -> Derivation:
    return with_update(derivation, "mu", lambda v: v / 2)


def noise_by_components(derivation: Derivation) -> Derivation:
    """One dimension for d: σ² = tr(…)/n."""
    d = derivation.model.variable("d").symbol
    return with_update(derivation, "s2", lambda v: v * d)


MUTANTS = (
    mutant(factor_analysis, covariance_dropped, "V1", "V3"),
    mutant(factor_analysis, precision_for_covariance, "V1", "V2"),
    mutant(factor_analysis, loadings_not_transposed, "V1", "V2", "V3"),
    mutant(factor_analysis, one_identity_too_many, "V3"),
    mutant(factor_analysis, uncentred_loadings, "V3"),
    mutant(factor_analysis, noise_without_mean, "V3"),
    mutant(factor_analysis, prior_precision_forgotten, "V1", "V2", "V3"),
    mutant(full_mixture, divided_by_n, "V3"),
    mutant(full_mixture, uncentred, "V3"),
    mutant(full_mixture, determinant_dropped, "V1", "V2"),
    mutant(full_mixture, determinant_doubled, "V1", "V2"),
    mutant(full_mixture, wrong_constant, "V1"),
    mutant(full_mixture, determinant_missing_from_q, "V1", "V2"),
    mutant(full_mixture, half_forgotten_in_q, "V1", "V2"),
    mutant(full_mixture, old_mean, "V3"),
    mutant(tied_mixture, one_more, "V3"),
    mutant(missing_entries, block_of_the_seen, "V1", "V2"),
    mutant(missing_entries, block_of_the_inverse, "V1", "V2"),
    mutant(missing_entries, determinant_of_everything, "V1"),
    mutant(missing_entries, covariance_dropped, "V1", "V2", "V3"),
    mutant(mixture_with_gaps, covariance_dropped, "V1", "V2", "V3"),
    mutant(multivariate_t, as_if_univariate, "V1", "V2", "V3"),
    mutant(multivariate_t, divided_by_weights, "V3"),
    mutant(common_mean, taken_for_joint, "V3"),
    mutant(common_mean, conditional_and_halved, "V3"),
    mutant(principal_components, noise_by_components, "V3"),
    mutant(random_slopes, covariance_dropped, "V1", "V2", "V3"),
)


@pytest.mark.parametrize("original", [full_mixture, factor_analysis, missing_entries])
def test_the_originals_pass(original: Callable[[], Derivation]) -> None:
    found = verify(original())
    assert not found.failed, str(found)
    assert [rung.name for rung in found.open] == ["V0", "V6"]


@pytest.mark.parametrize("case", MUTANTS, ids=str)
def test_a_mutant_is_rejected_on_its_rung(case: Mutant) -> None:
    ground, note = prepare(case.mutation(case.original()), points=1)
    found = Verification(climb(ground, *case.rungs), note)
    assert case.rungs <= failed(found), str(found)
    assert found.blocks_emission
