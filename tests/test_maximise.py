"""The M-step's solver on its own: closed forms, simplexes, roots by support, and honest refusals."""

from __future__ import annotations

from typing import Any

import pytest
from sympy import (
    Expr,
    Idx,
    IndexedBase,
    Max,
    Min,
    S,
    Sum,
    Symbol,
    exp,
    log,
    loggamma,
    simplify,
    sqrt,
    symbols,
)

from symem import Interval, NotDerivedError, Positive, Reals, Simplex, UnitInterval, maximise

n, K, J = symbols("n K J", integer=True, positive=True)
i, k, j, g = Idx("i", n), Idx("k", K), Idx("j", J), Idx("g", J)
a, b, c = symbols("a b c", positive=True)
u, v, m = symbols("u v m")
x, p, w, X, y = map(IndexedBase, ["x", "p", "w", "X", "y"])


def same(one: Expr, other: Expr) -> bool:
    return bool(simplify(one - other) == 0)


@pytest.mark.parametrize(
    ("objective", "parameters", "expected"),
    [
        (a * log(u) - b * u, {u: Positive()}, {u: a / b}),
        (a * log(u) + b * log(1 - u), {u: UnitInterval()}, {u: a / (a + b)}),
        (-a * log(u) - b / (2 * u**2), {u: Positive()}, {u: sqrt(b / a)}),
        (a * u - b * exp(u), {u: Reals()}, {u: log(a / b)}),
        (-a * (u - b) ** 2, {u: Reals()}, {u: b}),
        (-a * log(u) - b / (2 * u**2) + c / u, {u: Positive()}, {u: (-c + sqrt(c**2 + 4 * a * b)) / (2 * a)}),
        (a * log(u) + b * log(v), {(u, v): Simplex()}, {u: a / (a + b), v: b / (a + b)}),
        (a * log(p[0]) + b * log(p[1]), {p: Simplex()}, {p[0]: a / (a + b), p[1]: b / (a + b)}),
        (-((u + v - a) ** 2) - (u - v - b) ** 2, {u: Reals(), v: Reals()}, {u: (a + b) / 2, v: (a - b) / 2}),
        (
            -a * log(v) / 2 - (b - 2 * c * m + a * m**2) / (2 * v),
            {m: Reals(), v: Positive()},
            {m: c / a, v: b / a - c**2 / a**2},
        ),
    ],
)
def test_closed_forms(objective: Expr, parameters: dict[Any, Any], expected: dict[Any, Expr]) -> None:
    found = maximise(objective, parameters)
    assert set(found) == set(expected)
    assert all(same(found[key].subs(m, c / a), expected[key].subs(m, c / a)) for key in expected)


def test_the_most_uncertain_law_is_even() -> None:
    assert maximise(-Sum(p[i] * log(p[i]), i), {p: Simplex()}) == {p: 1 / n}


def test_a_simplex_of_symbolic_size() -> None:
    assert same(maximise(Sum(x[k] * log(w[k]), k), {w: Simplex()})[w], x[k] / Sum(x[k], (k, 0, K - 1)))


def test_rows_on_simplexes() -> None:
    found = maximise(Sum(X[k, j] * log(w[k, j]), j, k), {w: Simplex()})[w]
    assert same(found, X[k, j] / Sum(X[k, j], (j, 0, J - 1)))


def test_a_simplex_over_two_axes() -> None:
    found = maximise(Sum(X[k, j] * log(w[k, j]), j, k), {w: Simplex(axes=2)})[w]
    assert found == X[k, j] / Sum(X[k, j], (k, 0, K - 1), (j, 0, J - 1))


def test_mean_before_variance_at_every_index() -> None:
    found = maximise(
        Sum(-a * log(p[k]) / 2 - (x[k] - 2 * y[k] * w[k] + a * w[k] ** 2) / (2 * p[k]), k),
        {w: Reals(), p: Positive()},
    )
    assert same(found[w], y[k] / a)
    assert same(found[p], x[k] / a - y[k] ** 2 / a**2)


@pytest.mark.parametrize(
    ("objective", "parameters", "blamed"),
    [
        (a * u - b * loggamma(u), {u: Reals()}, "u"),
        (a * u - b * loggamma(u) ** 2, {u: Positive()}, "u"),
        (-a * log(1 + exp(u)) + b * u * u, {u: Reals()}, "u"),
        (
            -(a * (u - b) ** 2) / v - (u - c) ** 2 / m - log(v) - log(m),
            {u: Reals(), v: Positive(), m: Positive()},
            "u",
        ),
        (a * log(u) + b * log(1 - u + v) + log(v), {u: UnitInterval(), v: Reals()}, "u"),
    ],
)
def test_no_closed_form_names_the_parameter_and_the_term(
    objective: Expr, parameters: dict[Any, Any], blamed: str
) -> None:
    with pytest.raises(NotDerivedError, match="No closed form") as refusal:
        maximise(objective, parameters)
    assert blamed in str(refusal.value)
    assert "term" in str(refusal.value)


def test_an_incomplete_simplex_is_refused() -> None:
    with pytest.raises(NotDerivedError):
        maximise(a * log(p[0]) + b * log(p[2]), {p: Simplex()})


def test_literals_beside_a_running_index() -> None:
    found = maximise(-Sum((w[k] - x[k]) ** 2, k) - Symbol("h", positive=True) * w[0] ** 2 * 0, {w: Reals()})
    assert same(found[w], x[k])


@pytest.mark.parametrize(
    ("objective", "support", "expected"),
    [
        (-((u - 3) ** 2), UnitInterval(), 1),
        (-((u + 3) ** 2), UnitInterval(), 0),
        (-((u - a) ** 2), UnitInterval(), Min(1, a)),
        (-((u - m) ** 2), Interval(-1, 2), Min(2, Max(-1, m))),
        (5 * log(u) - 2 * u, Interval(0, 2), 2),
    ],
)
def test_the_maximum_over_a_support_with_ends(objective: Expr, support: Any, expected: Any) -> None:
    found = maximise(objective, {u: support})[u]
    for value in (-2.5, 0.3, 0.9, 4.0):
        at = {a: abs(value), m: value}
        assert found.subs(at) == (expected.subs(at) if isinstance(expected, Expr) else expected)


def test_a_share_that_would_be_negative_is_zero_though_the_others_would_not() -> None:
    assert maximise(2 * log(u) - log(v) + 3 * log(m), {(u, v, m): Simplex()}) == {
        u: 2 / S(5),
        v: 0,
        m: 3 / S(5),
    }
