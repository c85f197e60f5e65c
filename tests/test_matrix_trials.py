"""Claims of matrix updates at random points: right ones hold, and every kind of wrong one fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sympy import Expr, Pow, Sum

from symem.calculus.numeric import Trials
from symem.calculus.trials import Trial
from symem.derivation import Closed, Conditional, Derivation, Update
from symem.evaluation.arithmetic import Arithmetic
from symem.language.matrices import ENTRY, BlockInverse, Diagonal, transpose
from symem.language.plates import index_symbol
from symem.language.traces import element, log_det, trace
from tests.derived import em
from tests.handmade_matrices import d, factor_analysis, full_mixture, missing_entries, n

ORIGINALS = (full_mixture, factor_analysis, missing_entries)


@cache
def trials(original: Callable[[], Derivation]) -> Trials:
    return Trials(original(), 3)


def updated(whole: Derivation, name: str) -> Update:
    return next(each for each in whole.updates if str(each.parameter).startswith(name))


def changed(whole: Derivation, name: str, change: Callable[[Expr], Expr]) -> tuple[Trials, Update]:
    """The trials of a derivation with another value for one update."""
    old = updated(whole, name)
    new = replace(old, definition=replace(old.definition, value=change(old.value)))
    updates = tuple(new if each is old else each for each in whole.updates)
    return Trials(replace(whole, updates=updates), 3), new


@pytest.mark.parametrize("original", ORIGINALS)
def test_the_updates_of_the_textbook_hold(original: Callable[[], Derivation]) -> None:
    found = trials(original)
    for update in original().updates:
        assert found.stationary(update) is True, update.parameter
        assert found.feasible(update) is True, update.parameter
    if original is not full_mixture:  # the blocks of a handmade record are not told apart from its weights
        assert found.maximal(original().updates[-1]) is True


WRONG: list[tuple[Callable[[], Derivation], str, Callable[[Expr], Expr]]] = [
    (full_mixture, "mu", lambda value: 2 * value),
    (full_mixture, "Sigma", lambda value: value + 1),
    (full_mixture, "Sigma", lambda value: 1.1 * value),
    (factor_analysis, "W", lambda value: -value),
    (factor_analysis, "psi", lambda value: value + 1),
    (missing_entries, "Sigma", lambda value: value * n / (n - 1)),
    (missing_entries, "mu", lambda value: -value),
]


@pytest.mark.parametrize(
    ("original", "name", "change"), WRONG, ids=lambda each: getattr(each, "__name__", each)
)
def test_a_wrong_update_is_not_stationary(
    original: Callable[[], Derivation], name: str, change: Callable[[Expr], Expr]
) -> None:
    found, update = changed(original(), name, change)
    assert found.stationary(update) is False


@pytest.mark.parametrize("change", [lambda value: -value, lambda value: value * Diagonal(ENTRY + 1, d)])
def test_a_matrix_outside_its_support_is_seen(change: Callable[[Expr], Expr]) -> None:
    found, update = changed(full_mixture(), "Sigma", change)
    assert found.feasible(update) is False


def test_upside_down_is_no_maximum() -> None:
    whole = missing_entries()
    surrogate = replace(whole.surrogate, value=-whole.surrogate.value)
    update = whole.updates[-1]
    assert Trials(replace(whole, surrogate=surrogate), 3).maximal(update) is False


def test_conditional_maximisers_are_met_where_they_stand() -> None:
    whole = em("common_mean_vector").derivation
    found = Trials(whole, 2)
    assert all(found.stationary(each) for each in whole.updates)
    assert all(found.maximal(each) for each in whole.updates)
    at_once = tuple(Closed(**vars(u)) if isinstance(u, Conditional) else u for u in whole.updates)
    together = replace(whole, updates=at_once)
    assert not all(Trials(together, 2).stationary(each) for each in together.updates)


def test_the_numbers_of_matrices() -> None:
    whole = missing_entries()
    arrays = Trial(whole, 0).arrays
    numbers, plain = Arithmetic(arrays), arrays["Sigma"]
    Sigma, i = whole.model.variable("Sigma").symbol, index_symbol("i")
    assert np.linalg.eigvalsh(plain)[0] > 0
    assert numbers(Sigma) == pytest.approx(plain)
    assert numbers(log_det(Sigma, d)) == pytest.approx(np.linalg.slogdet(plain)[1])
    assert numbers(trace(Pow(Sigma, -1) + 2, d)) == pytest.approx(np.trace(np.linalg.inv(plain)) + 6)
    assert numbers(element(Sigma, 0, 1)) == plain[0, 1]
    mask = whole.model.variable("observed_x").symbol[0, ENTRY]
    hidden = np.flatnonzero(arrays["observed_x"][0] == 0)
    block = numbers(BlockInverse(Sigma, mask, d))
    assert block[np.ix_(hidden, hidden)] == pytest.approx(np.linalg.inv(plain[np.ix_(hidden, hidden)]))
    x = whole.model.variable("x").symbol[i]
    squares = numbers(Sum(x * transpose(x), (i, 0, n - 1)))
    assert squares == pytest.approx(arrays["x"].T @ arrays["x"])


def test_a_diagonal_of_numbers() -> None:
    found = Arithmetic({"d": 3})(Diagonal(2 * ENTRY + 1, d))
    assert found == pytest.approx(np.diag([1.0, 3.0, 5.0]))
