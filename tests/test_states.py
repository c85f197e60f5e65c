"""Chains of Gaussian states: statements, the smoother, the module, reports and refusals, against exact joint Gaussians."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, MatrixSymbol, Sum, log, pi, sqrt, symbols

from symem import (
    Categorical,
    IndexedMatrix,
    IndexedVector,
    Model,
    MultivariateNormal,
    Normal,
    NotDerivedError,
    Positive,
    Reals,
)
from symem.derivation import GaussianChain
from symem.em import EM
from symem.evaluation.arithmetic import evaluate
from symem.runtime.states import _smoothed_vectors

FILE = json.loads((Path(__file__).parent / "zoo" / "lds_local_level.json").read_text())
T, J, K = symbols("T J K", integer=True, positive=True)
t, j, k = Idx("t", T), Idx("j", J), Idx("k", K)
own = Idx("t", IndexedBase("T", integer=True, positive=True)[j])
y, h, g, u, H, b = map(IndexedBase, ["y", "h", "g", "u", "H", "b"])
z, phi = IndexedBase("z"), IndexedBase("phi")
m0, P0, F, q, r, c = symbols("m0 P0 F q r c")
LEVEL = {h[0]: Normal(m0, sqrt(P0)), h[t]: Normal(h[t - 1], sqrt(q)), y[t]: Normal(h[t], sqrt(r))}
MANY = {h[j, 0]: Normal(m0, P0), h[j, t]: Normal(F * h[j, t - 1], q), y[j, t]: Normal(h[j, t], r)}

d, p = symbols("d p", integer=True, positive=True)
x, v, X, Z = IndexedVector("x", d), IndexedVector("v", p), IndexedVector("X", d), IndexedMatrix("Z", p, d)
a, A, C = MatrixSymbol("a", d, 1), MatrixSymbol("A", d, d), MatrixSymbol("C", p, d)
Q, R, S = MatrixSymbol("Q", d, d), MatrixSymbol("R", p, p), MatrixSymbol("S", d, d)
MOVING = {x[0]: MultivariateNormal(a, S), x[t]: MultivariateNormal(A * x[t - 1], Q)}

STATED: Mapping[str, Callable[[], Model]] = {
    "local level": lambda: Model(LEVEL, latent=[h], known=[m0, P0]),
    "many sequences": lambda: Model(MANY, latent=[h]),
    "several lengths": lambda: Model(
        {
            h[j, 0]: Normal(m0, P0),
            h[j, own]: Normal(F * h[j, own - 1], q),
            y[j, own]: Normal(h[j, own], r),
        },
        latent=[h],
    ),
    "one sequence": lambda: Model(
        {h[0]: Normal(m0, P0), h[t]: Normal(F * h[t - 1], q), y[t]: Normal(h[t], r)}, latent=[h]
    ),
    "covariate": lambda: Model(
        {h[0]: Normal(0, 1), h[t]: Normal(F * h[t - 1] + c * u[t], q), y[t]: Normal(h[t], r)},
        latent=[h],
        known=[u],
    ),
    "loadings of places": lambda: Model(
        {h[0]: Normal(0, 1), h[t]: Normal(F * h[t - 1], q), y[t]: Normal(H[t] * h[t] + c, r)},
        latent=[h],
        known=[H],
    ),
    "one factor": lambda: Model(
        {h[0]: Normal(0, 1), h[t]: Normal(F * h[t - 1], 1), y[t, k]: Normal(b[k] * h[t], r)}, latent=[h]
    ),
    "autoregression": lambda: Model(
        {h[0]: Normal(0, 1), h[t]: Normal(F * h[t - 1], q), y[t]: Normal(h[t] + c * y[t - 1], r)}, latent=[h]
    ),
    "missing": lambda: Model(LEVEL, latent=[h], known=[m0, P0], missing=[y]),
    "vectors": lambda: Model({**MOVING, v[t]: MultivariateNormal(C * x[t], R)}, latent=[x]),
    "vectors of many sequences": lambda: Model(
        {
            x[j, 0]: MultivariateNormal(a, S),
            x[j, t]: MultivariateNormal(A * x[j, t - 1], Q),
            v[j, t]: MultivariateNormal(C * x[j, t], R),
        },
        latent=[x],
    ),
    "vectors behind loadings of places": lambda: Model(
        {**MOVING, v[t]: MultivariateNormal(Z[t] * x[t], R)}, latent=[x], known=[Z, a, S]
    ),
    "coefficients that move": lambda: Model(
        {x[0]: MultivariateNormal(a, S), x[t]: MultivariateNormal(x[t - 1], Q), y[t]: Normal(X[t].T * x[t], r)},
        latent=[x],
        known=[X, a, S],
    ),
    "missing entries of vectors": lambda: Model(
        {**MOVING, v[t]: MultivariateNormal(C * x[t], R)}, latent=[x], known=[a, S, C], missing=[v]
    ),
    "mixture of sequences": lambda: Model(
        {
            z[j]: Categorical(phi[k]),
            h[j, 0]: Normal(0, 1),
            h[j, t]: Normal(b[z[j]] * h[j, t - 1], q),
            y[j, t]: Normal(h[j, t], r),
        },
        latent=[h, z],
    ),
    "likelihood": lambda: Model.from_likelihood(
        log_likelihood=-log(P0) / 2 - (h[0] - m0) ** 2 / (2 * P0)
        + Sum(-log(2 * pi * q) / 2 - (h[t] - h[t - 1]) ** 2 / (2 * q), (t, 1, T - 1))
        + Sum(-log(2 * pi * r) / 2 - (y[t] - h[t]) ** 2 / (2 * r), (t, 0, T - 1)) - log(2 * pi) / 2,
        latent={h: Reals()},
        parameters={q: Positive(), r: Positive()},
        data={y: Reals()},
        known={m0: Reals(), P0: Positive()},
    ),
}  # fmt: skip
QUICK = ("local level", "many sequences")


@cache
def derived(name: str) -> EM:
    return STATED[name]().derive(budget=float("inf"))


def chain_of(name: str) -> GaussianChain:
    (chain,) = derived(name).derivation.posteriors
    assert isinstance(chain, GaussianChain)
    return chain


# -- the smoother -----------------------------------------------------------------------------------------


def joint(precision: Any, shift: Any, links: Any, mean: Any, variance: Any) -> tuple[Any, Any]:
    """Mean and covariance of all states of one chain, as one Gaussian."""
    places, size = shift.shape
    whole, field = np.zeros((places, size, places, size)), shift.copy()
    whole[0, :, 0] += np.linalg.inv(variance)
    field[0] += np.linalg.solve(variance, mean)
    for place in range(places):
        whole[place, :, place] += precision[place]
    for place, (spread, offset, noise) in enumerate(links):
        known = np.linalg.inv(noise)
        whole[place + 1, :, place + 1] += known
        whole[place, :, place] += spread.T @ known @ spread
        whole[place + 1, :, place] -= known @ spread
        whole[place, :, place + 1] -= spread.T @ known
        field[place + 1] += known @ offset
        field[place] -= spread.T @ known @ offset
    covariance = np.linalg.inv(whole.reshape(places * size, -1))
    return (covariance @ field.ravel()).reshape(places, size), covariance.reshape(whole.shape)


def covariances(rng: np.random.Generator, *shape: int) -> Any:
    root = rng.normal(size=(*shape, shape[-1]))
    return root @ root.swapaxes(-1, -2) + 0.3 * np.eye(shape[-1])


@pytest.mark.parametrize(
    ("places", "size", "number"), [(1, 1, 2), (2, 2, 1), (9, 1, 3), (60, 2, 2), (200, 3, 1)]
)
@pytest.mark.parametrize(
    "varies", [pytest.param(v, id="".join(map(str, map(int, v)))) for v in product([False, True], repeat=2)]
)
def test_moments_are_those_of_the_joint_gaussian(
    places: int, size: int, number: int, varies: tuple[bool, bool]
) -> None:
    """With laws that stay, where covariances settle and means go in blocks, and with laws of each place and chain."""
    rng = np.random.default_rng(places)
    along = places if varies[0] else 1
    steps, own = max(along - 1, 1), number if varies[1] else 1
    precision, noise = covariances(rng, along, own, size), covariances(rng, steps, 1, size)
    spread, offset = 0.5 * rng.normal(size=(steps, own, size, size)), rng.normal(size=(1, 1, size))
    shift, mean, variance = (
        rng.normal(size=(places, number, size)),
        rng.normal(size=size),
        covariances(rng, size),
    )
    found = _smoothed_vectors(precision, shift, spread, offset, noise, mean, variance)
    predicted, _, filtered, known, smoothed, spreads, neighbours, _ = found
    for chain in range(number):

        def at(value: Any, length: int) -> Any:
            return np.broadcast_to(value, (length, number, *value.shape[2:]))[:, chain]  # noqa: B023

        links = list(zip(*(at(each, places - 1) for each in (spread, offset, noise)), strict=True))
        m, V = joint(at(precision, places), shift[:, chain], links, mean, variance)
        np.testing.assert_allclose(smoothed[:, chain], m, atol=1e-12)
        for place in range(places):
            np.testing.assert_allclose(spreads[place, chain], V[place, :, place], atol=1e-13)
        for place in range(places - 1):
            np.testing.assert_allclose(neighbours[place, chain], V[place + 1, :, place], atol=1e-13)
        half = places // 2 + 1
        m, V = joint(at(precision, places)[:half], shift[:half, chain], links[: half - 1], mean, variance)
        np.testing.assert_allclose(filtered[half - 1, chain], m[-1], atol=1e-12)
        np.testing.assert_allclose(known[half - 1, chain], V[-1, :, -1], atol=1e-13)
    np.testing.assert_allclose(predicted[0], np.broadcast_to(mean, (number, size)))


def test_gaps_are_those_of_the_joint_gaussian() -> None:
    """Places of two kinds, in runs long enough for covariances to settle, and to be met again; of a number and of a vector."""
    rng = np.random.default_rng(2)
    for size in (1, 2):
        precision = np.broadcast_to(covariances(rng, size), (150, 1, size, size)).copy()
        precision[[5, 40, 41, 90, 120, 121]] = 0.0
        shift = np.where(precision[..., 0] == 0, 0.0, rng.normal(size=(150, 1, size)))
        spread, noise = 0.5 * np.eye(size), covariances(rng, size)
        found = _smoothed_vectors(
            precision, shift, spread, np.zeros(size), noise, np.zeros(size), np.eye(size)
        )
        m, V = joint(
            precision[:, 0],
            shift[:, 0],
            [(spread, np.zeros(size), noise)] * 149,
            np.zeros(size),
            np.eye(size),
        )
        np.testing.assert_allclose(found[4][:, 0], m, atol=1e-12)
        for place in range(149):
            np.testing.assert_allclose(found[5][place, 0], V[place, :, place], atol=1e-13)
            np.testing.assert_allclose(found[6][place, 0], V[place + 1, :, place], atol=1e-13)


def test_noise_may_vanish() -> None:
    """A state that does not move, and one that is known at first: no law is inverted."""
    shift = np.ones((4, 1))
    one = _smoothed_vectors(
        np.eye(1), shift, np.eye(1), np.zeros(1), np.zeros((1, 1)), np.zeros(1), np.eye(1)
    )
    np.testing.assert_allclose(one[4][:, 0], 4 / 5)
    np.testing.assert_allclose(one[5][:, 0, 0], 1 / 5)
    known = _smoothed_vectors(
        np.eye(1), shift, np.eye(1), np.zeros(1), np.eye(1), np.zeros(1), np.zeros((1, 1))
    )
    assert known[4][0, 0] == known[5][0, 0, 0] == 0


def test_one_sequence_may_follow_the_laws_of_any_label() -> None:
    """What is seen is of one chain, the laws of two: each label's moments are those of its law."""
    shift, spread = np.ones((3, 1, 1)), np.array([0.5, -0.5]).reshape(1, 1, 2, 1, 1)
    found = _smoothed_vectors(
        np.eye(1), shift[:, :, None], spread, np.zeros(1), np.eye(1), np.zeros(1), np.eye(1)
    )
    for label in range(2):
        alone = _smoothed_vectors(
            np.eye(1), shift, spread[0, :, label], np.zeros(1), np.eye(1), np.zeros(1), np.eye(1)
        )
        for both, one in zip(found, alone, strict=True):
            np.testing.assert_allclose(both[:, :, label], one, rtol=1e-14)


