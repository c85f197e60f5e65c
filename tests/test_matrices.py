"""Words, traces, log-determinants and differentials against NumPy at random arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sympy import Expr, IndexedBase, Pow, Rational, Sum, Symbol, sqrt, symbols

from symem.language.matrices import (
    ENTRY,
    BlockInverse,
    Diagonal,
    MatrixArray,
    is_positive_definite,
    is_positive_semidefinite,
    letters,
    shape,
    transpose,
)
from symem.language.plates import index_symbol
from symem.language.traces import (
    BlockLogDet,
    LogDet,
    Tr,
    differential,
    element,
    inverse,
    log_det,
    slope,
    trace,
    words,
)
from tests.evaluate import Evaluator

d, m, n = symbols("d m n", integer=True, positive=True)
i, k = index_symbol("i"), index_symbol("k")
s, t = symbols("s t", positive=True)
x, y = MatrixArray("x", d, 1)[i], MatrixArray("y", d, 1)[i]
A, B = MatrixArray("A", d, d)(), MatrixArray("B", d, d)()
W, P = MatrixArray("W", d, m)(), MatrixArray("P", d, d, "positive definite")()
C = MatrixArray("C", d, d, "symmetric")[k]
z, v = MatrixArray("z", m, 1)(), IndexedBase("v", positive=True)
D = Diagonal(v[ENTRY], d)
seen = IndexedBase("seen")
SIZES = {"d": 4, "m": 2, "n": 5, "i": 2, "k": 1}


def arrays() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    g = rng.normal(size=(4, 7))
    c = rng.normal(size=(2, 4, 4))
    return {
        "x": rng.normal(size=(5, 4)),
        "y": rng.normal(size=(5, 4)),
        "A": rng.normal(size=(4, 4)),
        "B": rng.normal(size=(4, 4)),
        "W": rng.normal(size=(4, 2)),
        "P": g @ g.T,
        "C": c + c.transpose(0, 2, 1),
        "z": rng.normal(size=2),
        "v": rng.gamma(3.0, size=4),
        "seen": np.array([1, 0, 0, 1]),
        "s": 1.7,
        "t": 0.6,
    }


def value(expr: Expr, **changed: Any) -> Any:
    found = Evaluator({**SIZES, **arrays(), **changed})(expr)
    return np.asarray(found, dtype=float)


class Plain:
    """The same letters in NumPy."""

    def __init__(self, **changed: Any) -> None:
        given = {**arrays(), **changed}
        self.x, self.y = given["x"][2][:, None], given["y"][2][:, None]
        self.C, self.D, self.z = given["C"][1], np.diag(given["v"]), given["z"][:, None]
        self.A, self.B, self.W, self.P = (given[name] for name in "ABWP")
        self.s, self.t, self.eye = given["s"], given["t"], np.eye(4)


inv, T = np.linalg.inv, np.transpose
CASES: list[tuple[Expr, Callable[[Plain], Any]]] = [
    (W * transpose(W) + s, lambda o: o.W @ o.W.T + o.s * o.eye),
    (transpose(A * P * W), lambda o: (o.A @ o.P @ o.W).T),
    (transpose(Pow(A * B + s, -1)), lambda o: inv(o.A @ o.B + o.s * o.eye).T),
    (transpose(2 * A - s * C), lambda o: 2 * o.A.T - o.s * o.C),
    (inverse(s * A * P), lambda o: inv(o.s * o.A @ o.P)),
    (inverse(Pow(A, -1)), lambda o: o.A),
    (D**-1 * A * D**2, lambda o: inv(o.D) @ o.A @ o.D @ o.D),
    (x * transpose(y), lambda o: o.x @ o.y.T),
    (Pow(1 + transpose(W) * P * W, -1) * z, lambda o: inv(np.eye(2) + o.W.T @ o.P @ o.W) @ o.z),
    (A**2 * B, lambda o: o.A @ o.A @ o.B),
]


def short(each: Any) -> str:
    """A test's name: formulas as text, whatever is called by its own name."""
    return each.__name__ if callable(each) and not isinstance(each, Expr) else str(each)[:30]


