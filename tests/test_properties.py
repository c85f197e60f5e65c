"""Properties that hold for every model: order, names and plates of size one do not matter."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sympy import Expr, Idx, IndexedBase, Rational, Sum, exp, log, prod, symbols

from symem import Categorical, Exponential, Model, Normal, Poisson
from symem.calculus.separate import fold, rejoin, separate
from symem.derivation import Derivation
from symem.evaluation.arithmetic import Arithmetic
from symem.evaluation.situation import situation
from symem.language.plates import index_symbol
from symem.verification import prepare
from symem.verification.formulas import Formulas
from symem.verification.oracle import Oracle

QUICK = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)

n, K, J = symbols("n K J", integer=True, positive=True)
i, k, j = Idx("i", n), Idx("k", K), Idx("j", J)
x, y, z, t, w, v, mu, sigma, lam = map(IndexedBase, ["x", "y", "z", "t", "w", "v", "mu", "sigma", "lam"])


def derived(model: Model) -> Derivation:
    found: Derivation = model.derive().derivation
    return found


@cache
def mixture(family: str) -> Derivation:
    components = {
        "normal": Normal(mu[z[i]], sigma[z[i]]),
        "poisson": Poisson(lam[z[i]]),
        "exponential": Exponential(lam[z[i]]),
    }
    return derived(Model({z[i]: Categorical(w[k]), x[i]: components[family]}, latent=[z]))


@cache
def two_labels(first: str) -> Derivation:
    """Two independent labels of one datum, eliminated in either order: the latents' names decide."""
    one, other = (IndexedBase(name) for name in (("a", "b") if first == "one" else ("b", "a")))
    lines = {
        one[i]: Categorical(w[k]),
        other[i]: Categorical(v[j]),
        x[i]: Normal(mu[one[i]] + lam[other[i]], 1),
    }
    return derived(Model(lines, latent=[one, other]))


@cache
def without_plate() -> Derivation:
    """A mixture with a single datum that stands in no plate."""
    label, datum = symbols("label datum")
    return derived(Model({label: Categorical(w[k]), datum: Normal(mu[label], sigma[label])}, latent=[label]))


def weights(seed: int, size: int) -> Any:
    return np.random.default_rng(seed).dirichlet(np.full(size, 3.0))


def formulas_of(derivation: Derivation, data: Any, theta: Any) -> Formulas:
    arrays = situation(derivation.model, data, theta)
    return Formulas(derivation, arrays, Oracle(derivation.model, arrays))


FAMILIES = st.sampled_from(["normal", "poisson", "exponential"])
SEEDS = st.integers(0, 10_000)


def mixture_theta(family: str, size: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    theta = {"w": weights(seed, size), "mu": rng.normal(size=size), "sigma": rng.gamma(4, 0.3, size)}
    return theta if family == "normal" else {"w": theta["w"], "lam": rng.gamma(4, 0.5, size)}


def mixture_data(family: str, seed: int, size: int = 9) -> dict[str, Any]:
    rng = np.random.default_rng(seed + 1)
    draws = {
        "normal": rng.normal(size=size),
        "poisson": rng.poisson(2, size),
        "exponential": rng.exponential(2, size),
    }
    return {"x": draws[family]}


@QUICK
@given(FAMILIES, SEEDS, st.permutations(range(3)))
def test_relabelling_components_permutes_the_answer(family: str, seed: int, order: list[int]) -> None:
    theta, data = mixture_theta(family, 3, seed), mixture_data(family, seed)
    shuffled = {name: value[order] for name, value in theta.items()}
    here, there = (formulas_of(mixture(family), data, at).at(at) for at in (theta, shuffled))
    assert there.log_likelihood == pytest.approx(here.log_likelihood, rel=1e-12)
    after, moved = here.update(), there.update()
    assert all(moved[name] == pytest.approx(after[name][order], rel=1e-10) for name in theta)


@QUICK
@given(SEEDS)
def test_the_order_of_elimination_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    theta = {
        "w": weights(seed, 2),
        "v": weights(seed + 1, 3),
        "mu": rng.normal(size=2),
        "lam": rng.normal(size=3),
    }
    data = {"x": rng.normal(size=6)}
    one, other = (formulas_of(two_labels(first), data, theta).at(theta) for first in ("one", "other"))
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-12)
    assert one.surrogate(theta) == pytest.approx(other.surrogate(theta), rel=1e-10)
    assert one.entropy == pytest.approx(other.entropy, rel=1e-8, abs=1e-10)


@QUICK
@given(SEEDS)
def test_a_plate_of_size_one_equals_no_plate(seed: int) -> None:
    theta = mixture_theta("normal", 2, seed)
    value = float(np.random.default_rng(seed).normal())
    without = formulas_of(without_plate(), {"datum": value}, theta).at(theta)
    within = formulas_of(mixture("normal"), {"x": np.array([value])}, theta).at(theta)
    assert without.log_likelihood == pytest.approx(within.log_likelihood, rel=1e-12)
    assert without.surrogate(theta) == pytest.approx(within.surrogate(theta), rel=1e-12)
    assert without.update()["mu"] == pytest.approx(within.update()["mu"], rel=1e-10)


@QUICK
@given(SEEDS, st.integers(1, 7))
def test_the_likelihood_of_a_plate_adds_up_over_its_parts(seed: int, cut: int) -> None:
    theta, data = mixture_theta("normal", 2, seed), mixture_data("normal", seed)
    parts = (data["x"][:cut], data["x"][cut:])
    whole, *pieces = (
        formulas_of(mixture("normal"), {"x": values}, theta).at(theta).log_likelihood
        for values in (data["x"], *parts)
    )
    assert sum(pieces) == pytest.approx(whole, rel=1e-12)


s, c = IndexedBase("s"), IndexedBase("c")
LEAVES = st.sampled_from([s[i], c[i], s[i] ** 2, exp(c[i] / 9), log(s[i] ** 2 + 1), Rational(1, 3), n])


@st.composite
def expressions(draw: st.DrawFn) -> Expr:
    """Sums of products of entries, nested a little."""
    factors = draw(st.lists(LEAVES, min_size=1, max_size=3))
    other = draw(LEAVES)
    inner = prod(factor + other for factor in factors)
    return Sum(inner, (i, 0, n - 1)) * draw(st.sampled_from([1, -2, Rational(1, 2)])) + draw(
        st.integers(-3, 3)
    )


@QUICK
@given(expressions(), SEEDS)
def test_rewriting_keeps_the_value(expression: Expr, seed: int) -> None:
    """Separation expands, distributes and pulls out of sums: the number must not notice."""
    index = index_symbol("i")
    internal = expression.xreplace({i: index})
    rng = np.random.default_rng(seed)
    arrays = {"n": 4, "s": rng.normal(size=4), "c": rng.normal(size=4)}
    scope = Arithmetic(arrays)
    after = rejoin(map(fold, separate(internal)))
    assert scope.number(after) == pytest.approx(scope.number(internal), rel=1e-9, abs=1e-9)


def test_verification_draws_the_same_data_from_the_same_seed() -> None:
    one, other = (prepare(mixture("poisson"), seed=3)[0] for _ in range(2))
    assert np.array_equal(one.data["x"], other.data["x"])
    assert all(
        np.array_equal(a[name], b[name]) for a, b in zip(one.points, other.points, strict=True) for name in a
    )