# -- the record -------------------------------------------------------------------------------------------


def test_moments_are_recurrences_forward_and_back() -> None:
    chain = chain_of("many sequences")
    forward = (chain.predicted_variance.recurrence, chain.predicted_mean.recurrence)
    back = (chain.smoothed_variance.recurrence, chain.smoothed_mean.recurrence)
    assert [each and each.backward for each in (*forward, *back)] == [False, False, True, True]
    assert str(chain.link) == "(F, 0, q**2)"
    assert str(chain.first) == "(m0, P0**2)"


def test_record_is_the_joint_gaussian() -> None:
    """By the evaluator, with what no module has a part in: and both doors say the same."""
    theta: dict[str, Any] = {
        "q": 0.7,
        "r": 0.4,
        "m0": 0.3,
        "P0": 2.0,
        "y": np.array([1.0, -0.5, 0.2, 2.0, 1.1]),
        "T": 5,
    }
    stated, written = (
        evaluate(derived(name).derivation.definitions, theta) for name in ("local level", "likelihood")
    )
    places = np.arange(5)
    prior = 2.0 + 0.7 * np.minimum(places[:, None], places)
    gap, whole = theta["y"] - 0.3, prior + 0.4 * np.eye(5)
    posterior = prior - prior @ np.linalg.solve(whole, prior)
    density = -(gap @ np.linalg.solve(whole, gap) + np.linalg.slogdet(2 * np.pi * whole)[1]) / 2
    for found in (stated, written):
        np.testing.assert_allclose(found["E_h"], 0.3 + prior @ np.linalg.solve(whole, gap), rtol=1e-12)
        np.testing.assert_allclose(found["V_h"], np.diag(posterior), rtol=1e-12)
        np.testing.assert_allclose(found["C_h"], np.diag(posterior, -1), rtol=1e-12)
        assert found["A_h"] == pytest.approx(density, rel=1e-12)


