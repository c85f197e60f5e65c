"""Data drawn from the declared model: their moments are those of the law, and a fit finds the parameters again."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from sympy import Eq, Idx, IndexedBase, MatrixSymbol, Product, cos, exp, symbols

from symem import (
    EM,
    Bernoulli,
    Binary,
    Cases,
    Categorical,
    DataError,
    Dirac,
    Gamma,
    IndexedVector,
    Model,
    ModelError,
    Multinomial,
    MultivariateNormal,
    Normal,
    NotDerivedError,
    Poisson,
    Positive,
    Simplex,
)
from symem.evaluation.situation import sizes_shown
from symem.verification.ancestral import ancestral
from tests.derived import solver
from tests.models import DERIVED, Row, in_turn, slow_but_for

n, K, J, d, N = symbols("n K J d N", integer=True, positive=True)
i, k, j, one = Idx("i", n), Idx("k", K), Idx("j", J), Idx("l", (1, 3))
x, z, w, mu, s, u, y, e = map(IndexedBase, ["x", "z", "w", "mu", "s", "u", "y", "e"])
a, b, p, tau = symbols("a b p tau", positive=True)
ROWS = 40_000
#: Five standard errors of a mean of so many rows of unit variance.
NEAR = 5 / np.sqrt(ROWS)


@cache
def _normals() -> EM:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s[z[i]])}, latent=[z]).derive()


def drawn(model: Model, theta: dict[str, Any], **given: Any) -> dict[str, Any]:
    return model.derive().sample(theta, seed=1, latents=True, **given)


def test_a_mixture_has_the_moments_of_its_components() -> None:
    found = drawn(
        Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s[z[i]])}, latent=[z]),
        {"w": [0.2, 0.5, 0.3], "mu": [-5.0, 0.0, 9.0], "s": [1.0, 0.5, 2.0]},
        n=ROWS,
    )
    assert found["z"].dtype == np.int64
    np.testing.assert_allclose(np.bincount(found["z"]) / ROWS, [0.2, 0.5, 0.3], atol=NEAR)
    for label, (mean, deviation) in enumerate([(-5, 1), (0, 0.5), (9, 2)]):
        rows = found["x"][found["z"] == label]
        assert abs(rows.mean() - mean) < 3 * deviation * NEAR
        assert abs(rows.std() / deviation - 1) < 3 * NEAR


def test_labels_count_as_the_model_does_and_branches_have_their_own_laws() -> None:
    laws = {1: Dirac(0), 2: Poisson(a), 3: Poisson(b)}
    model = Model({z[i]: Categorical(w[one]), x[i]: Cases(z[i], laws)}, latent=[z])
    found = drawn(model, {"w": [0.3, 0.3, 0.4], "a": 4.0, "b": 50.0}, n=ROWS)
    assert set(np.unique(found["z"])) == {1, 2, 3}
    assert np.all(found["x"][found["z"] == 1] == 0)
    assert abs(found["x"][found["z"] == 3].mean() - 50) < 2 * np.sqrt(50) * NEAR


def test_latents_of_groups_are_shared_by_their_rows() -> None:
    found = drawn(
        Model({u[i]: Gamma(a, b), y[i, j]: Poisson(u[i])}, latent=[u]), {"a": 3.0, "b": 2.0}, n=ROWS, J=2
    )
    assert found["y"].shape == (ROWS, 2)
    # Cov(y1, y2) = Var u = a b², with a variance of a product of two dependent counts of a few dozens
    assert abs(np.cov(found["y"].T)[0, 1] - 12) < 60 * NEAR


def test_a_model_is_drawn_from_whose_parameters_have_no_updates() -> None:
    gate = 1 / (1 + exp(-a * e[i]))
    laws = {z[i]: Bernoulli(gate), x[i]: Normal(mu[z[i]] * cos(a * e[i]), 1)}
    em = Model(laws, latent=[z], known=[e]).derive()
    with pytest.raises(NotDerivedError):
        em.solver()
    found = em.sample({"a": 2.0, "mu": [0.0, 3.0]}, e=np.full(ROWS, 0.5), seed=1, latents=True)
    share = 1 / (1 + np.exp(-1))
    assert abs(found["z"].mean() - share) < NEAR
    assert abs(found["x"].mean() - 3 * np.cos(1) * share) < 2 * NEAR


def test_vectors_have_their_covariance() -> None:
    v, m, S = IndexedVector("v", d), MatrixSymbol("m", d, 1), MatrixSymbol("S", d, d)
    covariance = np.array([[2.0, -0.7], [-0.7, 1.0]])
    found = drawn(
        Model({v[i]: MultivariateNormal(m, S)}, missing=[v]), {"m": [3.0, -1.0], "S": covariance}, n=ROWS
    )["v"]
    np.testing.assert_allclose(found.mean(0), [3, -1], atol=2 * NEAR)
    np.testing.assert_allclose(np.cov(found.T), covariance, atol=4 * NEAR)


def test_counts_have_their_totals_and_relations_give_what_was_seen() -> None:
    cells = symbols("n0:3", integer=True, nonnegative=True)
    total, seen = symbols("T seen", integer=True, nonnegative=True)
    model = Model(
        {cells: Multinomial(total, p**2, 2 * p * (1 - p), (1 - p) ** 2)},
        latent=cells[:2],
        known=[total],
        given=[Eq(seen, cells[0] + cells[1])],
    )
    found = drawn(model, {"p": 0.3}, T=100_000)
    assert found["n0"] + found["n1"] + found["n2"] == 100_000
    assert found["seen"] == found["n0"] + found["n1"]
    assert abs(found["n2"] / 100_000 - 0.49) < 0.01


def test_a_fit_finds_the_parameters_again() -> None:
    em = _normals()
    theta = {"w": [0.3, 0.7], "mu": [-4.0, 4.0], "s": [1.0, 2.0]}
    data = em.sample(theta, n=4000, seed=0)
    assert list(data) == ["x"]
    again = em.sample(em.solver().Parameters(**theta), n=4000, seed=np.random.default_rng(0))
    np.testing.assert_array_equal(data["x"], again["x"])
    found = em.fit(**data, start=theta).parameters
    np.testing.assert_allclose(found.mu, theta["mu"], atol=0.2)


@pytest.mark.parametrize(
    ("theta", "given", "told"),
    [
        ({"w": [0.5, 0.5], "mu": [0.0, 1.0], "s": [1.0, 1.0]}, {}, "Nothing shows n: give n=…"),
        ({"w": [0.5, 0.6], "mu": [0.0, 1.0], "s": [1.0, 1.0]}, {"n": 3}, "w must sum to 1"),
        (
            {"w": [0.5, 0.5], "mu": [0.0, 1.0], "s": [1.0, -1.0]},
            {"n": 3},
            r"s\[1\] = -1.0, but every entry of s must be positive",
        ),
        (
            {"w": [0.5, 0.5], "mu": [0.0, 1.0], "s": 1.0},
            {"n": 3},
            r"s must have shape \(K\)",
        ),
        (
            {"w": [0.5, 0.5], "mu": [0.0, 1.0, 2.0], "s": [1.0, 1.0]},
            {"n": 3},
            r"w says that K is 2, but mu has shape \(3,\)",
        ),
        ({"w": [0.5, 0.5], "mu": [0.0, 1.0]}, {"n": 3}, "s is missing"),
        ({"w": [0.5, 0.5], "mu": [0.0, 1.0], "s": [1.0, 1.0], "t": 1}, {"n": 3}, "'t' is not a parameter"),
        (
            {"w": [0.5, 0.5], "mu": [0.0, 1.0], "s": [1.0, 1.0]},
            {"n": 2.5},
            "n=2.5, but it must be a whole number",
        ),
        ({"w": [0.5, 0.5], "mu": [0.0, 1.0], "s": [1.0, 1.0]}, {"n": 2, "q": 1}, "'q' is neither a size nor"),
    ],
)
def test_what_is_lacking_or_wrong_is_named(theta: dict[str, Any], given: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        _normals().sample(theta, seed=0, **given)


def test_a_model_that_does_not_say_how_its_data_arise_is_refused() -> None:
    branches = (w[0] * a ** x[i] * exp(-a)) ** z[i] * (w[1] * b ** x[i] * exp(-b)) ** (1 - z[i])
    likelihood = Model.from_likelihood(
        Product(branches, (i, 0, n - 1)),
        latent={z: Binary()},
        parameters={w: Simplex(), a: Positive(), b: Positive()},
    )
    with pytest.raises(ModelError, match="state it by distributions"):
        likelihood.derive().sample({"w": [0.5, 0.5], "a": 1.0, "b": 2.0}, n=3)
    censored = Model({u[i]: Normal(a, 1)}, latent=[u], given=[u[i] > y[i]])
    with pytest.raises(ModelError, match="nothing says how y arises"):
        censored.derive().sample({"a": 0.5}, n=3)


#: What is drawn contradicts what was observed; the reference cannot draw it.
OTHER = {"peppered_moths_unknown", "contaminated_vector"}

#: Labels, counts with a total, vectors with a mean in another latent, groups, branches, hidden bounds.
QUICK = {
    "gmm1d_faithful",
    "peppered_moths",
    "lmm_random_slope",
    "random_effects_dyestuff",
    "gaussian_pair",
    "exp_right_censored",
}


@slow_but_for(in_turn([row for row in DERIVED if row.name not in OTHER], 3), QUICK)
def test_a_module_draws_as_the_statement_says(row: Row) -> None:
    """Number for number what the reference draws, which walks the declarations."""
    model, module, theta = row.model(), solver(row.name), row.theta(row.file["start"])
    if not model.declarations:
        with pytest.raises(module.DataError, match="stated by its likelihood"):
            module.sample(theta, seed=1)
        return
    known = {each.name: row.data[each.name] for each in model.known}
    sizes = sizes_shown(model, {**row.data, **theta})
    asked = {name: size for name, size in sizes.items() if name in module.MODEL.draws.sizes}
    found = module.sample(theta, seed=1, latents=True, **known, **asked)
    counted = {name: np.asarray(value) - model.variables[name].support.first for name, value in known.items()}
    expected = ancestral(model, {**sizes, **counted, **theta}, np.random.default_rng(1))
    assert set(found) >= {each.name for each in model.data}
    for name, value in found.items():
        first = model.variables[name].support.first
        ragged = isinstance(value, list)
        for mine, true in zip(value, expected[name], strict=True) if ragged else ((value, expected[name]),):
            there = true[: len(mine)] if ragged else true
            np.testing.assert_allclose(np.asarray(mine) - first, there, rtol=1e-9, atol=1e-12, err_msg=name)