@pytest.mark.parametrize(("expr", "plain"), CASES, ids=short)
def test_a_matrix_expression(expr: Expr, plain: Callable[[Plain], Any]) -> None:
    truth = plain(Plain())
    assert value(expr) == pytest.approx(truth)
    assert value(transpose(expr)) == pytest.approx(truth.T)
    rows, cols = shape(expr)
    assert (SIZES[str(rows)], SIZES.get(str(cols), 1)) == truth.shape
    multiplied = sum(value(c) * np.atleast_2d(value(w) if w != 1 else np.eye(4)) for c, w in words(expr))
    assert multiplied == pytest.approx(truth)


TRACES: list[tuple[Expr, Any, Callable[[Plain], Any]]] = [
    (A * B * C, d, lambda o: o.A @ o.B @ o.C),
    (P * x * transpose(x), d, lambda o: o.P @ o.x @ o.x.T),
    (transpose(x - A * y) * Pow(P, -1) * (x - A * y), 1, lambda o: _square(o.x - o.A @ o.y, inv(o.P))),
    (A + s, d, lambda o: o.A + o.s * o.eye),
    (3 + 2 * t * P * D, d, lambda o: 3 * o.eye + 2 * o.t * o.P @ o.D),
    (x * transpose(y) * A * y * transpose(x), d, lambda o: o.x @ o.y.T @ o.A @ o.y @ o.x.T),
    ((A + transpose(A)) ** 2, d, lambda o: (o.A + o.A.T) @ (o.A + o.A.T)),
    (transpose(W) * x * transpose(z), m, lambda o: o.W.T @ o.x @ o.z.T),
    (Pow(W * transpose(W) + s, -1) * C, d, lambda o: inv(o.W @ o.W.T + o.s * o.eye) @ o.C),
]


def _square(residual: Any, precision: Any) -> Any:
    return residual.T @ precision @ residual


@pytest.mark.parametrize(("expr", "size", "plain"), TRACES, ids=short)
def test_a_trace(expr: Expr, size: Any, plain: Callable[[Plain], Any]) -> None:
    found = trace(expr, size)
    assert found.is_commutative
    assert float(value(found)) == pytest.approx(np.trace(plain(Plain())))
    assert found == trace(transpose(expr), size)


def test_a_trace_of_a_sum_over_a_plate() -> None:
    rows = Sum(x * transpose(x), (i, 0, n - 1))
    data = arrays()["x"]
    assert float(value(trace(P * rows * A, d))) == pytest.approx(
        np.trace(arrays()["P"] @ data.T @ data @ arrays()["A"])
    )


def test_equal_forms_and_equal_traces_look_equal() -> None:
    assert trace(transpose(x) * A * y, 1) == trace(transpose(y) * transpose(A) * x, 1)
    assert trace(A * B * C, d) == trace(C * A * B, d) == trace(transpose(B) * transpose(A) * C, d)


def test_a_square_is_not_negative() -> None:
    form = trace(transpose(x) * Pow(P, -1) * x, 1)
    assert isinstance(form, Tr)
    assert form.is_nonnegative
    assert trace(transpose(x) * A * x, 1).is_nonnegative is None


LOG_DETS: list[tuple[Expr, Any, Callable[[Plain], Any]]] = [
    (P, d, lambda o: o.P),
    (Pow(P, -1), d, lambda o: inv(o.P)),
    (s * P, d, lambda o: o.s * o.P),
    (D, d, lambda o: o.D),
    (D**-2, d, lambda o: inv(o.D @ o.D)),
    (s, d, lambda o: o.s * o.eye),
    (s**2 * t, d, lambda o: o.s**2 * o.t * o.eye),
    (W * transpose(W) + s, d, lambda o: o.W @ o.W.T + o.s * o.eye),
    (W * transpose(W) + D, d, lambda o: o.W @ o.W.T + o.D),
    (2 * Pow(1 + transpose(W) * P * W, -1), m, lambda o: 2 * inv(np.eye(2) + o.W.T @ o.P @ o.W)),
    (transpose(A) * A, d, lambda o: o.A.T @ o.A),
]


@pytest.mark.parametrize(("expr", "size", "plain"), LOG_DETS, ids=short)
def test_a_log_determinant(expr: Expr, size: Any, plain: Callable[[Plain], Any]) -> None:
    assert float(value(log_det(expr, size))) == pytest.approx(np.linalg.slogdet(plain(Plain()))[1])


@pytest.mark.parametrize("expr", [expr for expr, _plain in CASES], ids=str)
def test_an_element(expr: Expr) -> None:
    whole = value(expr)
    for row, column in [(0, 0), (1, 0), (len(whole) - 1, whole.shape[1] - 1)]:
        assert float(value(element(expr, row, column))) == pytest.approx(whole[row, column])


