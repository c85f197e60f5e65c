"""Every model of the table: formulas and emitted module against published numbers and plain references.

The formulas are run by `tests/evaluate.py`, which knows nothing of programs and emission, so that a wrong
number tells whether the derivation or the emitted module is at fault.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest
from sympy import Indexed

from symem.derivation import Conditional
from tests.answers import Values, direction, gap, move
from tests.derived import em, named, solver
from tests.evaluate import Evaluator, situation, tabulate, thinned
from tests.models import DERIVED, MODELS, Row

ZOO = [row for row in DERIVED if row.file.get("first")]
BLOCKED = [row for row in MODELS if row.blocked]
PRINTED = [row for row in DERIVED if row.has_textbook]


def over(rows: Sequence[Row], slow: Collection[str] = ()) -> pytest.MarkDecorator:
    """One test a row, those named marked slow."""
    marks = {row.name: [pytest.mark.slow] if row.name in slow else [] for row in rows}
    return pytest.mark.parametrize(
        "row", [pytest.param(row, id=row.name, marks=marks[row.name]) for row in rows]
    )


def name_of(entry: Any) -> str:
    return str(entry.base.label) if isinstance(entry, Indexed) else str(entry)


def point(row: Row, seed: int) -> Values:
    """Parameters in the file's names, off the start and no fixed point."""
    start = row.file["start"]
    return move(row.file, start, direction(start, seed), 0.3)


def objective(row: Row, theta: Values) -> float:
    """The emitted ℓ, with the log-prior in MAP-EM."""
    module = solver(row.name)
    value = module.log_posterior if row.prior else module.log_likelihood
    return float(value(row.theta(theta), **row.data))


def expected(row: Row, theta: Values) -> float:
    """The reference's ℓ, with the constants that the declared model holds beyond it."""
    data = row.file["data"]
    return float(row.reference.log_likelihood(theta, data) + row.constant(data))


@over(DERIVED)
def test_every_parameter_has_an_update(row: Row) -> None:
    derivation = em(row.name).derivation
    assert not derivation.not_derived
    updated = {name_of(update.parameter) for update in derivation.updates}
    assert updated == set(row.theta(row.file["start"]))
    assert any(isinstance(update, Conditional) for update in derivation.updates) == bool(row.conditional)


@over(BLOCKED)
def test_outcome_names_the_parameters_without_closed_form(row: Row) -> None:
    derivation = em(row.name).derivation
    named_ones = {name_of(p) for block in derivation.not_derived for p in block.parameters}
    assert set(row.blocked) <= named_ones
    updated = {name_of(update.parameter) for update in derivation.updates}
    assert not updated & named_ones
    assert updated | named_ones == set(row.theta(row.file["start"]))
    assert all(block.reason and block.term != 0 for block in derivation.not_derived)


@over(BLOCKED)
def test_blocking_equation_is_the_slope_of_the_surrogate(row: Row) -> None:
    """∂Q/∂θ as stated for a block without closed form, against differences of Q at a new θ.

    What is put in is at its update, all else anywhere. Of a vector or a matrix all entries move together: the slope is
    the sum of the gradient.
    """
    derivation = em(row.name).derivation
    for block in derivation.not_derived:
        run = after_e_step(row, row.file["start"])
        run.values.update(row.theta(point(row, 5)))
        for update in derivation.updates:
            if update.parameter in block.put_in:
                run.define(update.definition.symbol, update.definition.axes, update.value)
        entry = block.parameters[0]
        name, place = name_of(entry), tuple(0 for _ in getattr(entry, "indices", ()))
        scope = {str(index): 0 for index in getattr(entry, "indices", ())}
        slope = (
            shifted(run, derivation, name, place, 1e-5) - shifted(run, derivation, name, place, -1e-5)
        ) / 2e-5
        assert np.sum(run(block.equation, scope)) == pytest.approx(slope, rel=1e-5)


def after_e_step(row: Row, theta: Values) -> Evaluator:
    """An evaluator that knows the posterior and the statistics at theta."""
    derivation = em(row.name).derivation
    run = Evaluator(situation(derivation.model, row.data, row.theta(theta), derivation.extents))
    for definition in (*derivation.definitions, *derivation.surrogate.statistics):
        run.define(definition.symbol, definition.axes, definition.value)
    return run


def shifted(run: Evaluator, derivation: Any, name: str, place: tuple[int, ...], step: float) -> float:
    """Q with one entry of the new parameters moved."""
    moved = np.array(run.values[name], dtype=float)
    moved[place] += step
    other = Evaluator({**run.values, name: moved})
    return float(other(derivation.surrogate.value))


def bounded(arrays: Values) -> Values:
    """300 stands for infinity: a formula holds in the limit, but its parts need not."""
    return {name: np.where(np.isinf(value), np.sign(value) * 300.0, value) for name, value in arrays.items()}


