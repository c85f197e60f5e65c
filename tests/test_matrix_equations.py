"""Gradients by matrices against differences, and equations between matrices against what they were solved from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sympy import Expr, Integer, Pow, Symbol, symbols

from symem.calculus.gradients import gradient
from symem.calculus.maximisers import isolate
from symem.language.matrices import MatrixArray, T, transpose
from symem.language.matrix_supports import PositiveDefinite
from symem.language.supports import Reals
from symem.language.traces import inverse, log_det, trace, words
from tests.evaluate import Evaluator

d, m = symbols("d m", integer=True, positive=True)
s = Symbol("s", positive=True)
A, B, C = (MatrixArray(name, d, d)() for name in "ABC")
P, S, X = (MatrixArray(name, d, d, "positive definite")() for name in "PSX")
W, V = (MatrixArray(name, d, m)() for name in "WV")
Q = MatrixArray("Q", m, m, "positive definite")()
H = MatrixArray("H", d, m)()
x, y, mu = (MatrixArray(name, d, 1)() for name in ("x", "y", "mu"))
c = MatrixArray("c", m, 1)()
SIZES = {"d": 4, "m": 2}


def numbers(seed: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {name: rng.normal(size=(4, 4)) for name in "ABC"}
    found |= {name: _definite(rng, 4) for name in "PSX"} | {"Q": _definite(rng, 2), "s": 1.7}
    found |= {name: rng.normal(size=(4, 2)) for name in "WVH"} | {"c": rng.normal(size=2)}
    return found | {name: rng.normal(size=4) for name in ("x", "y", "mu")} | SIZES


def _definite(rng: np.random.Generator, size: int) -> Any:
    root = rng.normal(size=(size, size + 2))
    return root @ root.T / size


def value(expr: Expr, **changed: Any) -> Any:
    return np.asarray(Evaluator(numbers() | changed)(expr), float)


SCALARS = [
    (trace(T(x - mu) * Pow(X, -1) * (x - mu), 1), X),
    (log_det(X, d) * s + trace(Pow(X, -1) * S * Pow(X, -1) * A, d), X),
    (trace(X * S, d) * trace(T(x) * X * y, 1), X),
    (trace(T(x - W * c) * P * (x - W * c), 1), W),
    (trace(T(W) * P * W * Q, m) + trace(T(x) * W * c, 1) ** 2, W),
    (log_det(1 + T(W) * P * W, m), W),
    (trace(inverse(Q + T(W) * W) * Q, m), W),
    (trace(T(x - mu) * P * (x - mu), 1) * log_det(P, d), mu),
]


@pytest.mark.parametrize(("scalar", "letter"), SCALARS, ids=lambda each: str(each)[:40])
def test_a_gradient_is_what_differences_give(scalar: Expr, letter: Expr) -> None:
    name, found = str(letter), value(gradient(scalar, letter))
    here = numbers()[name]
    found = found.reshape(here.shape)
    for place in np.ndindex(*here.shape):
        step = np.zeros_like(here)
        step[place] = 1e-6
        if letter.is_symmetric_letter:
            step = (step + step.T) / 2
        ahead, behind = (float(value(scalar, **{name: here + way * step})) for way in (1, -1))
        assert (ahead - behind) / 2e-6 == pytest.approx(found[place], rel=1e-5, abs=1e-5)


EQUATIONS = [
    (P * (x - s * mu) + P * W * c, mu),
    (P * (x - H * c) * Integer(2), x),
    (T(H) * P * (x - H * c), c),
    (P * x * transpose(c) - P * W * Q, W),
    (s * (V - W * Q + x * transpose(c) - W * c * transpose(c)), W),
    (A * W * Q - V, W),
    (T(W) * P - Q * T(V), W),
    (Pow(X, -1) * S * Pow(X, -1) - s * Pow(X, -1), X),
    (s * Pow(X, -1) - S, X),
    (P * mu * trace(T(x) * mu, 1) / trace(T(x) * mu, 1) - y, mu),
    (x * trace(T(y) * mu, 1) + P * mu - y, mu),
]


def solved(equation: Expr, letter: Expr) -> Expr | None:
    found = isolate(equation, letter, PositiveDefinite() if letter.is_symmetric_letter else Reals())
    return None if found is None else found[1]


@pytest.mark.parametrize(("equation", "letter"), EQUATIONS, ids=lambda each: str(each)[:40])
def test_a_root_solves_its_equation(equation: Expr, letter: Expr) -> None:
    root = solved(equation, letter)
    assert root is not None
    assert not root.has(letter)
    at_root = value(root).reshape(np.shape(numbers()[str(letter)]))
    assert np.abs(value(equation, **{str(letter): at_root})).max() < 1e-8


REFUSED = [
    (P * mu * trace(T(mu) * P * mu, 1) - x, mu),
    (A * X + X * B - C, X),
    (P * W * Q + V * T(W) * V, W),
    (s * Pow(X, -1) - S - Pow(X, -1) * P * Pow(X, -1), X),
    (x - y, mu),
]


@pytest.mark.parametrize(("equation", "letter"), REFUSED, ids=lambda each: str(each)[:40])
def test_what_is_not_solved_is_none(equation: Expr, letter: Expr) -> None:
    assert solved(equation, letter) is None


def test_a_factor_that_is_not_square_is_not_cancelled() -> None:
    """Hᵀ P (x - H c) = 0 says nothing of x - H c itself."""
    root = solved(T(H) * P * (x - H * c), c)
    assert root is not None
    truth = numbers()
    gram = truth["H"].T @ truth["P"] @ truth["H"]
    assert value(root).ravel() == pytest.approx(np.linalg.solve(gram, truth["H"].T @ truth["P"] @ truth["x"]))


def test_an_inverse_of_a_product_has_parts_only_if_its_letters_are_square() -> None:
    assert inverse(A * B) == Pow(B, -1) * Pow(A, -1)
    gram = inverse(T(H) * H)
    assert words(gram) == ((1, gram),)
    assert words(gram * T(H) * H * c) == ((1, c),)
    assert value(gram) == pytest.approx(np.linalg.inv(numbers()["H"].T @ numbers()["H"]))
