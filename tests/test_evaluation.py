"""What a formula is worth: as numbers, as a tree, and by the slow evaluator of the tests."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from sympy import (
    And,
    Eq,
    IndexedBase,
    Integer,
    Piecewise,
    Product,
    Sum,
    Symbol,
    besselk,
    exp,
    expint,
    log,
    loggamma,
    symbols,
    uppergamma,
)

from symem.derivation import Definition
from symem.errors import UnknownSymbolError
from symem.evaluation.arithmetic import Arithmetic, evaluate
from symem.evaluation.members import random_member
from symem.evaluation.points import Moving
from symem.evaluation.specialise import Specialiser
from symem.evaluation.trees import Apply, Constant
from symem.language.matrices import MatrixArray, T
from symem.language.plates import Axis, Iverson, LinearSolution, index_symbol
from symem.language.supports import Counts, Interval
from symem.language.traces import log_det, trace
from symem.language.variables import Role, Variable
from tests.evaluate import Evaluator

i, j, k, m = map(index_symbol, "ijkm")
n, K, d = symbols("n K d", integer=True, positive=True)
a, b, s = symbols("a b s", positive=True)
x, w, G = IndexedBase("x"), IndexedBase("w"), IndexedBase("G")
z, mu = IndexedBase("z"), IndexedBase("mu")
C, v = MatrixArray("C", d, d, "positive definite"), MatrixArray("v", d, 1)


def arrays() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(2, 3, 5))
    return {
        "n": 4,
        "K": 2,
        "d": 3,
        "a": 1.7,
        "b": 0.4,
        "s": 2.5,
        "z": np.array([0, 1, 1, 0]),
        "x": rng.normal(size=4),
        "w": np.array([0.3, 0.7]),
        "mu": np.array([-1.0, 2.0]),
        "G": rng.normal(size=(3, 3)),
        "C": roots @ roots.transpose(0, 2, 1),
        "v": rng.normal(size=(4, 3)),
    }


SCALARS = [
    Sum(w[k] * Sum((x[i] - mu[k]) ** 2, (i, 0, n - 1)), (k, 0, K - 1)) / s,
    Sum(log(w[z[i]]) - (x[i] - mu[z[i]]) ** 2 / 2, (i, 0, n - 1)),
    Product(Sum(w[k] * exp(-((x[i] - mu[k]) ** 2)), (k, 0, K - 1)), (i, 0, n - 1)),
    Sum(Iverson(And(Eq(z[i], 1), x[i] > 0)) * x[i], (i, 0, n - 1)) + loggamma(a),
    Sum(x[i], (i, 1, n - 2)) + Piecewise((a, a > 2), (b, True)),
    Sum(LinearSolution(k, j, m, G[j, m], x[j] + b, Integer(3)) * (k + 1), (k, 0, 2)),
    Iverson(x[0] > 5) * log(x[0] - 5) + s,
    Sum(trace(C[z[i]] ** -1 * v[i] * T(v[i]), d) - log_det(C[z[i]], d), (i, 0, n - 1)),
    uppergamma(a, b),
]


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("expr", SCALARS, ids=str)
def test_numbers_and_trees_agree_with_the_slow_evaluator(expr: Any) -> None:
    slow = float(Evaluator(arrays())(expr))
    assert Arithmetic(arrays()).number(expr) == pytest.approx(slow, rel=1e-12)
    assert Specialiser(arrays()).number(expr) == pytest.approx(slow, rel=1e-12)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("expr", SCALARS, ids=str)
def test_points_are_one_more_plate(expr: Any) -> None:
    given, rng = arrays(), np.random.default_rng(1)
    moves = {
        name: rng.uniform(0.9, 1.1, (5, *np.shape(given[name]))) * given[name]
        for name in ("w", "mu", "b", "C")
    }
    moves["C"] = (moves["C"] + moves["C"].transpose(0, 1, 3, 2)) / 2
    found = Arithmetic({**given, **{name: Moving(values) for name, values in moves.items()}}).numbers(expr)
    alone = [
        Arithmetic({**given, **{name: each[p] for name, each in moves.items()}}).number(expr)
        for p in range(5)
    ]
    assert found == pytest.approx(np.array(alone), rel=1e-12)


def test_definitions_at_points_are_those_of_each_point() -> None:
    """Whole arrays, single entries, matrices and vectors, one after the other."""
    program = [
        Definition(w[i, k], (Axis(i, n), Axis(k, K)), a * x[i] + mu[k]),
        Definition(mu[1], (), Sum(w[i, 1], (i, 0, n - 1))),
        Definition(C[k], (Axis(k, K),), Sum(v[i] * T(v[i]), (i, 0, n - 1)) * mu[k]),
        Definition(v[k], (Axis(k, K),), C[k] * v[k + 1]),
    ]
    given, other = arrays(), np.array([0.5, 1.5, 4.0])
    found = evaluate(program, {**given, "a": Moving(other)})
    for place, number in enumerate(other):
        alone = evaluate(program, {**given, "a": number})
        for name in ("w", "mu", "C", "v"):
            assert found[name].values[place] == pytest.approx(alone[name]), name
    assert alone["w"][2, 1] == pytest.approx(4 * given["x"][2] + 2)
    assert alone["mu"] == pytest.approx(np.array([-1, alone["w"][:, 1].sum()]))
    assert alone["v"][1] == pytest.approx(alone["C"][1] @ given["v"][2])


def test_what_stays_unknown_is_a_tree() -> None:
    given = {name: value for name, value in arrays().items() if name != "a"}
    tree = Specialiser(given, parameters=frozenset("a"))(
        a * Sum(x[i], (i, 0, n - 1)) + Iverson(b > 1) * log(a)
    )
    assert isinstance(tree, Apply)
    assert tree.function == "Mul"
    assert tree.arguments[0] == Constant(pytest.approx(given["x"].sum()))


def test_a_function_without_a_row_is_worth_what_sympy_says() -> None:
    values = np.array([0.5, 2.0])
    found = Arithmetic({"x": values}).table(expint(1, x[i]), (i,), (2,))
    assert found == pytest.approx(
        np.array([0.5597735947761608, 0.0489005107080611]), rel=1e-12
    )  # Abramowitz & Stegun 5.1


def test_what_has_no_value_is_named() -> None:
    with pytest.raises(UnknownSymbolError, match="No value for mu"):
        Arithmetic({"n": 2}).number(Sum(mu[i], (i, 0, n - 1)))


def test_ends_that_arrays_decide_are_kept() -> None:
    low, high = np.array([0, 3, 7]), np.array([0, 5, 30])
    variable = Variable("y", x, Role.DATA, (Integer(3),), Counts(), x)
    drawn = random_member(variable, np.random.default_rng(0), {}, (low, high))
    assert np.all((low <= drawn) & (drawn <= high))
    variable = Variable("y", x, Role.DATA, (Integer(3),), Interval(0, 1), x)
    drawn = random_member(variable, np.random.default_rng(0), {}, (low - 0.5, high + 0.5))
    assert np.all((low - 0.5 < drawn) & (drawn < high + 0.5))


@pytest.mark.parametrize("argument", [1e-200, 3e-3, 40.0, 3e4])
@pytest.mark.parametrize("order", [1, 24])
def test_ratios_of_bessel_functions_are_numbers_where_these_are_none(order: int, argument: float) -> None:
    """The moments of a generalised inverse Gaussian law at its ends, in 40 digits."""
    root = Symbol("root", positive=True)
    run = Arithmetic({"root": argument})
    with mpmath.workdps(40):
        value = mpmath.besselk(order, mpmath.mpf(argument))
        ratio, logarithm = mpmath.besselk(order + 1, mpmath.mpf(argument)) / value / 7, mpmath.log(value)
        assert run.number(besselk(order + 1, root) / (7 * besselk(order, root))) == pytest.approx(
            float(ratio), rel=1e-9
        )
        assert run.number(log(besselk(order, root))) == pytest.approx(float(logarithm), rel=1e-12)