# -- through every door -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, id=n, marks=[] if n in QUICK else [pytest.mark.slow])
        for n in STATED
        if n != "vectors of many sequences"
    ],
)
def test_every_statement_is_verified(name: str) -> None:
    rungs = {each.name: each for each in derived(name).verify(seconds=60).rungs}
    assert not derived(name).derivation.not_derived
    assert [n for n in ("V0", "V1", "V2", "V3", "V4") if rungs[n].passed is not True] == []


def system(places: int) -> tuple[dict[str, Any], Any]:
    """A start of two states behind three series, and data."""
    rng = np.random.default_rng(1)
    start = {
        "a": rng.normal(size=2), "S": covariances(rng, 2), "A": np.array([[0.9, 0.2], [-0.1, 0.7]]),
        "Q": covariances(rng, 2), "C": rng.normal(size=(3, 2)), "R": covariances(rng, 3),
    }  # fmt: skip
    return start, np.cumsum(rng.normal(size=(places, 3)), axis=0)


def test_an_iteration_of_vectors_is_that_of_shumway_and_stoffer() -> None:
    """Equations 12 to 14 of their paper, with the moments of the joint Gaussian; long enough for gains to settle."""
    start, data = system(120)
    spread, noise, loadings, error = (start[name] for name in "AQCR")
    known = np.linalg.inv(error)
    evidence = np.broadcast_to(loadings.T @ known @ loadings, (120, 2, 2))
    links = [(spread, np.zeros(2), noise)] * 119
    m, V = joint(evidence, data @ known @ loadings, links, start["a"], start["S"])
    squares = V + np.einsum("ta,sb->tasb", m, m)
    all_of, before = sum(squares[s, :, s] for s in range(120)), sum(squares[s, :, s] for s in range(119))
    after, cross = sum(squares[s, :, s] for s in range(1, 120)), sum(squares[s + 1, :, s] for s in range(119))
    C1, A1 = np.linalg.solve(all_of, m.T @ data).T, np.linalg.solve(before, cross.T).T
    found = derived("vectors").solver(verify=False).em_step(start, v=data)
    np.testing.assert_allclose(found.A, A1, atol=1e-10)
    np.testing.assert_allclose(found.Q, (after - A1 @ cross.T) / 119, atol=1e-10)
    np.testing.assert_allclose(found.C, C1, atol=1e-10)
    np.testing.assert_allclose(found.R, (data.T @ data - C1 @ m.T @ data) / 120, atol=1e-9)
    np.testing.assert_allclose(found.a, m[0], atol=1e-11)
    np.testing.assert_allclose(found.S, V[0, :, 0], atol=1e-11)


