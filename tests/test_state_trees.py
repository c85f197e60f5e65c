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

n, K, J, M, d, p = symbols("n K J M d p", integer=True, positive=True)
v, k, j = Idx("v", n), Idx("k", K), Idx("j", J)
root, s, q, m0, s0, phi, h = symbols("root s q m0 s0 phi h")
z, x, u, c, w, b, sig, parent, L = map(IndexedBase, ["z", "x", "u", "c", "w", "b", "sig", "parent", "L"])
ONE = {z[root]: Normal(m0, s0), z[v]: Normal(phi * z[parent[v]] + h, q), x[v]: Normal(z[v], s)}
FOREST = np.array([3, 3, 4, 4, -1, -1, 5])

H, X = IndexedVector("H", d), IndexedVector("X", p)
F, Q, V0, C, R, M0 = (
    MatrixSymbol(name, *size)
    for name, size in {"F": (d, d), "Q": (d, d), "V0": (d, d), "C": (p, d), "R": (p, p), "M0": (d, 1)}.items()
)

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
    "vectors": lambda: Model(
        {
            H[root]: MultivariateNormal(M0, V0),
            H[v]: MultivariateNormal(F * H[parent[v]], Q),
            X[v]: MultivariateNormal(C * H[v], R),
        },
        latent=[H],
        known=[parent],
    ),
    "Brownian motion of vectors": lambda: Model(
        {
            H[j, root]: MultivariateNormal(M0, V0),
            H[j, v]: MultivariateNormal(H[j, parent[v]], L[v] * Q),
            X[j, v]: MultivariateNormal(C * H[j, v], R),
        },
        latent=[H],
        known={parent: Parents(n), L: Positive()},
        missing=[X],
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


def joint(start: Any, spread: Any, link: Any, offset: Any, noise: Any, parents: Any) -> tuple[Any, Any]:
    """Mean over (place, entry) and covariance over (place, entry, place, entry) of states, a child's Normal(F h + b, Q)."""
    places, size = len(parents), len(start)
    mean, covariance = np.zeros((places, size)), np.zeros((places, size, places, size))
    done: list[int] = []
    while len(done) < places:
        for place in range(places):
            above = parents[place]
            if place in done or (above >= 0 and above not in done):
                continue
            if above < 0:
                mean[place], covariance[place, :, place] = start, spread
            else:
                mean[place] = link @ mean[above] + offset
                covariance[place] = np.einsum("ab,bpc->apc", link, covariance[above])
                covariance[:, :, place] = np.moveaxis(covariance[place], 0, -1)
                covariance[place, :, place] = link @ covariance[above, :, above] @ link.T + noise
            done.append(place)
    return mean, covariance


def known(mean: Any, covariance: Any, loading: Any, noise: Any, data: Any) -> tuple[Any, Any, float]:
    """The same given data, Normal(C h, R) at each place, and their log-density."""
    places, size = mean.shape
    flat, whole = mean.ravel(), covariance.reshape(places * size, -1)
    seen = np.kron(np.eye(places), loading)
    variance = seen @ whole @ seen.T + np.kron(np.eye(places), noise)
    gain = whole @ seen.T @ np.linalg.inv(variance)
    surprise = data.ravel() - seen @ flat
    value = float(scipy.stats.multivariate_normal(cov=variance).logpdf(surprise))
    left = whole - gain @ seen @ whole
    return (flat + gain @ surprise).reshape(places, size), left.reshape(covariance.shape), value


THETA = {"m0": 0.3, "s0": 1.2, "phi": 0.8, "h": 0.5, "q": 0.7, "s": 0.6}


def test_moments_and_likelihood_are_those_of_the_joint_normal_law() -> None:
    derivation = derived("autoregression").derivation
    (tree,) = derivation.posteriors
    assert isinstance(tree, GaussianTree)
    data = 2 * np.random.default_rng(0).normal(size=7)
    arrays = evaluate(derivation.definitions, {**THETA, "x": data, "parent": FOREST, "n": 7})
    one = np.eye(1)
    start, deviation, factor, offset, noise, error = (
        THETA[name] * one for name in ("m0", "s0", "phi", "h", "q", "s")
    )
    law = joint(start[0], deviation**2, factor, offset[0], noise**2, FOREST)
    mean, covariance, wanted = known(*law, one, error**2, data)
    below = np.flatnonzero(FOREST >= 0)
    np.testing.assert_allclose(arrays["E_z"], mean[:, 0], rtol=1e-12)
    np.testing.assert_allclose(arrays["V_z"], np.diag(covariance[:, 0, :, 0]), rtol=1e-12)
    np.testing.assert_allclose(arrays["C_z"][below], covariance[below, 0, FOREST[below], 0], rtol=1e-12)
    solver = derived("autoregression").solver(verify=False)
    assert solver.log_likelihood(THETA, x=data, parent=FOREST) == pytest.approx(wanted, rel=1e-12)


def of_vectors(seed: int) -> tuple[dict[str, Any], Any]:
    """θ of vectors of two entries, seen in three; and data of the forest."""
    rng = np.random.default_rng(seed)
    definite = {name: np.cov(rng.normal(size=(size, 9))) for name, size in (("V0", 2), ("Q", 2), ("R", 3))}
    rest = {"M0": rng.normal(size=2), "F": rng.normal(size=(2, 2)), "C": rng.normal(size=(3, 2))}
    return {**definite, **rest}, rng.normal(size=(7, 3))


def test_a_step_of_vectors_is_that_of_the_joint_normal_law() -> None:
    theta, data = of_vectors(2)
    law = joint(theta["M0"], theta["V0"], theta["F"], 0, theta["Q"], FOREST)
    mean, covariance, wanted = known(*law, theta["C"], theta["R"], data)
    solver, given = derived("vectors").solver(verify=False), {"X": data, "parent": FOREST}
    found = solver.posterior(theta, **given).H
    np.testing.assert_allclose(found["E_H"], mean, rtol=1e-11)
    np.testing.assert_allclose(found["V_H"], [covariance[v, :, v] for v in range(7)], rtol=1e-11)
    assert solver.log_likelihood(theta, **given) == pytest.approx(wanted, rel=1e-12)
    squares = covariance + np.einsum("ua,vb->uavb", mean, mean)
    roots, below = np.flatnonzero(FOREST < 0), np.flatnonzero(FOREST >= 0)
    start = mean[roots].mean(axis=0)
    own, beside, above = (
        sum(squares[one, :, other] for one, other in pairs)
        for pairs in (
            [(v, v) for v in below],
            [(v, FOREST[v]) for v in below],
            [(FOREST[v],) * 2 for v in below],
        )
    )
    link, whole = beside @ np.linalg.inv(above), sum(squares[v, :, v] for v in range(7))
    loading = data.T @ mean @ np.linalg.inv(whole)
    after = solver.em_step(theta, **given)
    np.testing.assert_allclose(after.M0, start)
    np.testing.assert_allclose(
        after.V0, sum(squares[v, :, v] for v in roots) / len(roots) - np.outer(start, start)
    )
    np.testing.assert_allclose(after.F, link)
    np.testing.assert_allclose(after.Q, (own - link @ beside.T) / len(below))
    np.testing.assert_allclose(after.C, loading)
    np.testing.assert_allclose(after.R, (data.T @ data - loading @ mean.T @ data) / 7)
    space: dict[str, Any] = {}
    exec(derived("vectors").source(style="plain"), space)
    for own, other in zip(space["em"](**theta, **given, max_iter=1), after, strict=False):
        np.testing.assert_allclose(own, other)


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
@pytest.mark.parametrize("name", [name for name in STATED if name != "Brownian motion of vectors"])
def test_every_statement_is_verified(name: str) -> None:
    rungs = {each.name: each for each in derived(name).verify(seconds=60).rungs}
    assert not derived(name).derivation.not_derived
    assert [rung for rung in ("V0", "V1", "V2", "V3", "V4") if rungs[rung].passed is not True] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("autoregression", "J_v = Λ + Σ_(k: parent_k = v) φ² J_k / (q² (1/q² + J_k))"),
        ("autoregression", "V_v = S_v, parent_v = 0"),
        ("vectors", "J_v = Λ + Σ_(k: parent_k = v) Fᵀ Q⁻¹ (J_k + Q⁻¹)⁻¹ J_k F"),
        (
            "vectors",
            "A = Σ_(v: parent_v = 0) (-log |V_0| / 2 - (⟨H_v⟩ - M_0)ᵀ V_0⁻¹ (⟨H_v⟩ - M_0) / 2) + Σ_(v:",
        ),
    ],
    ids=["gathered", "downward", "gathered vectors", "normaliser of vectors"],
)
def test_reports_tell_what_is_gathered_and_the_way_down(name: str, told: str) -> None:
    assert told in str(derived(name))


REFUSED: Mapping[str, tuple[Callable[[], Model], str]] = {
    "labels that switch along the tree": (
        lambda: Model(
            {
                c[root]: Categorical(w[k]),
                c[v]: Categorical(b[c[parent[v]], k]),
                z[root]: Normal(m0, s0),
                z[v]: Normal(sig[c[v]] * z[parent[v]], q),
                x[v]: Normal(z[v], s),
            },
            latent=[z, c],
            known=[parent],
        ),
        r"labels c switch between the laws of the states z\[v\].*let z be a label on a grid",
    ),
    "labels of places": (
        lambda: Model(
            {**ONE, c[v]: Categorical(w[k]), x[v]: Normal(z[v], sig[c[v]])}, latent=[z, c], known=[parent]
        ),
        "labels c switch between",
    ),
    "coupled trees": (
        lambda: Model(
            {**ONE, u[root]: Normal(0, 1), u[v]: Normal(u[parent[v]], 1), x[v]: Normal(z[v] + u[v], s)},
            latent=[z, u],
            known=[parent],
        ),
        "states u and z are coupled.*one vector stand for both",
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
