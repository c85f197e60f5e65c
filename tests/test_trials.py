"""Models of the same kinds that no source prints: three identities, and honest refusals."""

from __future__ import annotations

import numpy as np
import pytest

from symem import NotDerivedError
from symem.derivation import Conditional
from tests.answers import Values, direction, gap, move
from tests.derived import named
from tests.evaluate import Evaluator, situation
from tests.trials import TRIALS, Trial
from tests.trials.derived import algorithm, built
from tests.trials.refusals import REFUSALS

#: Derivations that take many seconds: eight cells, or a coupled block over a dozen statistics.
SLOW = {
    "two_bits", "three_bits", "missing_covariate", "missing_on_both_sides", "factors_with_gaps", "groups_of_a_hidden_kind",
    "factors_behind_factors", "one_set_of_loadings_in_a_mixture", "conjugate_prior_of_mean_and_variance",
    "vector_and_number", "vectors_of_groups", "covariates_with_gaps", "design_of_each_group", "mean_of_either_sign",
    "precision_with_prior", "mean_of_factors", "common_effect_of_a_row", "factors_with_heavy_tails", "mean_inside_the_loadings", "two_sets_of_factors",
    "one_mean_seen_alone", "shift_of_some", "factors_beside_covariates", "groups_with_their_means",
}  # fmt: skip
#: Of the others, the quick tests meet every second.
QUICK = sorted(TRIALS.keys() - SLOW)[::2]
NAMES = [pytest.param(name, marks=[pytest.mark.slow] * (name not in QUICK)) for name in sorted(TRIALS)]


def e_step(name: str) -> Evaluator:
    """The formulas of the derivation at the trial's point."""
    trial, derivation = built(name), algorithm(name).derivation
    run = Evaluator(situation(trial.model, trial.data, trial.theta, derivation.extents))
    for each in (*derivation.definitions, *derivation.surrogate.statistics):
        run.define(each.symbol, each.axes, each.value)
    return run


def surrogate(name: str, run: Evaluator, theta: Values) -> float:
    """Q at new parameters, the posterior held."""
    return float(Evaluator({**run.values, **theta})(algorithm(name).derivation.surrogate.value))


def walk(trial: Trial, theta: Values, seed: int, length: float) -> Values:
    return move({"parameters": trial.kinds}, theta, direction(theta, seed), length)


@pytest.mark.parametrize("name", NAMES)
def test_log_likelihood(name: str) -> None:
    trial, derivation, run = built(name), algorithm(name).derivation, e_step(name)
    value = float(run(derivation.log_likelihood + trial.model.log_prior))
    assert value == pytest.approx(trial.log_likelihood(trial.theta, trial.data), rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [1, 2])
def test_slope_of_q_is_the_slope_of_the_likelihood(name: str, seed: int) -> None:
    """Fisher: ∂Q(θ|θ)/∂θ = ∂ℓ/∂θ, by central differences along a random direction."""
    trial, run, step = built(name), e_step(name), 1e-5
    ends = [walk(trial, trial.theta, seed, length) for length in (step, -step)]
    ahead, behind = (surrogate(name, run, theta) for theta in ends)
    up, down = (trial.log_likelihood(theta, trial.data) for theta in ends)
    assert (ahead - behind) / (2 * step) == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_update_is_the_top_of_q(name: str) -> None:
    trial, derivation, run = built(name), algorithm(name).derivation, e_step(name)
    assert {str(getattr(p, "base", p)) for b in derivation.not_derived for p in b.parameters} == trial.open
    for each in derivation.updates:
        run.define(each.definition.symbol, each.definition.axes, each.value)
    top = {name: np.array(run.values[name], dtype=float) for name in trial.theta}
    if trial.open or trial.conditional:
        return
    height = surrogate(name, run, top)
    for seed in range(3):
        for length in (1e-3, -1e-3, 0.1):
            assert surrogate(name, run, walk(trial, top, seed, length)) < height + 1e-9 * abs(height)


@pytest.mark.parametrize("name", NAMES)
def test_conditional_update_is_the_top_of_q_in_its_own_parameter(name: str) -> None:
    """With the others as they stand when it is updated: the earlier ones new, the later ones old."""
    trial, run = built(name), e_step(name)
    assert trial.conditional == any(
        isinstance(each, Conditional) for each in algorithm(name).derivation.updates
    )
    for each in algorithm(name).derivation.updates:
        run.define(each.definition.symbol, each.definition.axes, each.value)
        if isinstance(each, Conditional):
            own = str(getattr(each.parameter, "base", each.parameter))
            height, at = surrogate(name, run, {}), {own: np.array(run.values[own], dtype=float)}
            for seed in range(3):
                for length in (1e-3, -1e-3, 0.1):
                    moved = move({"parameters": trial.kinds}, at, direction(at, seed), length)
                    assert surrogate(name, run, moved) < height + 1e-9 * abs(height)


@pytest.mark.parametrize("name", NAMES[::2])
def test_emitted_module_is_the_formulas(name: str) -> None:
    trial, derivation, run = built(name), algorithm(name).derivation, e_step(name)
    for each in derivation.updates:
        run.define(each.definition.symbol, each.definition.axes, each.value)
    top = {name: np.array(run.values[name], dtype=float) for name in trial.theta}
    module = algorithm(name).solver()
    assert gap(named(module.em_step(trial.theta, **trial.data)), top) < 1e-9
    objective = module.log_posterior if trial.model.log_prior != 0 else module.log_likelihood
    expected = trial.log_likelihood(trial.theta, trial.data)
    assert objective(trial.theta, **trial.data) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_refusal_names_the_latent(name: str) -> None:
    declare, latent = REFUSALS[name]
    with pytest.raises(NotDerivedError, match=rf"\b{latent}"):
        declare().derive()