def test_an_iteration_of_vectors_is_pykalmans() -> None:
    pykalman = pytest.importorskip("pykalman")
    start, data = system(50)
    peer = pykalman.KalmanFilter(
        start["A"], start["C"], start["Q"], start["R"], np.zeros(2), np.zeros(3), start["a"], start["S"]
    ).em(
        data,
        n_iter=1,
        em_vars=[
            "transition_matrices", "transition_covariance", "observation_matrices", "observation_covariance",
            "initial_state_mean", "initial_state_covariance",
        ],
    )  # fmt: skip
    found = derived("vectors").solver(verify=False).em_step(start, v=data)
    np.testing.assert_allclose(found.A, peer.transition_matrices, atol=1e-9)
    np.testing.assert_allclose(found.Q, peer.transition_covariance, atol=1e-9)
    np.testing.assert_allclose(found.C, peer.observation_matrices, atol=1e-9)
    np.testing.assert_allclose(found.R, peer.observation_covariance, atol=1e-9)
    np.testing.assert_allclose(found.S, peer.initial_state_covariance, atol=1e-9)


def test_levels_far_from_zero_keep_their_digits() -> None:
    solver, rng = derived("local level").solver(verify=False), np.random.default_rng(0)
    data = np.cumsum(rng.normal(size=50)) + rng.normal(size=50)
    near = solver.em_step({"q": 1.0, "r": 1.0}, y=data, m0=0.0, P0=1.0)
    far = solver.em_step({"q": 1.0, "r": 1.0}, y=data + 1e7, m0=1e7, P0=1.0)
    np.testing.assert_allclose(far, near, rtol=1e-7)


