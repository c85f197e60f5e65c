"""Trees of Gaussian states: the moments, the module and the log-likelihood against the joint Normal law, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, MatrixSymbol, Piecewise, Sum, log, sqrt, symbols

from symem import (
    Categorical,
    IndexedVector,
    Labels,
    Model,
    MultivariateNormal,
    Normal,
    NotDerivedError,
    Parents,
    Positive,
    Reals,
)
from symem.derivation import GaussianTree
from symem.em import EM
from symem.evaluation.arithmetic import evaluate

n, K, J, M, d = symbols("n K J M d", integer=True, positive=True)
v, k, j = Idx("v", n), Idx("k", K), Idx("j", J)
root, s, q, m0, s0, phi, h = symbols("root s q m0 s0 phi h")
z, x, u, c, w, b, sig, parent, L = map(IndexedBase, ["z", "x", "u", "c", "w", "b", "sig", "parent", "L"])
ONE = {z[root]: Normal(m0, s0), z[v]: Normal(phi * z[parent[v]] + h, q), x[v]: Normal(z[v], s)}
FOREST = np.array([3, 3, 4, 4, -1, -1, 5])

STATED: Mapping[str, Callable[[], Model]] = {
    "autoregression": lambda: Model(ONE, latent=[z], known=[parent]),
    "Brownian motion of sites": lambda: Model(
        {
            z[j, root]: Normal(m0, s0),
            z[j, v]: Normal(z[j, parent[v]], q * sqrt(L[v])),
            x[j, v]: Normal(z[j, v], s),
        },
        latent=[z],
        known={parent: Parents(n), L: Positive()},
        missing=[x],
    ),
    "covariate": lambda: Model(
        {z[root]: Normal(0, s0), z[v]: Normal(phi * z[parent[v]] + h * u[v], q), x[v]: Normal(z[v], s)},
        latent=[z],
        known=[parent, u],
    ),
    "a spread for each class of branches": lambda: Model(
        {z[root]: Normal(0, s0), z[v]: Normal(z[parent[v]], sig[b[v]]), x[v]: Normal(z[v], s)},
        latent=[z],
        known={parent: Parents(n), b: Labels(M)},
    ),
    "mixture of trees": lambda: Model(
        {
            c[j]: Categorical(w[k]),
            z[j, root]: Normal(0, s0),
            z[j, v]: Normal(phi * z[j, parent[v]], sig[c[j]]),
            x[j, v]: Normal(z[j, v], s),
        },
        latent=[z, c],
        known=[parent],
    ),
    "likelihood": lambda: Model.from_likelihood(
        log_likelihood=Sum(
            Piecewise((-(z[v] ** 2) / 2, parent[v] < 0), (-((z[v] - phi * z[parent[v]]) ** 2) / 2, True))
            - (x[v] - z[v]) ** 2 / (2 * s**2)
            - log(s),
            (v, 0, n - 1),
        ),
        latent={z: Reals()},
        parameters={phi: Reals(), s: Positive()},
        data={parent: Parents(n)},
    ),
}


@cache
def derived(name: str) -> EM:
    return STATED[name]().derive(budget=float("inf"))


def joint(theta: Mapping[str, float], parents: Any) -> tuple[Any, Any]:
    """Mean and covariance of the states of the first statement."""
    places = len(parents)
    mean, covariance, done = np.zeros(places), np.zeros((places, places)), list[int]()
    while len(done) < places:
        for place in range(places):
            above = parents[place]
            if place in done or (above >= 0 and above not in done):
                continue
            if above < 0:
                mean[place], covariance[place, place] = theta["m0"], theta["s0"] ** 2
            else:
                mean[place] = theta["phi"] * mean[above] + theta["h"]
                covariance[place] = covariance[:, place] = theta["phi"] * covariance[above]
                covariance[place, place] = theta["phi"] ** 2 * covariance[above, above] + theta["q"] ** 2
            done.append(place)
    return mean, covariance


THETA = {"m0": 0.3, "s0": 1.2, "phi": 0.8, "h": 0.5, "q": 0.7, "s": 0.6}


def test_moments_and_likelihood_are_those_of_the_joint_normal_law() -> None:
    derivation = derived("autoregression").derivation
    (tree,) = derivation.posteriors
    assert isinstance(tree, GaussianTree)
    data = 2 * np.random.default_rng(0).normal(size=7)
    arrays = evaluate(derivation.definitions, {**THETA, "x": data, "parent": FOREST, "n": 7})
    mean, covariance = joint(THETA, FOREST)
    whole = covariance + THETA["s"] ** 2 * np.eye(7)
    gain = covariance @ np.linalg.inv(whole)
    known = covariance - gain @ covariance
    below = np.flatnonzero(FOREST >= 0)
    np.testing.assert_allclose(arrays["E_z"], mean + gain @ (data - mean), rtol=1e-12)
    np.testing.assert_allclose(arrays["V_z"], np.diag(known), rtol=1e-12)
    np.testing.assert_allclose(arrays["C_z"][below], known[below, FOREST[below]], rtol=1e-12)
    solver = derived("autoregression").solver(verify=False)
    wanted = scipy.stats.multivariate_normal(mean, whole).logpdf(data)
    assert solver.log_likelihood(THETA, x=data, parent=FOREST) == pytest.approx(wanted, rel=1e-12)


def test_a_chain_stated_as_a_tree_gives_the_numbers_of_the_chain() -> None:
    t = Idx("t", n)
    laws = {z[0]: Normal(m0, s0), z[t]: Normal(phi * z[t - 1] + h, q), x[t]: Normal(z[t], s)}
    one = Model(laws, latent=[z]).derive(budget=float("inf")).solver(verify=False)
    other = derived("autoregression").solver(verify=False)
    data, before = np.random.default_rng(1).normal(size=40), np.arange(-1, 39)
    wanted = one.log_likelihood(THETA, x=data)
    assert other.log_likelihood(THETA, x=data, parent=before) == pytest.approx(wanted, rel=1e-12)
    for left, right in zip(
        one.em_step(THETA, x=data), other.em_step(THETA, x=data, parent=before), strict=True
    ):
        np.testing.assert_allclose(left, right, rtol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("name", STATED)
def test_every_statement_is_verified(name: str) -> None:
    rungs = {each.name: each for each in derived(name).verify(seconds=60).rungs}
    assert not derived(name).derivation.not_derived
    assert [rung for rung in ("V0", "V1", "V2", "V3", "V4") if rungs[rung].passed is not True] == []


@pytest.mark.slow
def test_reports_tell_what_is_gathered_and_the_way_down() -> None:
    text = str(derived("autoregression"))
    assert "J_v = Λ + Σ_(k: parent_k = v) φ² J_k / (q² (1/q² + J_k))" in text
    assert "V_v = S_v, parent_v < 1" in text


H, X = IndexedVector("H", d), IndexedVector("X", d)
F, Q, R, V0, M0 = (*(MatrixSymbol(name, d, d) for name in ("F", "Q", "R", "V0")), MatrixSymbol("M0", d, 1))
REFUSED: Mapping[str, tuple[Callable[[], Model], str]] = {
    "vectors": (
        lambda: Model(
            {
                H[root]: MultivariateNormal(M0, V0),
                H[v]: MultivariateNormal(F * H[parent[v]], Q),
                X[v]: MultivariateNormal(H[v], R),
            },
            latent=[H],
            known=[parent],
        ),
        "trees of vectors are not derived yet",
    ),
    "states that are seen": (
        lambda: Model({z[root]: Normal(m0, s0), z[v]: Normal(z[parent[v]], q)}, known=[parent], missing=[z]),
        "let what is seen be Normal about them",
    ),
    "no spread of roots": (
        lambda: Model.from_likelihood(
            log_likelihood=Sum(
                Piecewise((-((z[v] - phi * z[parent[v]]) ** 2) / 2, parent[v] >= 0), (0, True)), (v, 0, n - 1)
            ),
            latent={z: Reals()},
            parameters={phi: Reals()},
            data={parent: Parents(n)},
        ),
        "Nothing says how spread",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in REFUSED])
def test_what_is_no_tree_of_states_is_refused(case: str) -> None:
    stated, message = REFUSED[case]
    with pytest.raises(NotDerivedError, match=message):
        stated().derive(budget=float("inf"))
