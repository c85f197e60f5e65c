"""Broken derivations: verification must reject each, on the rung that is there for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Indexed, IndexedBase, Integer, Sum, exp, log, sqrt

from symem.derivation import Definition, Derivation, Update
from symem.verification import Verification, prepare, verify
from symem.verification.ladder import climb
from tests.handmade import coins, gaussian_mixture, random_effects, student_t

Mutation = Callable[[Derivation], Derivation]


def with_update(derivation: Derivation, name: str, change: Callable[[Expr], Expr]) -> Derivation:
    """The value of one update replaced."""
    updates = [
        _changed(each, change) if _name(each.parameter) == name else each for each in derivation.updates
    ]
    assert updates != list(derivation.updates), f"{name} has no update that changed"
    return replace(derivation, updates=tuple(updates))


def _changed(update: Update, change: Callable[[Expr], Expr]) -> Update:
    return replace(update, definition=_revalued(update.definition, change))


def _revalued(definition: Definition, change: Callable[[Expr], Expr]) -> Definition:
    return replace(definition, value=change(definition.value))


def _name(symbol: Expr) -> str:
    return str(getattr(symbol, "base", symbol))


def with_posterior(derivation: Derivation, **changes: Callable[[Any], Any]) -> Derivation:
    """Fields of the first posterior changed."""
    first, *rest = derivation.posteriors
    fields = {name: change(getattr(first, name)) for name, change in changes.items()}
    return replace(derivation, posteriors=(replace(first, **fields), *rest))


def with_surrogate(derivation: Derivation, change: Callable[[Expr], Expr]) -> Derivation:
    surrogate = replace(derivation.surrogate, value=change(derivation.surrogate.value))
    return replace(derivation, surrogate=surrogate)


def label(derivation: Derivation) -> Any:
    """The index over components of a handmade mixture."""
    return derivation.updates[0].definition.axes[0]


def flipped_sign(derivation: Derivation) -> Derivation:
    return with_update(derivation, "mu", lambda value: -value)


def flipped_sign_in_weight(derivation: Derivation) -> Derivation:
    return with_posterior(
        derivation, log_weight=lambda d: _revalued(d, lambda v: v + 2 * log(_at(v, "sigma")))
    )


def swapped_index(derivation: Derivation) -> Derivation:
    k = label(derivation)
    return with_update(
        derivation, "mu", lambda v: v.xreplace({_at(v, "S_1"): _at(v, "S_1").base[k.size - 1 - k.index]})
    )


def _at(value: Expr, name: str) -> Expr:
    return next(each for each in value.atoms(Indexed) if _name(each) == name)


def old_mean_in_variance(derivation: Derivation) -> Derivation:
    weights, mean, deviation = derivation.updates
    return replace(derivation, updates=(weights, deviation, mean))


def one_less(derivation: Derivation) -> Derivation:
    """N - 1 for N: the unbiased variance is not the maximum."""
    return with_update(derivation, "sigma", lambda v: v * sqrt(_at(v, "S_0") / (_at(v, "S_0") - 1)))


def damped(derivation: Derivation) -> Derivation:
    return with_update(derivation, "mu", lambda v: (v + derivation.updates[1].parameter) / 2)


def tied(derivation: Derivation) -> Derivation:
    k = label(derivation)
    return with_update(
        derivation,
        "sigma",
        lambda v: sqrt(Sum(v**2 * _at(v, "S_0"), k.limits) / Sum(_at(v, "S_0"), k.limits)),
    )


def dropped_prior_in_update(derivation: Derivation) -> Derivation:
    return with_update(
        derivation, "w", lambda v: _at(v, "S_0") / Sum(_at(v, "S_0"), label(derivation).limits)
    )


def dropped_prior_in_surrogate(derivation: Derivation) -> Derivation:
    return with_surrogate(derivation, lambda value: value - derivation.model.log_prior)


def unnormalised(derivation: Derivation) -> Derivation:
    return with_update(derivation, "w", lambda v: _at(v, "S_0"))


def wrong_normaliser(derivation: Derivation) -> Derivation:
    return with_posterior(derivation, log_normaliser=lambda d: _revalued(d, lambda v: v + log(2)))


def dropped_weight(derivation: Derivation) -> Derivation:
    return with_posterior(derivation, log_weight=lambda d: _revalued(d, lambda v: v - log(_at(v, "w"))))


def squared_mean(derivation: Derivation) -> Derivation:
    """E[a]² for E[a²]."""
    return with_posterior(
        derivation,
        moments=lambda ds: tuple(_revalued(d, _square) for d in ds),
    )


def _square(value: Expr) -> Expr:
    return next(each for each in value.args if each.is_Pow)


def stale_residual(derivation: Derivation) -> Derivation:
    """The within-group variance around the old grand mean."""
    mean, between, within = derivation.updates
    return replace(derivation, updates=(between, within, mean))


def wrong_shape(derivation: Derivation) -> Derivation:
    """ν for ν + 1 in the posterior precision of Student's t."""
    change: Callable[[Any], Any] = lambda ds: (_revalued(ds[0], lambda v: v * Integer(4) / 5), *ds[1:])  # noqa: E731
    return with_posterior(derivation, moments=change)