def run_formulas(row: Row, theta: Values) -> tuple[Values, float]:
    """One EM step and ℓ, from the records of the derivation by brute force."""
    derivation = em(row.name).derivation
    run = Evaluator(situation(derivation.model, bounded(row.data), row.theta(theta), derivation.extents))
    for definition in derivation.definitions:
        run.define(definition.symbol, definition.axes, definition.value)
    log_likelihood = run(derivation.log_likelihood)
    if row.prior:
        log_likelihood += run(derivation.model.log_prior)
    for definition in derivation.surrogate.statistics:
        run.define(definition.symbol, definition.axes, definition.value)
    run.update(derivation.updates)
    names = {name_of(update.parameter) for update in derivation.updates}
    return {name: np.array(run.values[name], dtype=float) for name in names}, float(log_likelihood)


@over(DERIVED)
def test_formulas_at_the_start(row: Row) -> None:
    start, data = row.file["start"], row.file["data"]
    step, log_likelihood = run_formulas(row, start)
    assert gap(step, row.theta(row.reference.em_step(start, data))) < 1e-9
    assert log_likelihood == pytest.approx(expected(row, start), rel=1e-9)


@over(ZOO)
def test_emitted_first_iterate_and_log_likelihood(row: Row) -> None:
    file = row.file
    step = named(solver(row.name).em_step(row.theta(file["start"]), **row.data))
    assert gap(step, row.theta(file["first"])) < 1e-9
    constant = row.constant(file["data"])
    assert objective(row, file["start"]) - constant == pytest.approx(file["start_log_likelihood"], rel=1e-9)


@over(DERIVED)
@pytest.mark.parametrize("seed", [1, 2])
def test_emitted_module_agrees_with_the_reference(row: Row, seed: int) -> None:
    theta = point(row, seed)
    step = named(solver(row.name).em_step(row.theta(theta), **row.data))
    assert gap(step, row.theta(row.reference.em_step(theta, row.file["data"]))) < 1e-9
    assert objective(row, theta) == pytest.approx(expected(row, theta), rel=1e-9)


def climb(row: Row, steps: int) -> Values:
    """EM steps of the emitted module from the start, until they no longer move."""
    module, data = solver(row.name), row.data
    theta = row.theta(row.file["start"])
    for _ in range(steps):
        new = named(module.em_step(theta, **data))
        if gap(new, theta) < 1e-11:
            return new
        theta = new
    return theta


#: Thousands of steps to the limit.
SLOW = {"map_gamma_poisson", "poisson_mixture_hasselblad", "ibm_model1", "betabinom_latent_beta"}


@over(ZOO, SLOW)
def test_fixed_point(row: Row) -> None:
    file = row.file
    limit = climb(row, 6000 if row.name in SLOW else 1000)
    module = solver(row.name)
    value = (module.log_posterior if row.prior else module.log_likelihood)(limit, **row.data)
    assert value - row.constant(file["data"]) == pytest.approx(file["fixed_point_log_likelihood"], abs=1e-6)
    if row.identified:
        assert gap(limit, row.theta(file["fixed_point"])) < 1e-6


@over(PRINTED, {"dawid_skene", "lca_stouffer_toby", "poisson_mixture_hasselblad", "gmm1d_faithful"})
def test_textbook_update_equals_the_reference(row: Row) -> None:
    """The formula as printed, so that what the derivation is compared with is itself right."""
    start = row.file["start"]
    step = row.theta(row.reference.em_step(start, row.file["data"]))
    run = Evaluator(situation(row.model(), row.data, row.theta(start)))
    for entry, printed in (row.textbook_updates or {}).items():
        found, expected_ones = tabulate(run, entry, printed, step[name_of(entry)])
        assert found.astype(float) == pytest.approx(expected_ones, rel=1e-9)


def exact(row: Row, theta: Values) -> Values:
    """Parameters as binary fractions, a simplex normalised in all digits and off its walls."""
    kinds, many = row.file["parameters"], {}
    for name, value in theta.items():
        digits = np.vectorize(mpmath.mpf, otypes=[object])(value)
        if kinds[name].startswith("simplex"):
            digits = digits + mpmath.mpf("0.01")
            axis = -1 if kinds[name] == "simplex" else None
            digits = digits / digits.sum(axis=axis, keepdims=True)
        many[name] = digits if digits.ndim else digits.item()
    return many


@over(PRINTED)
def test_derived_update_is_the_textbook_one(row: Row) -> None:
    """Both as formulas in the user's symbols, equal in 25 digits off the start."""
    algorithm = em(row.name)
    with mpmath.workdps(40):
        theta = row.theta(exact(row, point(row, 7)))
        arrays = thinned(algorithm.model, row.data, 12)
        run = Evaluator(situation(algorithm.model, arrays, theta, algorithm.derivation.extents), mpmath.mp)
        for entry, printed in (row.textbook_updates or {}).items():
            one, _ = tabulate(run, entry, algorithm.explicit(entry), theta[name_of(entry)])
            other, _ = tabulate(run, entry, printed, theta[name_of(entry)])
            assert np.max(np.abs(one - other) / (1 + np.abs(other))) < 1e-25