def test_unseen_data_are_skipped() -> None:
    """The smoother of what is seen; where nothing is, a state is between its neighbours."""
    solver = derived("missing").solver(verify=False)
    theta = {"q": 1.0, "r": 1e-9}
    states = solver.posterior(theta, y=np.array([1.0, np.nan, 2.0, np.nan]), m0=0.0, P0=1e6).h
    np.testing.assert_allclose(states["E_h"], [1, 1.5, 2, 2], atol=1e-6)
    np.testing.assert_allclose(states["V_h"], [0, 0.5, 0, 1], atol=1e-6)
    np.testing.assert_allclose(states["m_h"], [1, 1, 2, 2], atol=1e-6)
    np.testing.assert_allclose(states["P_h"], [0, 1, 0, 1], atol=1e-6)
    np.testing.assert_allclose(states["a_h"], [0, 1, 1, 2], atol=1e-6)
    np.testing.assert_allclose(states["R_h"], [1e6, 1, 2, 1], atol=1e-6)


def test_sequences_of_several_lengths_are_each_their_own() -> None:
    """ℓ, states and a step are those of one sequence after another."""
    theta = {"m0": 0.3, "P0": 1.2, "F": 0.8, "q": 0.5, "r": 0.7}
    rng, solver = np.random.default_rng(4), derived("several lengths").solver(verify=False)
    data = [rng.normal(size=length) for length in (3, 1, 6)]
    alone = derived("many sequences").solver(verify=False)
    each = [alone.log_likelihood(theta, y=one[None]) for one in data]
    assert solver.log_likelihood(theta, y=data) == pytest.approx(sum(each), rel=1e-13)
    states = solver.posterior(theta, y=data).h["E_h"]
    for found, one in zip(states, data, strict=True):
        np.testing.assert_allclose(
            found[: len(one)], alone.posterior(theta, y=one[None]).h["E_h"][0], rtol=1e-12
        )
    step = solver.em_step(theta, y=data)
    pairs = [alone.posterior(theta, y=one[None]).h for one in data]
    left = [(one - p["E_h"][0]) ** 2 + p["V_h"][0] for one, p in zip(data, pairs, strict=True)]
    assert step.r == pytest.approx(np.sqrt(np.concatenate(left).mean()), rel=1e-12)
    assert step.m0 == pytest.approx(np.mean([p["E_h"][0, 0] for p in pairs]), rel=1e-12)


def test_sample_draws_states_and_what_is_seen_of_them() -> None:
    drawn = derived("many sequences").sample(
        {"m0": 9.0, "P0": 0.1, "F": -1.0, "q": 1e-3, "r": 1e-3}, J=3, T=5, seed=0
    )
    np.testing.assert_array_equal(np.sign(drawn["y"]), np.tile([1, -1, 1, -1, 1], (3, 1)))


