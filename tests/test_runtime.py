"""The loop on its own: what it returns, when it stops, and what it says when a step is wrong."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from symem.codegen.numpy.runtime_text import definitions
from symem.runtime import description, draws, kernels, with_scipy
from symem.runtime.loop import (
    BoundaryWarning,
    DataError,
    EmptyComponentWarning,
    LikelihoodFellWarning,
    NotConvergedWarning,
    _iterate,
)
from symem.runtime.outcome import _warn_of_edges
from symem.runtime.restarts import _best, _random_starts


class Point(NamedTuple):
    a: Any


class AboveZero:
    """Every entry must be positive."""

    def hold(self, theta: Any) -> bool:
        return bool(np.all(theta.a > 0))

    def left(self, _name: str, value: Any, _least: float | None) -> Any:
        return np.less_equal(value, 0)


def halving(theta: Point) -> tuple[Point, float]:
    """Towards 0, where the objective -a^2 is largest."""
    return Point(theta.a / 2), float(-np.sum(np.square(theta.a)))


def test_the_history_holds_every_iterate() -> None:
    last, history, converged, stopped, _ = _iterate(halving, Point(1.0), scale=1, tol=1e-6, max_iter=100)
    assert not stopped
    assert converged
    assert history == [-(4.0**-t) for t in range(len(history))]
    assert -history[-1] == pytest.approx(last.a**2)
    assert 0 - history[-1] <= 1e-9 < 0 - history[-2]  # what is left is known: a third of the last step


def test_no_iteration_is_the_start() -> None:
    last, history, converged, *_ = _iterate(halving, Point(1.0), scale=1, tol=1e-6, max_iter=0)
    assert (last.a, history, converged) == (1.0, [-1.0], False)


def test_a_fall_is_named() -> None:
    with pytest.warns(LikelihoodFellWarning, match="fell by 3 in iteration 1"):
        _iterate(lambda p: (Point(2 * p.a), -(p.a**2)), Point(1.0), scale=1, tol=0.0, max_iter=1)


def test_an_undetermined_entry_keeps_its_value() -> None:
    def step(theta: Point) -> tuple[Point, float]:
        return Point(np.array([theta.a[0] / 2, np.nan])), float(-np.sum(theta.a))

    with pytest.warns(EmptyComponentWarning, match=r"a\[1\]"):
        last, *_ = _iterate(step, Point(np.array([1.0, 7.0])), scale=1, tol=0.0, max_iter=3)
    assert last.a.tolist() == [0.125, 7.0]


def test_a_hopeless_step_is_an_error() -> None:
    with pytest.raises(DataError, match="is nan at the start"):
        _iterate(lambda p: (p, float("nan")), Point(2.0), scale=1, tol=0.0, max_iter=3)
    with pytest.raises(DataError, match="became nan"):
        _iterate(
            lambda p: (Point(3.0), 0.0 if p.a < 3 else float("nan")), Point(2.0), scale=1, tol=0.0, max_iter=3
        )


def test_a_spread_of_zero_keeps_its_value_and_is_named_once() -> None:
    def step(theta: Point) -> tuple[Point, float]:
        return Point(theta.a * [0.5, 0.0]), float(np.log(theta.a[1]) - theta.a[0])

    with np.errstate(divide="ignore"), pytest.warns(BoundaryWarning, match=r"a\[1\] fell to 0") as said:
        last, *_ = _iterate(
            step,
            Point(np.array([1.0, 7.0])),
            scale=1,
            tol=0.0,
            max_iter=3,
            supports=AboveZero(),
        )
    assert last.a.tolist() == [0.125, 7.0]
    assert len(said) == 1


def test_a_failed_run_counts_only_if_all_fail() -> None:
    def step(theta: Point) -> tuple[Point, float]:
        return (theta, float("nan")) if theta.a > 5 else halving(theta)

    best, ends = _best(step, [Point(9.0), Point(1.0)], scale=1, tol=1e-9, max_iter=100)
    assert best.converged
    assert np.isnan(ends[0])
    assert ends[1] == best.history[-1]
    with pytest.raises(DataError, match="at the start"):
        _best(step, [Point(9.0)], scale=1, tol=1e-9, max_iter=100)


def test_the_best_run_wins() -> None:
    best, ends = _best(halving, [Point(3.0), Point(1.0)], scale=1, tol=0.0, max_iter=5000)
    assert best.converged
    assert len(ends) == 2
    assert best.theta.a == 0.0 or best.history[-1] > -1e-300


def test_no_run_begins_after_one_that_is_stopped() -> None:
    """Also if an earlier one is better: what was asked for has not been done."""
    told: list[int] = []

    def tell(iteration: int, theta: Point, _value: float, _left: float) -> bool:
        told.append(iteration)
        return bool(theta.a == 1.5)

    best, ends = _best(
        halving, [Point(1.0), Point(3.0), Point(5.0)], scale=1, tol=1e-9, max_iter=100, tell=tell
    )
    assert (len(ends), told[-1]) == (2, 1)
    assert best.stopped
    assert not best.converged
    assert best.history[-1] == ends[0] > ends[1] == -2.25


def test_max_iter_is_said() -> None:
    with pytest.warns(NotConvergedWarning, match="after 2 iterations"):
        _best(halving, [Point(3.0)], scale=1, tol=0.0, max_iter=2)


def test_starts_are_reproducible_and_skip_what_fails() -> None:
    def step(theta: Point) -> tuple[Point, float]:
        return (theta, float("nan")) if theta.a < 0.3 else halving(theta)

    one, two = (_random_starts(lambda rng: Point(rng.uniform(0, 100)), step, 3, 2) for _ in range(2))
    assert [p.a for p in one] == [p.a for p in two]
    with pytest.raises(DataError, match="give start="):
        _random_starts(lambda _rng: Point(0.1), step, 3, 1)


def test_only_a_rising_objective_makes_an_edge() -> None:
    table = {"a": description.Array("", "positive")}
    flat, steep = (lambda _theta: 0.0), (lambda theta: -5.0 * float(np.log(theta.a)))
    _warn_of_edges(Point(1.0), Point(1e-9), table, flat)
    with pytest.warns(BoundaryWarning, match="a = 1e-09"):
        _warn_of_edges(Point(1.0), Point(1e-9), table, steep)


def test_kernels_agree_with_their_definitions() -> None:
    weight = np.random.default_rng(0).normal(size=(3, 4)) * 50
    expected = np.exp(weight - np.logaddexp.reduce(weight, axis=0))
    normaliser = np.logaddexp.reduce(weight, axis=0)
    for softmax in (kernels._softmax, kernels._guarded_softmax):
        table = weight.copy()
        np.testing.assert_allclose(softmax(table, 0), normaliser)
        np.testing.assert_allclose(table, expected, rtol=1e-12)


def test_an_impossible_column_has_no_weight() -> None:
    table = np.array([[0.0, -np.inf], [-np.inf, -np.inf]])
    with np.errstate(divide="ignore"):
        normaliser = kernels._guarded_softmax(table, 0)
    np.testing.assert_array_equal(table, [[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(DataError, match=r"Row 11 \(counted from 0\) is impossible"):
        kernels._refuse_impossible(normaliser, 10)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-1e100, 1e100, 0.0),
        (-1.0, 1.0, -0.38171507),
        (30.0, 31.0, -454.32124395),
        (-31.0, -30.0, -454.32124395),
        (0.0, 1e100, -0.69314718),
        (5.0, 5.0 + 1e-9, -34.14220437),
    ],
)
def test_the_normal_interval_keeps_its_digits(low: float, high: float, expected: float) -> None:
    with np.errstate(all="ignore"):
        assert with_scipy._log_normal_interval(low, high) == pytest.approx(expected, abs=2e-6)


def test_a_singular_system_has_its_shortest_solution() -> None:
    np.testing.assert_allclose(kernels._solve(np.ones((2, 2)), np.array([2.0, 2.0])), [1.0, 1.0])
    np.testing.assert_allclose(kernels._solve(np.diag([2.0, 4.0]), np.array([2.0, 2.0])), [1.0, 0.5])


def test_draws_respect_bounds() -> None:
    rng = np.random.default_rng(0)
    low, high = np.array([0.0, 5.0, -1e100]), np.array([1.0, 1e100, -3.0])
    values = draws._drawn(rng, "real", (3,), low=low, high=high)
    assert np.all((values > low) & (values < high))
    assert np.all(draws._drawn(rng, "positive", (50,)) > 0)


def test_restricted_tables_are_normalised() -> None:
    table = draws._restricted(np.full((2, 3), 0.5), np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]), 0)
    np.testing.assert_allclose(table.sum(axis=0), [1.0, 0.0, 1.0])


def test_no_two_definitions_of_the_runtime_share_a_name() -> None:
    """Its modules are joined into one."""
    names = definitions()
    assert len(names) == len(set(names))