def test_an_element_of_a_multiple_of_the_identity() -> None:
    assert float(value(element(A + s, 1, 1))) == pytest.approx(arrays()["A"][1, 1] + 1.7)
    assert float(value(element(A + s, 1, 2))) == pytest.approx(arrays()["A"][1, 2])


def test_an_element_at_two_indices_that_may_meet() -> None:
    a, b = index_symbol("a"), index_symbol("b")
    whole = value(A + s * D)
    for expr in (A + s * D,):
        found = element(expr, a, b)
        assert float(value(found, a=2, b=2)) == pytest.approx(whole[2, 2])
        assert float(value(found, a=2, b=1)) == pytest.approx(whole[2, 1])
    found = element(A + s, a, b)
    assert float(value(found, a=1, b=1)) == pytest.approx(arrays()["A"][1, 1] + 1.7)
    assert float(value(found, a=1, b=3)) == pytest.approx(arrays()["A"][1, 3])


def test_the_inverse_of_a_block() -> None:
    mask, unseen = seen[ENTRY], [1, 2]
    block = arrays()["P"][np.ix_(unseen, unseen)]
    found = value(BlockInverse(P, mask, d))
    assert found[np.ix_(unseen, unseen)] == pytest.approx(inv(block))
    assert np.count_nonzero(found) == 4
    assert float(value(BlockLogDet(P, mask, d))) == pytest.approx(np.linalg.slogdet(block)[1])


@pytest.mark.parametrize("pattern", [[0, 0, 0, 0], [1, 1, 1, 1]])
def test_a_block_may_be_everything_or_nothing(pattern: list[int]) -> None:
    mask = np.array(pattern)
    whole = inv(arrays()["P"]) * (1 - mask.max())
    assert value(BlockInverse(P, seen[ENTRY], d), seen=mask) == pytest.approx(whole)
    determinant = np.linalg.slogdet(arrays()["P"])[1] * (1 - mask.max())
    assert float(value(BlockLogDet(P, seen[ENTRY], d), seen=mask)) == pytest.approx(determinant)


SMOOTH = [
    s * A + A * B / s,
    Pow(s**2 * P + W * transpose(W), -1),
    A * Pow(P + s, -1) * B,
    Diagonal(v[ENTRY] ** s, d) * A,
    Sum(s * x * transpose(x), (i, 0, n - 1)) * A,
    sqrt(s) * A * Pow(D + s, -1),
]


@pytest.mark.parametrize("expr", SMOOTH, ids=str)
def test_a_differential(expr: Expr) -> None:
    step = 1e-5
    truth = (value(expr, s=1.7 + step) - value(expr, s=1.7 - step)) / (2 * step)
    assert value(differential(expr, s)) == pytest.approx(truth, rel=1e-7, abs=1e-7)
    assert float(value(slope(expr, s, d))) == pytest.approx(np.trace(truth), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize(
    "expr",
    [
        log_det(s**2 * P + W * transpose(W), d),
        trace(transpose(x) * Pow(s * P + 1, -1) * x, 1) * log_det(P + s, d),
        s * log_det(Pow(P * s + D, -1), d),
        LogDet(s * P, d),
    ],
    ids=str,
)
def test_the_derivative_of_a_scalar_of_matrices(expr: Expr) -> None:
    step = 1e-5
    truth = (value(expr, s=1.7 + step) - value(expr, s=1.7 - step)) / (2 * step)
    assert float(value(expr.diff(s))) == pytest.approx(float(truth), rel=1e-7)


def test_letters_of_a_word_with_powers() -> None:
    assert letters(A**2 * B) == (A, A, B)


def test_what_is_positive_definite_by_its_form() -> None:
    assert is_positive_definite(W * transpose(W) + s)
    assert is_positive_definite(Pow(P + D, -1))
    assert is_positive_semidefinite(W * transpose(W))
    assert is_positive_semidefinite(Rational(1, 2) * transpose(A) * P * A)
    assert not is_positive_definite(W * transpose(W))
    assert not is_positive_definite(P - s)
    assert not is_positive_semidefinite(-W * transpose(W))
    assert not is_positive_semidefinite(A * P)
    assert not is_positive_semidefinite(transpose(A) * C * A)


def test_a_number_has_no_shape() -> None:
    with pytest.raises(ValueError, match="not a matrix"):
        shape(Symbol("number"))
