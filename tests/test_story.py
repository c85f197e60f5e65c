"""The steps of a derivation: both sides of every step, evaluated by brute force over the table of models."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Integer

from symem.calculus import maximisers
from symem.calculus.steps import steps
from symem.derivation import Conditional, Derivation, Relation, Shares, Step
from symem.language.plates import Expectation
from symem.language.supports import Binary, Counts, Labels, OneHot, Positive, UnitInterval
from tests.derived import em
from tests.evaluate import Evaluator, situation
from tests.models import DERIVED, FEW, Row, slow_but_for

PLACES = 12
#: Where places of a grid hold no latent, outcomes have no weight (0 log 0), or a few data leave a category out:
#: there the brute-force evaluator has no number, and such places are passed over.
UNDEFINED = {"bivariate_poisson", "bradley_terry", "click_pbm", "dawid_skene"}
ROWS = pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in DERIVED])

SOLVED = {*maximisers.LAWS, "conditional"}

#: A value inside each kind of support.
INSIDE: dict[type, float] = {Binary: 1, Labels: 0, OneHot: 1, Counts: 60, Positive: 0.7, UnitInterval: 0.4}


def told(row: Row) -> Derivation:
    derivation: Derivation = em(row.name).derivation
    return derivation


def few(derivation: Derivation, arrays: dict[str, Any]) -> dict[str, Any]:
    """A few positions of every plate that no parameter has; 300 stands for infinity."""
    model = derivation.model
    kept = {size for variable in model.parameters for size in variable.sizes}
    cut = dict(arrays)
    for variable in model.variables.values():
        if variable.name in cut and variable.sizes:
            whole = np.asarray(cut[variable.name])
            sizes = zip(variable.sizes, whole.shape, strict=False)
            part = whole[
                tuple(slice(None, None, 1 if size in kept else -(-n // PLACES)) for size, n in sizes)
            ]
            cut[variable.name] = (
                np.where(np.isinf(part), np.sign(part) * 300, part) if part.dtype == float else part
            )
    return cut


def before_the_m_step(row: Row, theta: dict[str, Any] | None = None) -> Evaluator:
    """All names at θ⁽ᵗ⁾, or another θ, latents at some point of their supports."""
    derivation = em(row.name).derivation
    data = few(derivation, row.data)
    at = row.theta(row.file["start"]) if theta is None else theta
    run = Evaluator(situation(derivation.model, data, at, derivation.extents))
    for definition in (*derivation.definitions, *derivation.surrogate.statistics):
        run.define(definition.symbol, definition.axes, definition.value)
    for latent in derivation.model.latents:
        value = INSIDE.get(type(latent.support), 0.3)
        shape = tuple(int(run(size)) for size in (*latent.sizes, *latent.shape))
        run.values[latent.name] = np.full(shape, value) if shape else value
        if latent.seen is not None:
            shown, mask = (np.asarray(run.values[str(each.label)]) for each in latent.seen)
            run.values[latent.name] = np.where(mask == 1, shown, value)
    return run


def scopes(derivation: Derivation, step: Step, run: Evaluator) -> Iterator[dict[str, int]]:
    """A few values for the indices that a step leaves free."""
    known = {axis.index: axis.size for axis in axes_of(derivation)}
    free = sorted((s for s in step.before.free_symbols | step.after.free_symbols if s in known), key=str)
    ranges = [range(min(2, int(run(known[index])))) for index in free]
    for place in itertools.product(*ranges):
        yield {str(index): number for index, number in zip(free, place, strict=True)}


def axes_of(derivation: Derivation) -> list[Any]:
    defined = (
        *derivation.definitions,
        *derivation.surrogate.statistics,
        *(u.definition for u in derivation.updates),
    )
    labels = [axis for p in derivation.posteriors for _, axis in p.labels]
    return [*(axis for d in defined for axis in d.axes), *labels]


def value(run: Evaluator, side: Expr, scope: dict[str, int]) -> Any:
    try:
        return np.asarray(run(side, scope), dtype=float)
    except (ValueError, ZeroDivisionError):
        return np.asarray(np.nan)


def assert_sides_agree(row: Row, step: Step, run: Evaluator) -> None:
    run.cache.clear()
    for scope in scopes(em(row.name).derivation, step, run):
        left, right = (value(run, side, scope) for side in (step.before, step.after))
        undefined = row.name in UNDEFINED and (np.isnan(left).any() or np.isnan(right).any())
        alike = np.allclose(left, right, rtol=1e-7, atol=1e-7)
        assert alike or undefined, (step.law.name, scope, left, right)


@ROWS
def test_equal_steps_are_equal(row: Row) -> None:
    derivation, run = told(row), before_the_m_step(row)
    for step in derivation.steps:
        if step.law.relation is Relation.EQUAL:
            assert_sides_agree(row, step, run)


@ROWS
def test_the_multiplier_adds_nothing_on_the_simplex(row: Row) -> None:
    derivation, run = told(row), before_the_m_step(row)
    run.values["lamda"] = 3.0
    for step in derivation.steps:
        if step.law.name == "multiplier":
            assert_sides_agree(row, step, run)


def after_the_m_step(row: Row) -> Evaluator:
    run = before_the_m_step(row)
    for update in em(row.name).derivation.updates:
        definition = update.definition
        run.define(definition.symbol, definition.axes, definition.value)
    return run


@ROWS
def test_the_m_step_holds_at_the_new_parameters(row: Row) -> None:
    """Stationarity, solution and substitution, the parameters being those of the whole M-step."""
    if any(
        place.is_Integer
        for u in em(row.name).derivation.updates
        for place in getattr(u.parameter, "indices", ())
    ):
        pytest.skip("single entries of an array have updates of their own")
    if any(isinstance(update, Conditional) for update in em(row.name).derivation.updates):
        pytest.skip("conditional updates hold one after the other: they are tested so")
    derivation, run = told(row), after_the_m_step(row)
    for step in derivation.steps:
        if step.law.relation is Relation.AT_THE_UPDATE:
            assert_sides_agree(row, scaled(derivation, step), run)


@pytest.mark.parametrize("row", [row for row in DERIVED if row.conditional], ids=lambda row: row.name)
def test_conditional_updates_hold_one_after_the_other(row: Row) -> None:
    """Each derivative vanishes at the new value of its parameter, the others being what they are by then."""
    derivation, run = told(row), before_the_m_step(row)
    for update in derivation.updates:
        run.define(update.definition.symbol, update.definition.axes, update.definition.value)
        steps_here = [s for s in derivation.steps if s.before in (update.equation, update.parameter)]
        if isinstance(update, Conditional):
            for step in (each for each in steps_here if each.law.name != "second order"):
                assert_sides_agree(row, step, run)


def held(run: Evaluator, step: Step) -> Evaluator:
    """With what the step defines."""
    for definition in step.defines:
        run.define(definition.symbol, definition.axes, definition.value)
    return run


def sides(row: Row, step: Step) -> tuple[float, float]:
    """(left at θ, right with its E-step at θ⁽ᵗ⁾) of a bound; θ is θ⁽ᵗ⁺¹⁾, or θ⁽ᵗ⁾ where the two sides are equal."""
    old = held(before_the_m_step(row), step)
    if step.law.relation is Relation.AT_THE_OLD:
        return float(value(old, step.before, {})), float(value(old, step.after, {}))
    new = held(after_the_m_step(row), step)
    new.values |= {str(each.symbol): old.values[str(each.symbol)] for each in step.defines}
    new.cache.clear()
    theta = {v.name: new.values[v.name] for v in em(row.name).model.parameters}
    return float(value(before_the_m_step(row, theta), step.before, {})), float(value(new, step.after, {}))


def holds(row: Row, step: Step) -> bool:
    left, right = sides(row, step)
    slack = 1e-7 * max(1.0, abs(right)) if np.isfinite(right) else 0.0
    if row.name in UNDEFINED and not np.isfinite([left, right]).all():
        return True
    return abs(left - right) <= slack if step.law.relation is Relation.AT_THE_OLD else left >= right - slack


@slow_but_for(DERIVED, {row.name for row in FEW})
def test_the_bound_is_below_everywhere_and_tight_at_the_current_parameters(row: Row) -> None:
    """Where the entropy has no closed form, as that of a count, the two last sides still tell the ascent."""
    found = [step for step in told(row).steps if step.stage == "ascent"]
    assert [step.law.name for step in found][:2] == ["lower bound", "tight bound"]
    for step in found:
        if not any(each.value.has(Expectation) for each in step.defines):
            assert holds(row, step), (step.law.name, sides(row, step))


def test_a_bound_too_high_is_seen() -> None:
    row = next(row for row in DERIVED if row.name == "gmm1d_own_var")
    for step in (step for step in told(row).steps if step.stage == "ascent"):
        assert not holds(row, replace(step, after=step.after + 1000))


def scaled(derivation: Derivation, step: Step) -> Step:
    """λ at its value; a derivative in units of its largest part."""
    values = [u.multiplier for u in derivation.updates if isinstance(u, Shares) and u.equation == step.before]
    return replace(step, before=step.before.xreplace(dict(values[:1]))) if values else step


# the story itself -----------------------------------------------------------------------------------------


@ROWS
def test_the_story_follows_the_textbook(row: Row) -> None:
    derivation = told(row)
    order = ["model", "E-step", "likelihood", "surrogate", "M-step", "ascent"]
    found = [order.index(step.stage) for step in derivation.steps]
    assert found == sorted(found)
    laws = {step.law.name for step in derivation.steps}
    assert laws >= {"elimination", "expectation"}
    assert laws & {"separation", "words"}
    assert laws & {"stationarity", "matrix stationarity"} or not derivation.updates
    assert all(step.reason and "{" not in step.reason for step in derivation.steps)


@ROWS
def test_every_latent_and_every_parameter_has_its_steps(row: Row) -> None:
    derivation = told(row)
    e_step = {"outcomes", "recognition", "known total", "Gaussian vector", "Gaussian entries"}
    assert sum(step.law.name in e_step for step in derivation.steps) == len(derivation.posteriors)
    solved = [step.before for step in derivation.steps if step.law.name in SOLVED]
    assert solved == [update.parameter for update in derivation.updates]


def test_the_second_order_step_is_the_certificates() -> None:
    derivation = steps(em("gmm1d_own_var").derivation)
    last = [step for step in derivation.steps if step.law.name == "second order"]
    assert len(last) == 3
    assert "Gibbs" in last[0].reason


def test_a_wrong_step_is_seen() -> None:
    row = next(row for row in DERIVED if row.name == "gmm1d_own_var")
    derivation, run = told(row), before_the_m_step(row)
    step = next(step for step in derivation.steps if step.law.name == "outcomes")
    with pytest.raises(AssertionError):
        assert_sides_agree(row, replace(step, after=step.after + Integer(1)), run)
