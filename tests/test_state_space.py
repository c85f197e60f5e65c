"""State-space models as they are brought: noise that does not reach every entry, known movements, wide starts."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Identity, Idx, IndexedBase, MatrixSymbol, ZeroMatrix, sqrt, symbols
from sympy.matrices.expressions import DiagMatrix

from symem import IndexedVector, Model, MultivariateNormal, Normal, NotDerivedError, SupportError
from symem.em import EM
from symem.runtime.states import _smoothed_vectors

T, J, d, p, q = symbols("T J d p q", integer=True, positive=True)
t, j, k = Idx("t", T), Idx("j", J), Idx("k", p)
y, r = IndexedBase("y"), symbols("r")
x, u, L = (IndexedVector(name, d) for name in "xuL")
m, S, F = MatrixSymbol("m", d, 1), MatrixSymbol("S", d, d), MatrixSymbol("F", d, d)
G, H, M = MatrixSymbol("G", d, q), MatrixSymbol("H", d, 1), MatrixSymbol("M", q, q)
Phi, w = MatrixSymbol("Phi", q, d), MatrixSymbol("w", q, 1)
g, phi, s2 = MatrixSymbol("g", d, 1), MatrixSymbol("phi", d, 1), symbols("s2")


def moved(mean: Any, noise: Any, known: list[Any]) -> Model:
    """A number seen of states of which the next lies about `mean`."""
    laws = {
        x[0]: MultivariateNormal(m, S),
        x[t]: MultivariateNormal(mean, noise),
        y[t]: Normal(H.T * x[t], sqrt(r)),
    }
    return Model(laws, latent=[x], known=[m, S, H, *known])


STATED = {
    "free movement": lambda: moved((F + G * Phi) * x[t - 1], G * M * G.T, [F, G]),
    "own variances": lambda: moved(F * x[t - 1], G * DiagMatrix(w) * G.T, [F, G]),
    "one variance": lambda: moved(F * x[t - 1] + u[t], s2 * G * G.T, [F, G, u]),
    "series with gaps": lambda: Model(
        {
            x[0]: MultivariateNormal(ZeroMatrix(d, 1), Identity(d)),
            x[t]: MultivariateNormal(F * x[t - 1], Identity(d)),
            y[t, k]: Normal(L[k].T * x[t], IndexedBase("v")[k]),
        },
        latent=[x],
        missing=[y],
    ),
    "dynamic factor": lambda: Model(
        {
            x[0]: MultivariateNormal(m, S),
            x[t]: MultivariateNormal((F + g * phi.T) * x[t - 1], g * g.T),
            y[t, k]: Normal(IndexedBase("lam")[k] * (g.T * x[t]), IndexedBase("v")[k]),
        },
        latent=[x],
        known=[m, S, F, g],
    ),
    "autoregression": lambda: moved((F + g * phi.T) * x[t - 1], s2 * g * g.T, [F, g]),
}  # fmt: skip


@cache
def derived(name: str) -> EM:
    return STATED[name]().derive(budget=float("inf"))


@pytest.mark.slow
@pytest.mark.parametrize("name", STATED)
def test_every_statement_is_verified(name: str) -> None:
    rungs = {each.name: each for each in derived(name).verify(seconds=60).rungs}
    assert [n for n in ("V0", "V1", "V2", "V3", "V4", "V6") if rungs[n].passed is not True] == []


def definite(rng: np.random.Generator, size: int) -> Any:
    root = rng.normal(size=(size, size + 3))
    return root @ root.T / 3


def test_an_iteration_is_that_of_the_joint_gaussian() -> None:
    """Noise in two of three directions, a movement that is free in these: regression of what the noise reaches on the state."""
    rng, places = np.random.default_rng(0), 30
    data = {
        "y": rng.normal(size=places), "m": rng.normal(size=3), "S": definite(rng, 3), "F": 0.4 * rng.normal(size=(3, 3)),
        "G": rng.normal(size=(3, 2)), "H": rng.normal(size=3),
    }  # fmt: skip
    start = {"Phi": 0.2 * rng.normal(size=(2, 3)), "M": definite(rng, 2), "r": 0.7}
    spread, noise = data["F"] + data["G"] @ start["Phi"], data["G"] @ start["M"] @ data["G"].T
    mean, whole = np.zeros((places, 3)), np.zeros((places, 3, places, 3))
    mean[0], whole[0, :, 0] = data["m"], data["S"]
    for now in range(1, places):
        mean[now] = spread @ mean[now - 1]
        for before in range(now):
            whole[now, :, before] = spread @ whole[now - 1, :, before]
            whole[before, :, now] = whole[now, :, before].T
        whole[now, :, now] = spread @ whole[now - 1, :, now - 1] @ spread.T + noise
    cross = np.einsum("tasb,b->tas", whole, data["H"])
    known = np.linalg.inv(np.einsum("a,tas->ts", data["H"], cross) + 0.7 * np.eye(places))
    gap = data["y"] - mean @ data["H"]
    given = mean + cross @ (known @ gap)
    squares = (
        whole - np.einsum("tas,su,rbu->tarb", cross, known, cross) + np.einsum("ta,sb->tasb", given, given)
    )
    after, before = (sum(squares[at, :, at] for at in range(k, places - 1 + k)) for k in (1, 0))
    beside = sum(squares[at, :, at - 1] for at in range(1, places))
    left = np.linalg.pinv(data["G"])
    free = left @ (beside - data["F"] @ before) @ np.linalg.inv(before)
    moves = data["F"] + data["G"] @ free
    scatter = after - moves @ beside.T - beside @ moves.T + moves @ before @ moves.T
    solver = derived("free movement").solver(verify=False)
    found = solver.em_step(start, **data)
    np.testing.assert_allclose(found.Phi, free, atol=1e-11)
    np.testing.assert_allclose(found.M, left @ scatter @ left.T / (places - 1), atol=1e-11)
    density = (np.linalg.slogdet(known / (2 * np.pi))[1] - gap @ known @ gap) / 2
    assert solver.log_likelihood(start, **data) == pytest.approx(density, rel=1e-12)


def test_a_wide_start_costs_no_digits() -> None:
    """A trend whose start has a variance of 10⁶, beside the filter in fractions."""
    seen, wide = [3, 1, 4, 1, 5, 9, 2, 6], Fraction(10**6)
    mean, spread, density = [Fraction(0)] * 2, [[wide, Fraction(0)], [Fraction(0), wide]], 0.0
    for value in seen:
        total = spread[0][0] + Fraction(1, 100)
        gain, gap = [spread[0][0] / total, spread[1][0] / total], value - mean[0]
        density -= float(gap**2 / total) / 2 + np.log(2 * np.pi * float(total)) / 2
        a, b = mean[0] + gain[0] * gap, mean[1] + gain[1] * gap
        P = [[spread[i][k] - gain[i] * spread[0][k] for k in range(2)] for i in range(2)]
        last, mean = (a, b), [a + b, b]
        tied = P[0][1] + P[1][1]
        spread = [[P[0][0] + P[0][1] + tied, tied], [tied, P[1][1] + Fraction(1, 1000)]]
    precision, shift = np.array([[[[100.0, 0], [0, 0]]]]), np.array([[[100.0 * each, 0]] for each in seen])
    found = _smoothed_vectors(
        precision,
        shift,
        np.array([[1.0, 1], [0, 1]]),
        np.zeros(2),
        np.diag([0.0, 1e-3]),
        np.zeros(2),
        1e6 * np.eye(2),
    )
    np.testing.assert_allclose(found[2][-1, 0], [float(each) for each in last], rtol=1e-8)
    predicted, news = found[0][:, 0, 0], found[-1][:, 0]
    at_mean = -50 * (seen - predicted) ** 2 - np.log(2 * np.pi / 100) / 2
    assert (at_mean + news / 2).sum() == pytest.approx(density, abs=1e-7)


def test_what_is_missing_of_series_is_left_out() -> None:
    """Two series of two factors, each with loadings and a variance of its own: regressions on the places where it was seen."""
    rng, solver = np.random.default_rng(3), derived("series with gaps").solver(verify=False)
    seen = np.cumsum(rng.normal(size=(20, 2)), axis=0)
    seen[3, 0] = seen[4:9] = np.nan
    start = {"F": np.diag([0.9, 0.5]), "L": np.array([[1.0, 0.3], [0.4, 1.2]]), "v": np.array([0.5, 0.8])}
    states = solver.posterior(start, y=seen).x
    mean, spread = states["E_x"], states["V_x"]
    found = solver.em_step(start, y=seen)
    for series in range(2):
        there = ~np.isnan(seen[:, series])
        m, gaps = mean[there], seen[there, series]
        squares = m.T @ m + spread[there].sum(axis=0)
        loadings = np.linalg.solve(squares, m.T @ gaps)
        left = gaps @ gaps - 2 * loadings @ m.T @ gaps + loadings @ squares @ loadings
        np.testing.assert_allclose(found.L[series], loadings, rtol=1e-10)
        np.testing.assert_allclose(found.v[series], np.sqrt(left / there.sum()), rtol=1e-8)


def test_vectors_seen_in_part_that_look_back_are_refused_by_name() -> None:
    v, R = IndexedVector("v", p), MatrixSymbol("R", p, p)
    B = MatrixSymbol("B", p, p)
    lines = {v[0]: MultivariateNormal(ZeroMatrix(p, 1), R), v[t]: MultivariateNormal(B * v[t - 1], R)}
    with pytest.raises(NotDerivedError, match=r"v depends on the one before.*v\[t, k\]: Normal"):
        Model(lines, missing=[v]).derive()


def test_noise_of_fewer_directions_is_refused_by_name_elsewhere() -> None:
    with pytest.raises(SupportError, match=r"'F' moves the others too.*F \+ G\*Phi with F known"):
        moved(F * x[t - 1], G * M * G.T, [G])
    alone = {x[j]: MultivariateNormal(m, G * M * G.T), y[j]: Normal(H.T * x[j], sqrt(r))}
    with pytest.raises(NotDerivedError, match="let the noise be the latent"):
        Model(alone, latent=[x], known=[m, G, H]).derive()


def test_trend_and_season_of_air_passengers_are_statsmodels() -> None:
    """Level, slope and eleven seasons, three of which have noise (Durbin & Koopman 2012, section 3.2): the same ℓ, and its maximum."""
    statsmodels = pytest.importorskip("statsmodels.api")
    counts = json.loads((Path(__file__).parent / "chains" / "air_passengers.json").read_text())["passengers"]
    peer = statsmodels.tsa.UnobservedComponents(np.log(counts), "lltrend", seasonal=12)
    peer.ssm.initialize_approximate_diffuse(100.0)
    peer.ssm.loglikelihood_burn = 0
    moves, reach = np.zeros((13, 13)), np.zeros((13, 3))
    moves[0, :2] = moves[1, 1] = 1
    moves[2, 2:], moves[3:, 2:-1], reach[[0, 1, 2], [0, 1, 2]] = -1, np.eye(10), 1
    seen = np.isin(np.arange(13), (0, 2)).astype(float)
    data = {"y": np.log(counts), "m": np.zeros(13), "S": 100 * np.eye(13), "F": moves, "G": reach, "H": seen}
    solver = derived("own variances").solver(verify=False)
    theta = [1e-3, 7e-4, 1e-6, 3e-4]
    assert solver.log_likelihood({"r": theta[0], "w": theta[1:]}, **data) == pytest.approx(
        peer.loglike(theta), abs=1e-8
    )
    best = {"r": 1.2952616e-4, "w": [6.9944777e-4, 1e-14, 6.4123191e-5]}  # by Powell and BFGS
    assert solver.log_likelihood(best, **data) == pytest.approx(187.3687061, abs=1e-6)


def test_a_dynamic_factor_is_statsmodels() -> None:
    """Four series behind one factor of order two: the same ℓ, and its maximum from a start that nothing was said of."""
    statsmodels = pytest.importorskip("statsmodels.api")
    rng, factor = np.random.default_rng(1), np.zeros(120)
    for at in range(2, 120):
        factor[at] = 0.6 * factor[at - 1] + 0.25 * factor[at - 2] + rng.normal()
    seen = np.outer(factor, [1, 0.7, -0.5, 1.2]) + rng.normal(size=(120, 4)) * [0.5, 0.8, 1, 0.6]
    peer = statsmodels.tsa.DynamicFactor(seen, k_factors=1, factor_order=2)
    peer.ssm.initialize_known(np.zeros(2), np.eye(2))
    theta = np.array([1, 0.7, -0.5, 1.2, 0.25, 0.64, 1, 0.36, 0.6, 0.25])
    data: dict[str, Any] = {
        "y": seen,
        "m": np.zeros(2),
        "S": np.eye(2),
        "F": np.array([[0, 0], [1, 0]]),
        "g": np.array([1, 0]),
    }
    solver = derived("dynamic factor").solver(verify=False)
    start = {"lam": theta[:4], "v": np.sqrt(theta[4:8]), "phi": theta[8:]}
    assert solver.log_likelihood(start, **data) == pytest.approx(peer.loglike(theta), abs=1e-8)
    assert (
        solver.fit(seed=0, accelerate="auto", **data).log_likelihood > -614.0177204 - 1e-6
    )  # its maximum, by BFGS
