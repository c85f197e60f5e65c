"""Models that nobody thought of, held against their own density: log-likelihood, posterior, iterate, module.

Sixty of them belong to the tests, eight to the quick ones; `SYMEM_RANDOM_MODELS=5000 python -m pytest
tests/test_random_models.py` tries as many as are asked for. The number of a test is the seed of its model.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest

from symem import BudgetError, NotDerivedError
from symem.derivation import Conditional
from symem.language.leaves import name_of
from tests.answers import gap, move
from tests.derived import named
from tests.evaluate import Evaluator, situation
from tests.random_models import RandomModel, Values, entries, random_model

#: Eight that are derived soon and show each part. In the module of 12 a name was read that nothing set; in that of 38
#: the log-likelihood of a row was two numbers where it did not fit a line.
QUICK = (0, 4, 6, 12, 20, 24, 31, 38)
WANTED = int(os.environ.get("SYMEM_RANDOM_MODELS", "60"))
SEEDS = [pytest.param(seed, marks=[pytest.mark.slow] * (seed not in QUICK)) for seed in range(WANTED)]
#: The part of models that must be derived; what is left may be refused, and says why.
DERIVED = 0.9
#: Steps of differences, and what a slope may be by rounding and by the third derivative.
_STEPS, _FLAT = (1e-3, 5e-4), 2e-6
_EDGE = 1e-12


@cache
def derived(seed: int) -> tuple[RandomModel, Any]:
    """The model of that number, and its algorithm; None where it is refused."""
    case = random_model(seed)
    try:
        em = case.model().derive(budget=60)
    except (NotDerivedError, BudgetError):
        return case, None
    return case, None if em.derivation.not_derived else em


def slopes(case: RandomModel, belief: Any, theta: Values, of: set[str]) -> Iterator[tuple[str, float]]:
    """Of the density's own Q along each entry of these parameters, inside their supports: just inside where one is 0 or 1."""
    file = {"parameters": case.kinds}
    ends = {name: _EDGE if kind == "unit" else -np.inf for name, kind in case.kinds.items()}
    theta = {name: np.clip(value, ends[name], 1 - ends[name]) for name, value in theta.items()}
    for said, direction in entries({name: theta[name] for name in of}):
        whole = {**{name: np.zeros(np.shape(theta[name])) for name in theta}, **direction}
        rough, fine = (
            (
                case.surrogate(belief, move(file, theta, whole, step))
                - case.surrogate(belief, move(file, theta, whole, -step))
            )
            / (2 * step)
            for step in _STEPS
        )
        yield said, (4 * fine - rough) / 3


def stages(em: Any, before: Values, after: Values) -> Iterator[tuple[Values, set[str]]]:
    """Where Q should be at its top, and in which parameters: one by one where they are maximised conditionally."""
    updates = em.derivation.updates
    if not any(isinstance(update, Conditional) for update in updates):
        yield after, set(after)
        return
    here = dict(before)
    for key, group in itertools.groupby(
        updates, lambda u: name_of(u.parameter) if isinstance(u, Conditional) else ""
    ):
        together = {name_of(update.parameter) for update in group}
        here |= {name: after[name] for name in together}
        yield dict(here), {key} if key else together


def by_formulas(em: Any, case: RandomModel) -> tuple[Values, float, Mapping[str, Any]]:
    """The iterate, the log-likelihood and all arrays by a slow and obvious reading of the records."""
    derivation = em.derivation
    run = Evaluator(situation(em.model, case.data, case.theta, derivation.extents))
    for each in (*derivation.definitions, *derivation.surrogate.statistics):
        run.define(each.symbol, each.axes, each.value)
    value = float(run(derivation.log_likelihood))
    for each in derivation.updates:
        run.define(each.definition.symbol, each.definition.axes, each.value)
    after = {
        name: np.array(run.values[name], dtype=float).reshape(np.shape(case.theta[name]))
        for name in case.theta
    }
    return after, value, run.values


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_model(seed: int) -> None:
    case, em = derived(seed)
    if em is None:
        return
    module, theta = em.solver(verify=False), case.theta
    truth = case.log_likelihood(theta)
    assert module.log_likelihood(theta, **case.data) == pytest.approx(truth, rel=1e-8, abs=1e-8), case.said
    belief = case.responsibilities(theta)
    shown = module.posterior(theta, **case.data)._asdict()
    for name in case.labels if len(case.labels) == 1 and case.effect is None else ():
        right = case.shares(belief, name)
        assert np.allclose(np.reshape(shown[name], right.shape), right, rtol=1e-8, atol=1e-10), case.said
    after = named(module.em_step(theta, **case.data))
    formulas, value, _arrays = by_formulas(em, case)
    assert value == pytest.approx(truth, rel=1e-8, abs=1e-8), case.said
    assert gap(after, formulas) < 1e-8, case.said
    climbed = case.log_likelihood(after) + case.log_prior(after)
    assert climbed >= truth + case.log_prior(theta) - 1e-8 * (1 + abs(truth)), case.said
    for here, moved in stages(em, theta, after):
        steep = {said: slope for said, slope in slopes(case, belief, here, moved) if not abs(slope) < _FLAT}
        assert not steep, f"{case.said}: {steep}"


def test_the_dozen_is_derived() -> None:
    assert not [seed for seed in QUICK if derived(seed)[1] is None]


@pytest.mark.slow
def test_most_of_all_are_derived() -> None:
    refused = [f"{seed}: {derived(seed)[0].said}" for seed in range(WANTED) if derived(seed)[1] is None]
    assert len(refused) <= (1 - DERIVED) * WANTED, "\n".join(refused)


def test_the_models_are_of_all_kinds() -> None:
    """Each part is drawn often enough, and models differ."""
    said = [random_model(seed).said for seed in range(120)]
    assert len(set(said)) > 90
    parts = (
        "labels: none", "labels: one", "labels: coin", "labels: two", "labels: chain", "effect: shift", "effect: rate",
        "effect: precision", "slope", "in draws", "prior on", "missing", "weights", "geometric", "gamma", "h: ",
    )  # fmt: skip
    assert all(sum(part in each for each in said) >= 5 for part in parts)