def expected_logarithm(derivation: Derivation) -> Derivation:
    """log E[u] for E[log u]: the update does not notice, Q + H does."""
    mean = derivation.posteriors[0].moments[0].symbol
    change: Callable[[Any], Any] = lambda ds: (ds[0], _revalued(ds[1], lambda _v: log(mean)))  # noqa: E731
    return with_posterior(derivation, moments=change)


def heads_for_tails(derivation: Derivation) -> Derivation:
    return with_update(derivation, "p", lambda value: 1 - value)


def dropped_beta_prior(derivation: Derivation) -> Derivation:
    heads, tails = IndexedBase("S_heads"), IndexedBase("S_tails")
    k = label(derivation).index
    return with_update(derivation, "p", lambda _v: heads[k] / (heads[k] + tails[k]))


def hard_assignment(derivation: Derivation) -> Derivation:
    """γ² for γ: sharper responsibilities that no longer sum to one."""
    return with_posterior(derivation, probability=lambda d: _revalued(d, lambda v: exp(2 * v.args[0])))


@dataclass(frozen=True)
class Mutant:
    original: Callable[[], Derivation]
    mutation: Mutation
    rungs: frozenset[str]

    def __str__(self) -> str:
        return f"{self.original.__name__}-{self.mutation.__name__}"


def mutant(original: Callable[[], Derivation], mutation: Mutation, *rungs: str) -> Mutant:
    return Mutant(original, mutation, frozenset(rungs))


#: original, what is done to it, the rungs that must fail.
MUTANTS = (
    mutant(gaussian_mixture, flipped_sign, "V3"),
    mutant(gaussian_mixture, flipped_sign_in_weight, "V1", "V2", "V3"),
    mutant(gaussian_mixture, swapped_index, "V3"),
    mutant(gaussian_mixture, old_mean_in_variance, "V3"),
    mutant(gaussian_mixture, one_less, "V3"),
    mutant(gaussian_mixture, damped, "V3"),
    mutant(gaussian_mixture, tied, "V3"),
    mutant(gaussian_mixture, dropped_prior_in_update, "V3"),
    mutant(gaussian_mixture, dropped_prior_in_surrogate, "V1", "V2"),
    mutant(gaussian_mixture, unnormalised, "V3"),
    mutant(gaussian_mixture, wrong_normaliser, "V1"),
    mutant(gaussian_mixture, dropped_weight, "V1", "V3"),
    mutant(gaussian_mixture, hard_assignment, "V1"),
    mutant(random_effects, squared_mean, "V1", "V2", "V3"),
    mutant(random_effects, stale_residual, "V3"),
    mutant(random_effects, wrong_normaliser, "V1"),
    mutant(student_t, wrong_shape, "V1", "V2", "V3"),
    mutant(student_t, expected_logarithm, "V1"),
    mutant(coins, heads_for_tails, "V3"),
    mutant(coins, dropped_beta_prior, "V3"),
    mutant(coins, dropped_prior_in_surrogate, "V1", "V2"),
)


def failed(found: Verification) -> set[str]:
    return {rung.name for rung in found.failed}


@pytest.mark.parametrize("original", [gaussian_mixture, random_effects, student_t, coins])
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


def test_monotone_likelihood_alone_misses_a_damped_update() -> None:
    found = verify(damped(gaussian_mixture()))
    assert failed(found) == {"V3"}, str(found)


def emitted(derivation: Derivation, **broken: Any) -> Any:
    """The formulas as if they were an emitted module, with functions replaced."""
    ground, _note = prepare(derivation)

    def log_likelihood(theta: Any, **_data: Any) -> float:
        return ground.formulas.at(theta).log_likelihood

    def em_step(theta: Any, **_data: Any) -> Any:
        return SimpleNamespace(**ground.step(theta))

    functions = {"log_likelihood": log_likelihood, "em_step": em_step, **broken}
    return replace(ground, solver=SimpleNamespace(**functions))


def test_formulas_in_place_of_a_module_pass() -> None:
    assert all(rung.passed for rung in climb(emitted(coins()), "V0", "V4"))


def test_v0_fails_where_the_module_computes_another_likelihood() -> None:
    rungs = climb(emitted(coins(), log_likelihood=lambda _theta, **_data: -1.0), "V0", "V4")
    assert [rung.passed for rung in rungs] == [False, True]


def test_v0_fails_where_the_module_takes_another_step() -> None:
    (rung,) = climb(emitted(coins(), em_step=lambda theta, **_data: SimpleNamespace(**theta)), "V0")
    assert rung.passed is False


def test_v4_fails_where_the_likelihood_falls() -> None:
    def backwards(theta: Any, **_data: Any) -> Any:
        return SimpleNamespace(**{**theta, "p": 0.98 * np.asarray(theta["p"])})

    (rung,) = climb(emitted(coins(), em_step=backwards), "V4")
    assert rung.passed is False


def test_v5_fails_where_em_stands_still_off_the_maximum() -> None:
    rungs = climb(emitted(coins(), em_step=lambda theta, **_data: SimpleNamespace(**theta)), "V4", "V5")
    assert [rung.passed for rung in rungs] == [True, False]
