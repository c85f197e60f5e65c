"""Alternatives that a hidden label chooses: ends that cross leave one no probability; counts between real numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Abs, And, Eq, Idx, Indexed, IndexedBase, Or, Piecewise, symbols

from symem import EM, DataError, Exponential, Geometric, Model, Normal, NotDerivedError, Poisson
from symem.language.leaves import name_of

Array = Any
n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
lam, m, t = symbols("lam m t")
u, x, y, q = map(IndexedBase, ["u", "x", "y", "q"])
X, Y, Q = np.array([0, -1, 0.5, 2]), np.array([1, 0.5, 0.2, 1]), np.array([2, 1, 1, 0.0])
WHOLE = np.arange(200)


def _derived(law: Any, relation: Any) -> EM:
    return Model({u[i]: law}, latent=[u], given=[relation]).derive()


def _truncated(low: Array, high: Array) -> tuple[Array, Array, Array]:
    """Mass and first two moments of N(0.3, 1.2²) between ends; nothing where they cross."""
    law = scipy.stats.norm(0.3, 1.2)
    a, b = (low - 0.3) / 1.2, (np.maximum(low, high) - 0.3) / 1.2
    mass = np.where(low < high, law.cdf(high) - law.cdf(low), 0)
    there = mass > 0
    part = scipy.stats.truncnorm(a[there], b[there], 0.3, 1.2)
    first, second = np.zeros(4), np.zeros(4)
    first[there], second[there] = part.mean(), part.var() + part.mean() ** 2
    return mass, mass * first, mass * second


@pytest.mark.slow
def test_an_alternative_whose_ends_cross_has_no_probability() -> None:
    """x < u < y or u > q, in whatever order x, y and q are."""
    em = _derived(Normal(m, t), Or(And(u[i] > x[i], u[i] < y[i]), u[i] > q[i]))
    beyond = np.full(4, np.inf)
    both, one, other = _truncated(np.maximum(X, Q), Y), _truncated(X, Y), _truncated(Q, beyond)
    mass, first, second = (a + b - c for a, b, c in zip(one, other, both, strict=True))
    theta = {"m": 0.3, "t": 1.2}
    given: dict[str, Any] = {"x": X, "y": Y, "q": Q}
    solver = em.solver()
    assert solver.log_likelihood(theta, **given) == pytest.approx(np.log(mass).sum(), rel=1e-12)
    free = {name_of(each) for each in em.log_likelihood.free_symbols if not isinstance(each, Indexed)}
    assert free == {"x", "y", "q", "m", "t", "n"}  # no index of a summed label is left outside its sum
    after = solver.em_step(theta, **given)
    mean = (first / mass).mean()
    assert after.m == pytest.approx(mean, rel=1e-12)
    assert after.t**2 == pytest.approx((second / mass).mean() - mean**2, rel=1e-10)
    assert solver.fit(**given, seed=0).log_likelihood > np.log(mass).sum()


def test_ends_beside_a_support_may_cross() -> None:
    """Below x there is nothing where x < 0."""
    solver = _derived(Exponential(lam), Or(u[i] < x[i], u[i] > q[i])).solver()
    law = scipy.stats.expon(scale=1 / 0.7)
    mass = law.cdf(X) + law.sf(np.maximum(X, Q))
    assert solver.log_likelihood({"lam": 0.7}, x=X, q=Q) == pytest.approx(np.log(mass).sum(), rel=1e-12)


def test_ends_that_a_datum_chooses_are_refused_where_they_cross() -> None:
    seen = Eq(y[i], Piecewise((0, u[i] < x[i]), (1, u[i] < q[i]), (2, True)))
    solver = _derived(Normal(m, t), seen).solver()
    theta = {"m": 0.3, "t": 1.2}
    law = scipy.stats.norm(0.3, 1.2)
    mass = [law.cdf(0), law.cdf(1) - law.cdf(-1), law.sf(1), law.sf(2)]
    value = solver.log_likelihood(theta, x=X, q=Q, y=np.array([0, 1, 2, 2]))
    assert value == pytest.approx(np.log(mass).sum(), rel=1e-12)
    with pytest.raises(DataError, match=r"u\[3\] has no value to take"):
        solver.log_likelihood(theta, x=X, q=Q, y=np.array([0, 1, 2, 1]))


COUNTS: dict[str, tuple[Any, Callable[[Array, int], Array]]] = {
    "two ranges": (
        Or(And(u[i] < x[i], u[i] > y[i]), And(u[i] >= q[i], u[i] <= 9)),
        lambda at, row: (at < X[row]) & (at > Y[row] - 4) | (at >= 4 * Q[row]) & (at <= 9),
    ),
    "between real numbers": (
        And(u[i] > y[i], u[i] <= q[i] + 5),
        lambda at, row: (at > Y[row] - 4) & (at <= 4 * Q[row] + 5),
    ),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_between_real_numbers(name: str) -> None:
    relation, inside = COUNTS[name]
    solver = _derived(Poisson(lam), relation).solver()
    given = {"x": X, "y": Y - 4, "q": 4 * Q}
    asked = {key: value for key, value in given.items() if relation.has(IndexedBase(key))}
    weights = np.array([inside(WHOLE, row) * scipy.stats.poisson.pmf(WHOLE, 3.3) for row in range(4)])
    value = np.log(weights.sum(1)).sum()
    assert solver.log_likelihood({"lam": 3.3}, **asked) == pytest.approx(value, rel=1e-12)
    mean = (weights @ WHOLE / weights.sum(1)).mean()
    assert solver.em_step({"lam": 3.3}, **asked).lam == pytest.approx(mean, rel=1e-12)


def test_a_waiting_time_beyond_a_real_number() -> None:
    solver = _derived(Geometric(lam), u[i] > y[i]).solver()
    after = solver.em_step({"lam": 0.4}, y=np.array([0.5, 2.0, 3.7, 0.0]))
    assert 1 / after.lam == pytest.approx(np.mean([1, 3, 4, 1]) + 1 / 0.4 - 1)


@pytest.mark.parametrize(
    "relation", [Abs(u[i] - 5) >= 2, Abs(u[i] - 5) >= y[i], Or(u[i] < x[i], u[i] > y[i])]
)
def test_counts_without_a_last_value_are_refused_in_each_alternative(relation: Any) -> None:
    with pytest.raises(NotDerivedError, match="a label over a grid of its values"):
        _derived(Poisson(lam), relation)