@pytest.mark.parametrize("name", ["local level", "vectors"])
def test_plain_style_runs(name: str) -> None:
    """A function that stands alone, place by place: its first iterate is the solver's."""
    space: dict[str, Any] = {}
    exec(derived(name).source(style="plain"), space)
    start, data = system(30)
    given: dict[str, Any] = {"v": data}
    if name == "local level":
        start, given = (
            {"q": 3000.0, "r": 1e4},
            {each: np.array(FILE["data"][each]) for each in ("y", "m0", "P0")},
        )
    *theta, value = space["em"](*start.values(), *given.values(), max_iter=1)
    solver = derived(name).solver(verify=False)
    assert value == pytest.approx(solver.log_likelihood(start, **given), rel=1e-12)
    for found, wanted in zip(theta, solver.em_step(start, **given), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def test_vectors_are_told_as_matrices() -> None:
    told = str(derived("vectors"))
    for line in (
        "P_t = (Λ + R^x_t⁻¹)⁻¹",
        "a^x_t = A m[t-1], t = 2, …, T",
        "A = (Σ_(t=1..T - 1) (C^x_t + ⟨x[t+1]⟩ ⟨x_t⟩ᵀ)) (Σ_(t=1..T - 1) ⟨x_t x_tᵀ⟩)⁻¹",
    ):
        assert line in told


def test_covariances_stay_symmetric() -> None:
    """What rounding leaves across the diagonal of Q grows from step to step, and the run ends on the wrong place."""
    data = np.random.default_rng(0).normal(size=(8, 2)).cumsum(axis=0).round(1)
    eye = np.eye(2)
    system = Model({**MOVING, v[t]: MultivariateNormal(C * x[t], R)}, latent=[x], known=[a, S]).derive(
        budget=float("inf")
    )
    start = {"A": 0.9 * eye, "Q": eye, "C": eye, "R": eye}
    solver = system.solver(verify=False)
    with pytest.warns(solver.NotConvergedWarning):
        fit = solver.fit(v=data, a=[0, 0], S=eye, d=2, start=start, max_iter=120)
    np.testing.assert_array_equal(fit.parameters.Q, fit.parameters.Q.T)
    assert fit.log_likelihood > -10.9


def test_reports_tell_predicted_filtered_and_smoothed_moments() -> None:
    em = derived("many sequences")
    text, told = em.markdown(), str(em)
    for formula in (
        r"R_{jt} &= (q^{(s)})^{2} + (F^{(s)})^{2} P_{j,t-1},\qquad t = 2, \dots, T",
        r"P_{jt} &= \frac{1}{\Lambda + \frac{1}{R_{jt}}}",
        r"m_{jt} &= a_{jt} + P_{jt} (\eta_{jt} - \Lambda a_{jt})",
    ):
        assert formula in text
    assert "a_jt = F m[j,t-1], t = 2, …, T" in told
    assert str(em.posterior[h]) == "Normal(E_h[j, t], sqrt(V_h[j, t]))"


# -- what is refused --------------------------------------------------------------------------------------

REFUSED: Mapping[str, tuple[Callable[[], Model], str]] = {
    "labels that switch": (
        lambda: Model({**LEVEL, z[t]: Categorical(phi[k]), y[t]: Normal(b[z[t]] * h[t], r)}, latent=[h, z]),
        "labels z switch between the laws of the states.*grid",
    ),
    "two chains": (
        lambda: Model(
            {
                h[0]: Normal(0, 1), h[t]: Normal(h[t - 1] + g[t - 1], q),
                g[0]: Normal(0, 1), g[t]: Normal(g[t - 1], c), y[t]: Normal(h[t], r),
            },
            latent=[h, g],
        ),
        "g and h are coupled|h and g are coupled",
    ),
    "order two": (
        lambda: Model(
            {
                h[0]: Normal(0, 1), h[1]: Normal(0, 1),
                h[t]: Normal(F * h[t - 1] + c * h[t - 2], q), y[t]: Normal(h[t], r),
            },
            latent=[h],
        ),
        "states depend on the one before.*one vector stand for a state and those before it",
    ),
    "no quadratic": (
        lambda: Model(
            {h[0]: Normal(0, 1), h[t]: Normal(h[t - 1], q), y[t]: Normal(h[t] ** 2, r)}, latent=[h]
        ),
        "no quadratic in the state h",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in REFUSED])
def test_what_is_no_chain_of_states_is_refused_by_name(case: str) -> None:
    stated, message = REFUSED[case]
    with pytest.raises(NotDerivedError, match=message):
        stated().derive()
